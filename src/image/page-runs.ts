// SPDX-License-Identifier: Apache-2.0
import { ADDRESS_LIMIT } from './address.js';
import { ImageError } from './error.js';
import { type MemoryRange, PAGE_SHIFT, PAGE_SIZE } from './physical-memory.js';

/** Consecutive page frames. */
export interface PageRun {
  readonly pfn: number;
  readonly count: number;
}

/**
 * Page runs by ascending address, without overlaps or touching neighbours.
 *
 * @throws ImageError BAD_ARGUMENT for a run that is not one of whole page frames below 2^52 bytes
 */
export function mergeRuns(runs: Iterable<PageRun>): PageRun[] {
  const sorted: PageRun[] = [];
  for (const run of runs) {
    const valid = Number.isSafeInteger(run.pfn) && Number.isSafeInteger(run.count) && run.pfn >= 0;
    if (!valid || run.count < 0 || (run.pfn + run.count) * PAGE_SIZE > ADDRESS_LIMIT) {
      throw new ImageError({
        code: 'BAD_ARGUMENT',
        message: `${run.count} pages from page frame ${run.pfn} are not a run of physical pages`,
      });
    }
    if (run.count > 0) sorted.push(run);
  }
  sorted.sort((a, b) => a.pfn - b.pfn);
  const merged: { pfn: number; count: number }[] = [];
  for (const { pfn, count } of sorted) {
    const last = merged[merged.length - 1];
    if (last !== undefined && pfn <= last.pfn + last.count) {
      last.count = Math.max(last.count, pfn + count - last.pfn);
    } else {
      merged.push({ pfn, count });
    }
  }
  return merged;
}

/** Which of the wanted pages there are. */
export interface PageSelection {
  /** Pages that are there, as merged runs. */
  readonly present: readonly PageRun[];
  /** How many wanted pages the dumper left out. */
  readonly excluded: number;
  /** How many wanted pages the image says nothing about. */
  readonly absent: number;
  /** Physical address of the first wanted page that is not there. */
  readonly firstMissing: bigint | undefined;
}

/** The whole pages within a range of bytes. */
function wholePages(range: MemoryRange): PageRun {
  const mask = BigInt(PAGE_SIZE - 1);
  const pfn = Number((range.start + mask) >> BigInt(PAGE_SHIFT));
  return { pfn, count: Math.max(0, Number(range.end >> BigInt(PAGE_SHIFT)) - pfn) };
}

/** Where `runs`, merged, and `ranges`, ascending, have pages in common. */
function* intersect(
  runs: readonly PageRun[],
  ranges: Iterable<MemoryRange>,
): Generator<PageRun & { readonly state: MemoryRange['state'] }> {
  let index = 0;
  for (const range of ranges) {
    const { pfn, count } = wholePages(range);
    const end = pfn + count;
    for (let run = runs[index]; run !== undefined && run.pfn < end; run = runs[index]) {
      const start = Math.max(pfn, run.pfn);
      const stop = Math.min(end, run.pfn + run.count);
      if (stop > start) yield { pfn: start, count: stop - start, state: range.state };
      if (run.pfn + run.count > end) break;
      index++;
    }
  }
}

/** Looks up wanted pages in an image's ranges, without touching a page. */
export function selectPages(wanted: Iterable<PageRun>, ranges: Iterable<MemoryRange>): PageSelection {
  const runs = mergeRuns(wanted);
  const present: PageRun[] = [];
  let excluded = 0;
  let held = 0;
  for (const { pfn, count, state } of intersect(runs, ranges)) {
    if (state === 'excluded') {
      excluded += count;
    } else {
      present.push({ pfn, count });
      held += count;
    }
  }
  const total = runs.reduce((sum, { count }) => sum + count, 0);
  return {
    present: mergeRuns(present),
    excluded,
    absent: total - held - excluded,
    firstMissing: firstMissing(runs, mergeRuns(present)),
  };
}

/** The whole pages of an image's ranges that are not among `runs`, which are merged. */
export function otherPages(runs: readonly PageRun[], ranges: Iterable<MemoryRange>): PageRun[] {
  const all = mergeRuns(mapRuns(ranges));
  const others: PageRun[] = [];
  let index = 0;
  for (const { pfn, count } of all) {
    let at = pfn;
    for (let run = runs[index]; run !== undefined && run.pfn < pfn + count; run = runs[++index]) {
      if (run.pfn > at) others.push({ pfn: at, count: run.pfn - at });
      at = Math.max(at, run.pfn + run.count);
      if (at >= pfn + count) break;
    }
    if (at < pfn + count) others.push({ pfn: at, count: pfn + count - at });
  }
  return others;
}

function* mapRuns(ranges: Iterable<MemoryRange>): Generator<PageRun> {
  for (const range of ranges) yield wholePages(range);
}

function firstMissing(wanted: readonly PageRun[], present: readonly PageRun[]): bigint | undefined {
  let index = 0;
  for (const { pfn, count } of wanted) {
    for (let at = pfn; at < pfn + count; index++) {
      const run = present[index];
      if (run === undefined || run.pfn > at) return BigInt(at) << BigInt(PAGE_SHIFT);
      at = run.pfn + run.count;
    }
  }
  return undefined;
}
