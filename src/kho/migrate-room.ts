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

/** What is known of a machine's memory. */
export interface KnownMemory {
  /** All memory, by boot_params; empty where they are not at hand. */
  readonly ram: readonly PageRun[];
  /** `undefined` where they are not known. */
  readonly scratch: readonly ScratchRegion[] | undefined;
  /** What is not to be written to, besides what is preserved. */
  readonly taken: readonly PageRun[];
}

/**
 * Free pages for metadata: those given; else all RAM outside scratch, where boot data say both; else pages that share an
 * aligned 2 MiB with a preserved one. Since preserved memory never lies in scratch, and scratch regions are whole
 * pageblocks, such a page is not in scratch either, even where the regions are not known.
 */
export function roomFor(
  preserved: BlockSet,
  { ram, scratch, taken }: KnownMemory,
  given: readonly PageRun[] | undefined,
): FreePages {
  const runs = preserved.pageRuns();
  const inScratch = (scratch ?? []).map(({ address, size }) => ({
    pfn: Number(address >> BigInt(PAGE_SHIFT)),
    count: Number((size + 0xfffn) >> BigInt(PAGE_SHIFT)),
  }));
  const known = ram.length > 0 && scratch !== undefined ? ram : runs.map(blocksAround);
  return new FreePages(withoutRuns(given ?? known, [...runs, ...inScratch, ...taken, LOW]));
}

function blocksAround({ pfn, count }: PageRun): PageRun {
  const start = Math.floor(pfn / BLOCK) * BLOCK;
  return { pfn: start, count: Math.ceil((pfn + count) / BLOCK) * BLOCK - start };
}
