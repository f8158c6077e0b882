// SPDX-License-Identifier: Apache-2.0
import { firstWhere } from '../bytes/first-where.js';
import { NumberColumn } from '../bytes/number-column.js';
import type { Handover } from './handover.js';
import type { PreservedMap } from './preserved.js';
import { Reach, type ReachKind } from './reach.js';

/** Disjoint intervals of page frames by ascending start; `ends` are behind the last page. Columns of equal length. */
export interface PageIntervals {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** The page frames that a map preserves, touching blocks joined. */
export function preservedIntervals(map: PreservedMap): PageIntervals {
  const starts = new NumberColumn();
  const ends = new NumberColumn();
  for (let run = 0; run < map.count; run++) {
    const last = ends.length - 1;
    if (last >= 0 && map.start(run) <= ends.at(last)) ends.replaceLast(Math.max(ends.at(last), map.end(run)));
    else {
      starts.push(map.start(run));
      ends.push(map.end(run));
    }
  }
  return { starts: starts.toArray(), ends: ends.toArray() };
}

/**
 * The page frames that a handover reaches as one of `kinds`, and the rest of preserved blocks that they begin or end in:
 * a struct of a few pages may lie in a larger block.
 */
export function reachIntervals(
  { reach, preserved }: Pick<Handover, 'reach' | 'preserved'>,
  kinds: ReadonlySet<ReachKind>,
): PageIntervals {
  const chosen = new Reach();
  const owner = { path: '', what: '', pointer: () => undefined };
  for (let run = 0; run < reach.count; run++) {
    const kind = reach.kind(run);
    if (!kinds.has(kind)) continue;
    const [pfn, pages] = [reach.pfn(run), reach.pages(run)];
    const first = preserved?.find(pfn);
    const last = preserved?.find(pfn + pages - 1);
    const start = first?.start ?? pfn;
    const end = last === undefined ? pfn + pages : last.start + 2 ** last.order;
    chosen.add(start, end - start, kind, owner);
  }
  return chosen.union();
}

/** What of `a` is not in `b`. */
export function subtractIntervals(a: PageIntervals, b: PageIntervals): PageIntervals {
  const starts = new NumberColumn();
  const ends = new NumberColumn();
  let other = 0;
  for (let row = 0; row < a.starts.length; row++) {
    const end = a.ends[row] ?? 0;
    let at = a.starts[row] ?? 0;
    while (other < b.starts.length && (b.ends[other] ?? 0) <= at) other++;
    for (let index = other; at < end; index++) {
      const start = index < b.starts.length ? (b.starts[index] ?? 0) : Number.POSITIVE_INFINITY;
      if (start > at) {
        starts.push(at);
        ends.push(Math.min(start, end));
      }
      if (start >= end) break;
      at = Math.max(at, b.ends[index] ?? 0);
      other = index;
    }
  }
  return { starts: starts.toArray(), ends: ends.toArray() };
}

/** How many pages intervals have together. */
export function countPages({ starts, ends }: PageIntervals): number {
  let pages = 0;
  for (let row = 0; row < starts.length; row++) pages += (ends[row] ?? 0) - (starts[row] ?? 0);
  return pages;
}

/** The first interval that ends behind `pfn`; the number of intervals where none does. */
export function firstEndingBehind({ ends }: PageIntervals, pfn: number): number {
  return firstWhere(0, ends.length, (index) => (ends[index] ?? 0) > pfn);
}
