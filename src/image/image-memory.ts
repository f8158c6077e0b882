// SPDX-License-Identifier: Apache-2.0
import type { PhysicalMemory } from './physical-memory.js';

/** How many whole pages an image holds, and how many it knows to have been left out. */
export interface PageCounts {
  readonly present: number;
  readonly excluded: number;
}

/**
 * Sees whole pages in a row: `bytes.length / 4096` of them from page frame `pfn`. `bytes` is overwritten afterwards.
 * Returning false ends the walk.
 */
export type PageVisitor = (pfn: number, bytes: Uint8Array) => boolean;

/** What a format makes of a file: physical memory, and all of it in one go. */
export interface ImageMemory extends PhysicalMemory {
  /** Whole pages held, and pages left out by the dumper. */
  counts(): PageCounts;
  /**
   * Shows every whole page the image holds, by ascending address, read in long stretches and not through a mapping.
   *
   * @throws ImageError TRUNCATED, BAD_DATA or IO, with the physical address
   */
  stream(visit: PageVisitor): void;
}
