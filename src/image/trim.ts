// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { buildCoreHeaders } from './core-headers.js';
import { ImageError } from './error.js';
import type { MemoryImage } from './open.js';
import { type PageRun, type PageSelection, selectPages } from './page-runs.js';
import { PAGE_SIZE } from './physical-memory.js';

/** What a trimmed core holds, and what of the wanted pages it could not. */
export interface TrimResult extends PageSelection {
  /** Pages written. */
  readonly pages: number;
  /** Size in bytes of the file. */
  readonly fileSize: number;
}

/** Pages copied in one go. */
const COPY_PAGES = 256;

/** e_machine by the names images give their machines; x86-64 where they do not say. */
const MACHINES: Readonly<Record<string, number>> = {
  x86_64: 62,
  i386: 3,
  aarch64: 183,
  arm64: 183,
  riscv: 243,
};
const DEFAULT_MACHINE = 62;

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

function writePages(fd: number, image: MemoryImage, runs: readonly PageRun[]): void {
  for (const { pfn, count } of runs) {
    for (let at = pfn; at < pfn + count; at += COPY_PAGES) {
      const pages = Math.min(COPY_PAGES, pfn + count - at);
      writeFully(fd, image.read(BigInt(at) * BigInt(PAGE_SIZE), pages * PAGE_SIZE));
    }
  }
}

/**
 * Writes chosen pages of an image as an ELF64 core: one PT_LOAD for each run of pages, `p_paddr` their physical
 * address (and `p_vaddr` the same, as QEMU writes it), the image's CPU notes copied. Nothing else of the image goes
 * into the file. It is written beside its final place and renamed, so that `path` never holds half a core.
 *
 * @param wanted page frames in any order; wanted pages that are not in the image are left out and counted
 * @throws ImageError ABSENT or EXCLUDED when none of the wanted pages are there; what reading them throws; IO
 */
export function trimImage(image: MemoryImage, path: string, wanted: Iterable<PageRun>): TrimResult {
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
  const headers = buildCoreHeaders(present, image.notes(), MACHINES[image.machine ?? ''] ?? DEFAULT_MACHINE);
  const pages = present.reduce((sum, { count }) => sum + count, 0);
  const temporary = `${path}.${process.pid}.part`;
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeFully(fd, headers);
      writePages(fd, image, present);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof ImageError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ImageError({ code: 'IO', message: `cannot write: ${message}` }, { cause: error });
  }
  return { ...selection, pages, fileSize: headers.length + pages * PAGE_SIZE };
}
