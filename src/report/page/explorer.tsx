// SPDX-License-Identifier: Apache-2.0
// Tree and bytes side by side: what one is pointed at, the other shows.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { count } from '../../render/size.js';
import { addressIn } from '../../schemas/lang/memory.js';
import type { ShownFinding } from '../analysis.js';
import type { Atlas } from '../atlas.js';
import type { ShownObject } from '../shown-object.js';
import type { TreePlace } from '../tree-node.js';
import { HexView } from './hex-view.js';
import { RunText } from './run-text.js';
import { TreeView } from './tree-view.js';

/** What the explorer needs. */
export interface ExplorerProps {
  readonly atlas: Atlas;
  readonly findings: readonly ShownFinding[];
  /** Goes there when the object is another than before. */
  readonly go: { readonly place: TreePlace } | undefined;
  readonly onFollow: (address: bigint) => void;
}

/** The tree of consumers, and the bytes that it is made of. */
export function Explorer({ atlas, findings, go, onFollow }: ExplorerProps): JSX.Element {
  const [selected, setSelected] = useState<TreePlace | undefined>(undefined);
  const [inTree, setInTree] = useState<TreePlace | undefined>(undefined);
  const [inHex, setInHex] = useState<TreePlace | undefined>(undefined);
  const [reveal, setReveal] = useState<{ readonly place: TreePlace } | undefined>(undefined);
  const [show, setShow] = useState<{ readonly offset: number } | undefined>(undefined);
  useEffect(() => {
    if (go === undefined) return;
    setSelected(go.place);
    setInTree(undefined);
    setReveal({ place: go.place });
    setShow({ offset: go.place.offset });
  }, [go]);
  const severityOf = useMemo(() => severities(findings), [findings]);
  const object = inTree?.object ?? selected?.object ?? atlas.top[0]?.place?.object;
  const looked = inTree ?? inHex ?? selected;
  return (
    <section id="contents" aria-label="Contents">
      <h2>
        Contents <small>point at a field to see its bytes, at bytes to see their field</small>
      </h2>
      <div class="explorer">
        <TreeView
          atlas={atlas}
          selected={selected}
          hovered={inHex}
          reveal={reveal}
          severityOf={severityOf}
          onHover={(place) => {
            setInTree(place);
            if (place !== undefined) setShow({ offset: place.offset });
            else if (selected !== undefined) setShow({ offset: selected.offset });
          }}
          onSelect={(place) => {
            setSelected(place);
            setShow({ offset: place.offset });
          }}
        />
        <div class="bytes-pane">
          {object === undefined ? (
            <p class="none">Nothing here has bytes.</p>
          ) : (
            <>
              <ObjectTitle object={object} problem={atlas.fieldsOf(object).problem} />
              <HexView
                key={object.key}
                object={object}
                fields={atlas.fieldsOf(object)}
                selected={selected}
                hovered={inTree ?? inHex}
                show={show}
                onHover={setInHex}
                onSelect={(place) => {
                  setSelected(place);
                  setReveal({ place });
                }}
              />
            </>
          )}
          <Detail atlas={atlas} place={looked} onFollow={onFollow} />
        </div>
      </div>
    </section>
  );
}

function ObjectTitle({
  object,
  problem,
}: {
  readonly object: ShownObject;
  readonly problem: string | undefined;
}): JSX.Element {
  const { path, what, bytes, address, pieces } = object;
  const where =
    address === undefined
      ? 'offsets from its start'
      : `${formatHex(address)}${pieces !== undefined && pieces.length > 1 ? ` and ${count(pieces.length - 1, 'page')} more` : ''}`;
  return (
    <div class="object-title">
      <strong>{what}</strong>
      <span class="mono path" title={path}>
        {path}
      </span>
      <span class="how">
        {count(bytes.length, 'byte')}, {where}
      </span>
      {problem === undefined ? null : <span class="problem">not as its layout says: {problem}</span>}
    </div>
  );
}

function Detail(props: {
  readonly atlas: Atlas;
  readonly place: TreePlace | undefined;
  readonly onFollow: (address: bigint) => void;
}): JSX.Element {
  const { atlas, place, onFollow } = props;
  if (place === undefined)
    return (
      <div class="detail" aria-live="off">
        <span class="how">Arrow keys move in both; Enter opens a row; / searches.</span>
      </div>
    );
  const { object, offset, length } = place;
  const field = atlas.fieldsOf(object).at(offset);
  const isField = field !== undefined && field.offset === offset && field.length === length;
  const at = addressIn(object, offset);
  const pointer = isField && field.kind === 'pointer' && length === 8 ? pointerAt(object, offset) : undefined;
  return (
    <div class="detail">
      <strong class="mono">{isField ? field.path : count(length, 'byte')}</strong>
      {isField ? (
        <span class="value">
          <RunText runs={field.value()} />
        </span>
      ) : null}
      <span class="how">
        {isField ? `${field.type}, ${count(length, 'byte')} ` : ''}at offset {formatHex(offset)}
        {at === undefined ? '' : `, address ${formatHex(at)}`}
      </span>
      {pointer === undefined || atlas.at(pointer) === undefined ? null : (
        <button type="button" class="link" onClick={() => onFollow(pointer)}>
          Follow to {formatHex(pointer)}
        </button>
      )}
    </div>
  );
}

function pointerAt({ bytes }: ShownObject, offset: number): bigint | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const value = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(offset, true);
  return value === 0n ? undefined : value;
}

const WORST = ['error', 'warning', 'note'] as const;

/** Tells the worst finding whose address lies in a place. */
function severities(findings: readonly ShownFinding[]): (place: TreePlace) => string | undefined {
  const placed = findings
    .flatMap(({ address, severity }) => (address === undefined ? [] : [{ address, severity }]))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return ({ object, offset, length }) => {
    const start = addressIn(object, offset) ?? BigInt(offset);
    let low = 0;
    let high = placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((placed[middle]?.address ?? 0n) < start) low = middle + 1;
      else high = middle;
    }
    const found = new Set<string>();
    for (let at = low; at < placed.length && at < low + 64; at++) {
      const one = placed[at];
      if (one === undefined || one.address >= start + BigInt(length)) break;
      found.add(one.severity);
    }
    return WORST.find((severity) => found.has(severity));
  };
}
