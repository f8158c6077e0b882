// SPDX-License-Identifier: Apache-2.0
// Where new metadata may go in the memory of a machine of which an image shows only a part.
import type { PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT } from '../image/physical-memory.js';
import type { BlockSet } from './block-set.js';
import type { ScratchRegion } from './debugfs-folder.js';
import { FreePages, withoutRuns } from './free-pages.js';

/** Page frames of a pageblock; scratch regions are made of whole ones, of 2 MiB or 4 MiB on x86-64. */
const BLOCK = 512;
/** Firmware's first MiB. */
const LOW: PageRun = { pfn: 0, count: 256 };

/**
 * Free pages for metadata: those given, else those that share an aligned 2 MiB with a preserved page. Since preserved
 * memory never lies in scratch, and scratch regions are whole pageblocks, such a page is not in scratch either, even
 * where the regions are not known.
 *
 * @param preserved all that is preserved, and `taken`, what else must not be written to
 */
export function roomFor(
  preserved: BlockSet,
  scratch: readonly ScratchRegion[],
  taken: readonly PageRun[],
  given: readonly PageRun[] | undefined,
): FreePages {
  const runs = preserved.pageRuns();
  const inScratch = scratch.map(({ address, size }) => ({
    pfn: Number(address >> BigInt(PAGE_SHIFT)),
    count: Number((size + 0xfffn) >> BigInt(PAGE_SHIFT)),
  }));
  const near = runs.map(({ pfn, count }) => {
    const start = Math.floor(pfn / BLOCK) * BLOCK;
    return { pfn: start, count: Math.ceil((pfn + count) / BLOCK) * BLOCK - start };
  });
  return new FreePages(withoutRuns(given ?? near, [...runs, ...inScratch, ...taken, LOW]));
}
