// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { buildCoreHeaders } from './core-headers.js';
import { ImageError } from './error.js';
import type { MemoryImage } from './open.js';
import { type PageRun, type PageSelection, selectPages } from './page-runs.js';
import { PAGE_SIZE, type PhysicalMemory } from './physical-memory.js';

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

/** What of an image goes into a core besides its pages. */
export interface CoreOptions {
  /** PT_NOTE contents; default none. */
  readonly notes?: Uint8Array;
  /** Name of the machine as images give it; default x86_64. */
  readonly machine?: string | undefined;
}

/**
 * Writes pages of a memory as an ELF64 core: one PT_LOAD for each run of pages, `p_paddr` their physical address (and
 * `p_vaddr` the same, as QEMU writes it). It is written beside its final place and renamed, so that `path` never holds
 * half a core.
 *
 * @param runs pages that the memory holds, by ascending address, as {@link mergeRuns} gives them
 * @returns size of the file in bytes
 * @throws ImageError what reading the pages throws; IO
 */
export function writeCore(
  memory: PhysicalMemory,
  path: string,
  runs: readonly PageRun[],
  options: CoreOptions = {},
): number {
  const { notes = new Uint8Array(0), machine = '' } = options;
  const headers = buildCoreHeaders(runs, notes, MACHINES[machine] ?? DEFAULT_MACHINE);
  const temporary = `${path}.${process.pid}.part`;
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeFully(fd, headers);
      writePages(fd, memory, runs);
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
  return headers.length + runs.reduce((sum, { count }) => sum + count, 0) * PAGE_SIZE;
}

function writePages(fd: number, memory: PhysicalMemory, runs: readonly PageRun[]): void {
  for (const { pfn, count } of runs) {
    for (let at = pfn; at < pfn + count; at += COPY_PAGES) {
      const pages = Math.min(COPY_PAGES, pfn + count - at);
      writeFully(fd, memory.read(BigInt(at) * BigInt(PAGE_SIZE), pages * PAGE_SIZE));
    }
  }
}

/**
 * Writes chosen pages of an image as an ELF64 core ({@link writeCore}), the image's CPU notes copied. Nothing else of
 * the image goes into the file.
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
  const pages = present.reduce((sum, { count }) => sum + count, 0);
  const fileSize = writeCore(image, path, present, { notes: image.notes(), machine: image.machine });
  return { ...selection, pages, fileSize };
}
