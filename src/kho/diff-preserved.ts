// SPDX-License-Identifier: Apache-2.0
// Preserved memory of two handovers as sets of pages, whatever encodes them and in blocks of whatever size.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { PAGE_SHIFT } from '../image/physical-memory.js';
import { rangeValue } from './compared-value.js';
import type { Handover } from './handover.js';
import type { ChangeSink } from './handover-change.js';
import {
  countPages,
  firstEndingBehind,
  type PageIntervals,
  preservedIntervals,
  reachIntervals,
  subtractIntervals,
} from './page-intervals.js';
import type { ReachKind } from './reach.js';

/** What a handover needs to be read, as against what it is there to preserve. */
const OWN_PAGES: ReadonlySet<ReachKind> = new Set(['root', 'blob', 'struct', 'page', 'table']);
const CONTENTS: ReadonlySet<ReachKind> = new Set(['folio', 'region']);
const NOTHING: PageIntervals = { starts: new Float64Array(), ends: new Float64Array() };
/** Ranges told at most. */
const MAX_RANGES = 10_000;

/**
 * Tells which pages only one of two handovers preserves.
 *
 * @param placement - whether pages that a handover takes for itself count
 */
export function diffPreserved(a: Handover, b: Handover, placement: boolean, sink: ChangeSink): void {
  const [mapA, mapB] = [a.preserved, b.preserved];
  if (mapA === undefined || mapB === undefined) {
    if (mapA !== mapB)
      sink.note(
        'unknown',
        `preserved memory: the ${mapA === undefined ? 'first' : 'second'} has no map that can be read`,
      );
    return;
  }
  const [pagesA, pagesB] = [preservedIntervals(mapA), preservedIntervals(mapB)];
  tellOnlyIn(a, subtractIntervals(pagesA, pagesB), 'removed', placement, sink);
  tellOnlyIn(b, subtractIntervals(pagesB, pagesA), 'added', placement, sink);
}

function tellOnlyIn(
  handover: Handover,
  only: PageIntervals,
  kind: 'added' | 'removed',
  placement: boolean,
  sink: ChangeSink,
): void {
  const own = only.starts.length === 0 ? NOTHING : reachIntervals(handover, OWN_PAGES);
  const told = placement ? only : subtractIntervals(only, own);
  const pages = countPages(only) - countPages(told);
  if (pages > 0)
    sink.note(
      'placement',
      `${pages} pages of its own that only the ${kind === 'added' ? 'second' : 'first'} preserves`,
    );
  if (told.starts.length === 0) return;
  const holders = holdersOf(handover);
  let ranges = 0;
  const tell = (start: number, end: number, holder: string): void => {
    if (++ranges > MAX_RANGES) return;
    const value = rangeValue(BigInt(start) << BigInt(PAGE_SHIFT), BigInt(end - start) << BigInt(PAGE_SHIFT));
    const [before, after] = kind === 'added' ? [undefined, value] : [value, undefined];
    sink.change({ part: 'preserved', kind, of: [holder], field: '', before, after });
  };
  for (let row = 0; row < told.starts.length; row++) {
    const [start, end] = [told.starts[row] ?? 0, told.ends[row] ?? 0];
    for (const part of holders(start, end)) tell(part.start, part.end, part.holder);
  }
  if (ranges > MAX_RANGES)
    sink.note('unknown', `preserved memory: ${ranges - MAX_RANGES} further ranges are not listed`);
}

/** Splits pages by what reaches them: the contents of which file or region, own pages, or nothing. */
function holdersOf(
  handover: Handover,
): (
  start: number,
  end: number,
) => Generator<{ readonly start: number; readonly end: number; readonly holder: string }> {
  const { reach } = handover;
  const files = fileNames(handover);
  const rows = Uint32Array.from({ length: reach.count }, (_, row) => row).sort(
    (x, y) => reach.pfn(x) - reach.pfn(y),
  );
  const starts = Float64Array.from(rows, (row) => reach.pfn(row));
  let reached = 0;
  // Ends made ascending, so that what nests is found, if only as the outer one.
  const ends = Float64Array.from(rows, (row) => {
    reached = Math.max(reached, reach.pfn(row) + reach.pages(row));
    return reached;
  });
  return function* split(start, end) {
    let at = start;
    let open: { start: number; end: number; holder: string } | undefined;
    for (let index = firstEndingBehind({ starts, ends }, start); at < end; index++) {
      const next = index < starts.length ? (starts[index] ?? 0) : Number.POSITIVE_INFINITY;
      const stop = index < ends.length ? (ends[index] ?? 0) : Number.POSITIVE_INFINITY;
      for (const [upto, holder] of [
        [Math.min(next, end), ''],
        [Math.min(stop, end), holderName(handover, files, rows[index])],
      ] as const) {
        if (upto <= at) continue;
        if (open?.holder === holder) open.end = upto;
        else {
          if (open !== undefined) yield open;
          open = { start: at, end: upto, holder };
        }
        at = upto;
      }
    }
    if (open !== undefined) yield open;
  };
}

function holderName(
  { reach }: Handover,
  files: ReadonlyMap<string, string>,
  row: number | undefined,
): string {
  const owner = row === undefined ? undefined : reach.owner(row);
  if (row === undefined || owner === undefined) return '';
  const name = files.get(owner.path) ?? escapeText(owner.path);
  return CONTENTS.has(reach.kind(row)) ? name : `${owner.what} of ${name}`;
}

/** Names of files by the path of their contents. */
function fileNames({ sessions }: Handover): Map<string, string> {
  return new Map(
    sessions.flatMap(({ name, files }) =>
      files.map(
        ({ path, token }) =>
          [`${path}.data`, `session ${escapeText(name)}, file ${formatHex(token)}`] as const,
      ),
    ),
  );
}
