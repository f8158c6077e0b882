// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { diffFdt } from '../../fdt/diff.js';
import type { HandoverDiff } from '../../kho/handover-change.js';
import { writeDiff } from '../../render/diff-text.js';
import type { ShownFinding } from '../analysis.js';
import { Atlas } from '../atlas.js';
import { faultOf, openSide } from '../open-side.js';
import type { Match } from '../search.js';
import { linesOf, markingPaint } from '../text-run.js';
import type { TreePlace } from '../tree-node.js';
import { askWorker } from './ask-worker.js';
import { DiffView } from './diff-view.js';
import { type DroppedFile, DropZone, sidesOf } from './drop-zone.js';
import { Explorer } from './explorer.js';
import { Findings } from './findings.js';
import { IovaSpaces } from './iova-view.js';
import { MemoryMap } from './memory-map.js';
import type { LoadedSide, ToWorker } from './messages.js';
import { Overview } from './overview.js';
import { Printing } from './printing.js';
import { Sections, TopBar } from './top-bar.js';

/** A side, ready to be shown. */
interface ShownSide extends LoadedSide {
  /** What can be looked into; it is opened once the rest is painted. */
  readonly inside: { readonly atlas: Atlas; readonly opened: ReturnType<typeof openSide> } | undefined;
}

