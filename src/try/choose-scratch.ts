// SPDX-License-Identifier: Apache-2.0
// Which memory a kernel may boot in when nobody says, or when what is said has no room.
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { withoutRuns } from '../kho/free-pages.js';
import type { MemorySpan } from '../kho/handover-description.js';
import { type GuestRam, usableRam } from './guest-ram.js';

/** Linux 7.3 wants regions of whole blocks of the largest order: 4 MiB. */
const BLOCK = 1024;
const ENOUGH = (128 << 20) / PAGE_SIZE;
const MOST_REGIONS = 8;
const LOWEST = (16 << 20) / PAGE_SIZE;
const FOUR_GIB = 2 ** 32 / PAGE_SIZE;

/**
 * Regions of memory that nobody has, largest first, until there are 128 MiB.
 *
 * @param taken - pages that somebody has, in any order
 */
export function freeScratch(ram: GuestRam, taken: Iterable<PageRun>): MemorySpan[] {
  const below = usableRam(ram).filter(({ pfn }) => pfn < FOUR_GIB);
  const free = withoutRuns(below, [{ pfn: 0, count: LOWEST }, ...taken]);
  const regions: MemorySpan[] = [];
  let pages = 0;
  const whole = free.map(({ pfn, count }) => {
    const start = Math.ceil(pfn / BLOCK) * BLOCK;
    return { start, count: Math.floor((pfn + count - start) / BLOCK) * BLOCK };
  });
  for (const { start, count } of whole.sort((a, b) => b.count - a.count).slice(0, MOST_REGIONS)) {
    if (count <= 0 || pages >= ENOUGH) break;
    const used = Math.min(count, ENOUGH);
    pages += used;
    regions.push({ start: BigInt(start) * BigInt(PAGE_SIZE), size: BigInt(used) * BigInt(PAGE_SIZE) });
  }
  return regions;
}

/** The page frames that regions of memory touch; none for those that no machine tried here has. */
export function pagesOfSpans(spans: readonly MemorySpan[]): PageRun[] {
  return mergeRuns(
    spans
      .filter(({ start, size }) => start + size < MAX_ADDRESS)
      .map(({ start, size }) => {
        const pfn = Number(start / BigInt(PAGE_SIZE));
        return { pfn, count: Number((start + size + BigInt(PAGE_SIZE - 1)) / BigInt(PAGE_SIZE)) - pfn };
      }),
  );
}

/** Entries of a damaged array may be anywhere. */
const MAX_ADDRESS = 1n << 36n;
