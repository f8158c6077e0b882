// SPDX-License-Identifier: Apache-2.0
import type { ImageMemory } from './image-memory.js';
import { PAGE_SIZE } from './physical-memory.js';

/** What the wanted pages have in common: a little-endian u32 at a byte offset, of any alignment. */
export interface PagePattern {
  /** Byte offset in the page, 0 to 4092. */
  readonly offset: number;
  readonly value: number;
}

/** A page that carries a pattern. */
export interface PageHit {
  readonly pfn: number;
  /** Index of the pattern. */
  readonly pattern: number;
}

/** Told now and then how many of the image's pages have been seen. */
export type ScanProgress = (done: number, total: number) => void;

/** Pages between two reports of progress: 64 MiB. */
const REPORT_PAGES = 0x4000;

/**
 * Looks through every whole page of an image for patterns. Candidates only: whoever asks must look at them.
 *
 * @returns the pages, by ascending address
 * @throws ImageError TRUNCATED, BAD_DATA or IO where the image cannot be read
 */
export function scanPages(
  image: Pick<ImageMemory, 'stream' | 'counts'>,
  patterns: readonly PagePattern[],
  progress?: ScanProgress,
): PageHit[] {
  const hits: PageHit[] = [];
  const total = progress === undefined ? 0 : image.counts().present;
  let done = 0;
  let reported = 0;
  image.stream((first, bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
      for (let pattern = 0; pattern < patterns.length; pattern++) {
        const wanted = patterns[pattern];
        if (wanted !== undefined && view.getUint32(at + wanted.offset, true) === wanted.value) {
          hits.push({ pfn: first + at / PAGE_SIZE, pattern });
        }
      }
    }
    done += bytes.length / PAGE_SIZE;
    if (progress !== undefined && done - reported >= REPORT_PAGES) {
      reported = done;
      progress(done, total);
    }
    return true;
  });
  progress?.(done, total);
  return hits;
}