/** The whole page. */
export function App({ script, data }: { readonly script: string; readonly data: string }): JSX.Element {
  const [sides, setSides] = useState<readonly ShownSide[]>([]);
  const [active, setActive] = useState(0);
  const [diff, setDiff] = useState<HandoverDiff | undefined>(undefined);
  const [progress, setProgress] = useState(data === '' ? '' : 'Unpacking');
  const [failure, setFailure] = useState('');
  const stop = useRef<() => void>(() => {});

  const ask = useCallback((request: ToWorker): void => {
    stop.current();
    setSides([]);
    setActive(0);
    setDiff(undefined);
    setFailure('');
    setProgress('Reading');
    stop.current = askWorker(script, request, (message) => {
      if (message.kind === 'progress') setProgress(message.text);
      else if (message.kind === 'side') {
        const { loaded, index } = message;
        setSides((now) => [...now, { ...loaded, inside: undefined }]);
        afterPaint(() => {
          try {
            const opened = openSide(loaded.side, loaded.analysis.located);
            const inside = { atlas: new Atlas(opened), opened };
            setSides((now) => now.map((each, at) => (at === index ? { ...loaded, inside } : each)));
          } catch (error) {
            setFailure(faultOf(error));
          }
        });
      } else if (message.kind === 'done') {
        setDiff(message.diff);
        setProgress('');
      } else {
        setFailure(message.message);
        setProgress('');
      }
    });
  }, []);
  // The page is painted first: what it shows takes longer.
  useEffect(() => {
    if (data === '') return undefined;
    afterPaint(() => ask({ kind: 'embedded', json: data }));
    return undefined;
  }, []);
  const isPrinting = useIsPrinting();
  const onFiles = useCallback((files: readonly DroppedFile[]): void => {
    sidesOf(files).then(
      (read) => {
        if (read.length > 0) ask({ kind: 'sides', sides: read });
      },
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  const shown = sides[active];
  return (
    <Printing.Provider value={isPrinting}>
      <Page
        key={active}
        side={shown}
        sides={sides}
        diff={diff}
        active={active}
        onActive={setActive}
        progress={progress}
        failure={failure}
      />
      <DropZone isEmpty={shown === undefined && progress === ''} onFiles={onFiles} />
    </Printing.Provider>
  );
}

/** Runs `action` when what was rendered is on the screen. */
function afterPaint(action: () => void): void {
  requestAnimationFrame(() => setTimeout(action));
}

/** Follows the browser's own announcements; colours change with it. */
function useIsPrinting(): boolean {
  const [isPrinting, setPrinting] = useState(false);
  useEffect(() => {
    const media = matchMedia('print');
    const set = (on: boolean): void => {
      document.documentElement.toggleAttribute('data-print', on);
      setPrinting(on);
    };
    const change = (): void => set(media.matches);
    const before = (): void => set(true);
    const after = (): void => set(false);
    media.addEventListener('change', change);
    addEventListener('beforeprint', before);
    addEventListener('afterprint', after);
    return () => {
      media.removeEventListener('change', change);
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', after);
    };
  }, []);
  return isPrinting;
}

interface PageProps {
  readonly side: ShownSide | undefined;
  readonly sides: readonly ShownSide[];
  readonly diff: HandoverDiff | undefined;
  readonly active: number;
  readonly onActive: (index: number) => void;
  readonly progress: string;
  readonly failure: string;
}

function Page({ side, sides, diff, active, onActive, progress, failure }: PageProps): JSX.Element {
  const [go, setGo] = useState<{ readonly place: TreePlace } | undefined>(undefined);
  const [zoom, setZoom] = useState<{ readonly start: number; readonly end: number } | undefined>(undefined);
  const [finding, setFinding] = useState<{ readonly index: number } | undefined>(undefined);
  const [lost, setLost] = useState('');
  const analysis = side?.analysis;
  const findings = analysis?.findings ?? [];

  const showPlace = (place: TreePlace): void => {
    setLost('');
    setGo({ place });
    document.getElementById('contents')?.scrollIntoView({ block: 'start' });
  };
  const goTo = (address: bigint): void => {
    const found = side?.inside?.atlas.at(address);
    if (found !== undefined) {
      const { object, offset } = found;
      const field = side?.inside?.atlas.fieldsOf(object).at(offset);
      showPlace({ object, offset: field?.offset ?? offset, length: field?.length ?? 1 });
      return;
    }
    // No bytes to show: then where it lies.
    const frame = Number(address >> 12n);
    setLost(`The bytes at 0x${address.toString(16)} are not in this page.`);
    if (address >> 52n === 0n && analysis?.lanes !== undefined) setZoom({ start: frame, end: frame + 64 });
  };
  const follow = ({ address, path }: ShownFinding, given = address): void => {
    if (given !== undefined) goTo(given);
    else if (analysis?.spaces.some((space) => path?.startsWith(space.path)))
      document.getElementById('iova')?.scrollIntoView({ block: 'start' });
    else document.getElementById('contents')?.scrollIntoView({ block: 'start' });
  };
  const choose = ({ place, finding: index }: Match): void => {
    if (place !== undefined) showPlace(place);
    else if (index !== undefined) setFinding({ index });
  };
  const lines = useMemo(
    () => (sides.length === 2 && diff === undefined ? blobLines(sides) : undefined),
    [sides, diff],
  );
  const compared = sides.length === 2;
  return (
    <>
      <TopBar
        titles={sides.map(({ analysis: { title } }) => title)}
        active={active}
        onActive={onActive}
        atlas={side?.inside?.atlas}
        findings={findings}
        onChoose={choose}
      />
      {side === undefined || analysis === undefined ? null : (
        <Sections
          links={[
            ['overview', 'Overview', ''],
            ...(compared
              ? [['differences', 'Differences', diff === undefined ? '' : `${diff.changes.length}`] as const]
              : []),
            ['findings', 'Findings', `${findings.length}`],
            ['contents', 'Contents', ''],
            ...(analysis.lanes === undefined ? [] : [['memory', 'Memory map', ''] as const]),
            ...(analysis.spaces.length === 0
              ? []
              : [['iova', 'I/O address spaces', `${analysis.spaces.length}`] as const]),
          ]}
        />
      )}
      <main>
        {failure === '' ? null : (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
        {progress === '' ? null : (
          <p class="progress" role="status">
            {progress} …
          </p>
        )}
        {lost === '' ? null : (
          <p class="lost" role="status">
            {lost}{' '}
            <button type="button" class="link" onClick={() => setLost('')}>
              Close
            </button>
          </p>
        )}
        {side === undefined || analysis === undefined ? null : (
          <>
            <Overview analysis={analysis} goTo={goTo} />
            {compared && progress === '' ? (
              <DiffView sides={sides.map((each) => each.analysis)} diff={diff} lines={lines} />
            ) : null}
            <Findings
              findings={findings}
              checked={analysis.verdict.checked}
              follow={follow}
              shown={finding}
            />
            {side.inside === undefined ? null : (
              <Explorer atlas={side.inside.atlas} findings={findings} go={go} onFollow={goTo} />
            )}
            {analysis.lanes === undefined ? null : (
              <MemoryMap
                lanes={analysis.lanes}
                findings={findings}
                go={zoom}
                onPick={goTo}
                onJump={setZoom}
              />
            )}
            <IovaSpaces spaces={analysis.spaces} goTo={goTo} />
          </>
        )}
      </main>
    </>
  );
}

/** How two blobs differ that are no handovers; `undefined` where they are no trees. */
function blobLines(sides: readonly ShownSide[]): ReturnType<typeof linesOf> | undefined {
  const [a, b] = sides.map(({ inside }) => inside?.opened.blob?.fdt);
  if (a === undefined || b === undefined) return undefined;
  const changes = [...diffFdt(a, b)].map((change) => ({ where: '', change }));
  return changes.length === 0
    ? []
    : linesOf((out) => {
        writeDiff(out, changes, { paint: markingPaint, limit: 64 });
      });
}
