// SPDX-License-Identifier: Apache-2.0
import { ImageError } from './error.js';
import type { MemoryImage } from './open.js';
import { otherPages, type PageRun, type PageSelection, selectPages } from './page-runs.js';
import { writeCore } from './write-core.js';

/** What a trimmed core holds, and what of the wanted pages it could not. */
export interface TrimResult extends PageSelection {
  /** Pages written. */
  readonly pages: number;
  /** Size in bytes of the file. */
  readonly fileSize: number;
}

/**
 * Writes chosen pages of an image as an ELF64 core ({@link writeCore}), the image's CPU notes copied. Nothing else of
 * the image goes into the file.
 *
 * @param wanted page frames in any order; wanted pages that are not in the image are left out and counted
 * @param keepMap whether the file says of which other memory the image knows; default false
 * @throws ImageError ABSENT or EXCLUDED when none of the wanted pages are there; what reading them throws; IO
 */
export function trimImage(
  image: MemoryImage,
  path: string,
  wanted: Iterable<PageRun>,
  keepMap = false,
): TrimResult {
  image.recheck();
  const selection = selectPages(wanted, image.ranges());
  const { present } = selection;
  if (present.length === 0) {
    throw new ImageError({
      code: selection.excluded > 0 ? 'EXCLUDED' : 'ABSENT',
      message: 'none of the wanted pages are in the image',
      address: selection.firstMissing,
    });
  }
  const pages = present.reduce((sum, { count }) => sum + count, 0);
  const fileSize = writeCore(image, path, present, {
    notes: image.notes(),
    machine: image.machine,
    excluded: keepMap ? otherPages(present, image.ranges()) : [],
  });
  return { ...selection, pages, fileSize };
}
