// SPDX-License-Identifier: Apache-2.0
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';

/** The whole pages that a memory holds, as runs that `writeCore` takes. */
export function heldPages(memory: PhysicalMemory): PageRun[] {
  const runs: PageRun[] = [];
  for (const { start, end, state } of memory.ranges()) {
    const pfn = Number((start + BigInt(PAGE_SIZE - 1)) >> BigInt(PAGE_SHIFT));
    if (state === 'present') runs.push({ pfn, count: Number(end >> BigInt(PAGE_SHIFT)) - pfn });
  }
  return mergeRuns(runs.filter(({ count }) => count > 0));
}
