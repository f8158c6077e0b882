// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { count, formatRange, formatSize } from '../../render/size.js';
import type { ShownFinding } from '../analysis.js';
import { type FrameIntervals, framesIn, type MemoryLanes } from '../memory-lanes.js';
import type { ChartLane, ChartMark } from './chart-lane.js';
import { ScaleChart } from './scale-chart.js';

/** What the map needs. */
export interface MemoryMapProps {
  readonly lanes: MemoryLanes;
  readonly findings: readonly ShownFinding[];
  /** Zooms there when the object is another than before. */
  readonly go: { readonly start: number; readonly end: number } | undefined;
  readonly onPick: (address: bigint) => void;
  readonly onJump: (go: { readonly start: number; readonly end: number }) => void;
}

/** Groups of page orders that have a colour. */
const ORDER_GROUPS = [
  { first: 0, title: 'order 0 (4 KiB)' },
  { first: 1, title: '1 to 3' },
  { first: 4, title: '4 to 8' },
  { first: 9, title: '9 (2 MiB) to 17' },
  { first: 18, title: '18 (1 GiB) on' },
] as const;

function orderGroup(order: number): number {
  return ORDER_GROUPS.findLastIndex(({ first }) => order >= first);
}

/** Physical memory by what it is for, to scale. */
export function MemoryMap({ lanes, findings, go, onPick, onJump }: MemoryMapProps): JSX.Element | null {
  const { known, held, scratch, preserved, contents, own, tables } = lanes;
  const chart = useMemo(() => {
    const all: ChartLane[] = [
      lane('memory', known, '--c-known', 'known to the image'),
      lane('in the image', held, '--c-held', 'contents are in the image'),
      lane('scratch', scratch, '--c-scratch', 'the next kernel boots here'),
      {
        title: 'preserved',
        intervals: preserved,
        colour: (row) => `--order-${orderGroup(preserved.orders[row] ?? 0)}`,
        describe: (row) => `order ${preserved.orders[row] ?? 0}, ${rangeText(preserved, row)}`,
      },
      lane('contents', contents, '--c-contents', 'files and reserved memory'),
      lane('own pages', own, '--c-own', 'root, blobs, structs, map'),
      lane('page tables', tables, '--c-tables', 'tables of domains'),
    ];
    const shown = all.filter(({ intervals }) => intervals.starts.length > 0);
    return { shown, ...extent(shown) };
  }, [lanes]);
  const marks = useMemo(() => marksOf(findings), [findings]);
  if (chart.shown.length === 0) return null;
  const jumps = jumpsOf(lanes);
  return (
    <section id="memory" aria-label="Memory map">
      <h2>
        Memory map <small>physical addresses, to scale</small>
      </h2>
      <ScaleChart
        label="Map of physical memory"
        lanes={chart.shown}
        marks={marks}
        start={chart.start}
        end={chart.end}
        go={go}
        onPick={(frame) => onPick(BigInt(frame) << 12n)}
      >
        <select
          aria-label="zoom to"
          onChange={({ currentTarget }) => {
            const jump = jumps[Number(currentTarget.value)];
            if (jump !== undefined) onJump({ start: jump.start, end: jump.end });
            currentTarget.value = '';
          }}
        >
          <option value="">Zoom to …</option>
          {jumps.map(({ title }, index) => (
            <option key={title} value={index}>
              {title}
            </option>
          ))}
        </select>
      </ScaleChart>
      <ul class="legend">
        {preserved.starts.length === 0
          ? null
          : ORDER_GROUPS.map(({ title }, index) => (
              <li key={title}>
                <span class={`swatch order-${index}`} />
                {title}
              </li>
            ))}
        {chart.shown.map(({ title, intervals }) => (
          <li key={title}>
            {title === 'preserved' ? null : <span class={`swatch c-${title.replace(/ .*/, '')}`} />}
            {title}: {formatSize(BigInt(framesIn(intervals)) * 4096n)} in{' '}
            {count(intervals.starts.length, 'run')}
          </li>
        ))}
        {marks.length === 0 ? null : (
          <li>
            <span class="swatch mark" />
            findings
          </li>
        )}
      </ul>
    </section>
  );
}

function lane(title: string, intervals: FrameIntervals, colour: string, what: string): ChartLane {
  return {
    title,
    intervals,
    colour: () => colour,
    describe: (row) => `${what}, ${rangeText(intervals, row)}`,
  };
}

function rangeText({ starts, ends }: FrameIntervals, row: number): string {
  const start = BigInt(starts[row] ?? 0) << 12n;
  return formatRange(start, (BigInt(ends[row] ?? 0) << 12n) - start);
}

/** Where memory begins and ends: of what is known, else of all that is spoken of. */
function extent(lanes: readonly ChartLane[]): { readonly start: number; readonly end: number } {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const { intervals } of lanes) {
    start = Math.min(start, intervals.starts[0] ?? start);
    // Runs of a damaged map may reach beyond later ones.
    for (const each of intervals.ends) end = Math.max(end, each);
  }
  return { start: Math.min(start, end), end };
}

function marksOf(findings: readonly ShownFinding[]): ChartMark[] {
  return findings.flatMap(({ address, severity }) =>
    address === undefined || address >> 52n !== 0n
      ? []
      : [{ frame: Number(address >> 12n), colour: `--${severity}` }],
  );
}

const JUMPS = 12;

function jumpsOf({ scratch, preserved, own, contents }: MemoryLanes): {
  readonly title: string;
  readonly start: number;
  readonly end: number;
}[] {
  const named = (title: string, { starts, ends }: FrameIntervals): ReturnType<typeof jumpsOf> => {
    const largest = Array.from(starts, (start, row) => ({ start, end: ends[row] ?? 0 }));
    if (largest.length > JUMPS) largest.sort((a, b) => b.end - b.start - (a.end - a.start));
    return largest.slice(0, JUMPS).map(({ start, end }) => ({
      title: `${title} ${formatHex(start * 4096)} (${formatSize(BigInt(end - start) * 4096n)})`,
      start,
      end,
    }));
  };
  return [
    ...named('scratch', scratch),
    ...named('preserved', preserved),
    ...named('own pages', own),
    ...named('contents', contents),
  ];
}
