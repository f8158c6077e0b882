// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
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

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const PN_XNUM = 0xffff;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_R = 4;
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

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** All headers of an ELF64 core: file header, program headers, section header 0 when needed, notes; page-aligned. */
function buildHeaders(runs: readonly PageRun[], notes: Uint8Array, machine: number): Uint8Array {
  const segments = runs.length + (notes.length > 0 ? 1 : 0);
  const extended = segments >= PN_XNUM;
  const shoff = EHDR_SIZE + segments * PHDR_SIZE;
  const noteOffset = shoff + (extended ? SHDR_SIZE : 0);
  const size = alignUp(noteOffset + notes.length, PAGE_SIZE);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  // e_ident: magic, 64-bit, little-endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_CORE, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  u64(32, EHDR_SIZE);
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(54, PHDR_SIZE, true);
  view.setUint16(56, extended ? PN_XNUM : segments, true);
  view.setUint16(58, SHDR_SIZE, true);
  if (extended) {
    // More segments than e_phnum can count: section header 0 has the number in sh_info.
    u64(40, shoff);
    view.setUint16(60, 1, true);
    view.setUint32(shoff + 44, segments, true);
  }
  let at = EHDR_SIZE;
  const segment = (
    type: number,
    flags: number,
    offset: number,
    pa: number,
    length: number,
    align: number,
  ): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    u64(at + 8, offset);
    u64(at + 16, pa);
    u64(at + 24, pa);
    u64(at + 32, length);
    u64(at + 40, length);
    u64(at + 48, align);
    at += PHDR_SIZE;
  };
  if (notes.length > 0) segment(PT_NOTE, 0, noteOffset, 0, notes.length, 4);
  bytes.set(notes, noteOffset);
  let offset = size;
  for (const { pfn, count } of runs) {
    segment(PT_LOAD, PF_R, offset, pfn * PAGE_SIZE, count * PAGE_SIZE, PAGE_SIZE);
    offset += count * PAGE_SIZE;
  }
  return bytes;
}

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
  const headers = buildHeaders(present, image.notes(), MACHINES[image.machine ?? ''] ?? DEFAULT_MACHINE);
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
