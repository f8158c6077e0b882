// SPDX-License-Identifier: Apache-2.0
import type { PageRun } from './page-runs.js';
import { PAGE_SIZE } from './physical-memory.js';

const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const PN_XNUM = 0xffff;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_R = 4;

/** e_machine by the names images give their machines; x86-64 where they do not say. */
const MACHINES: ReadonlyMap<string, number> = new Map([
  ['x86_64', 62],
  ['i386', 3],
  ['aarch64', 183],
  ['arm64', 183],
  ['riscv', 243],
]);
const DEFAULT_MACHINE = 62;

/** e_machine of a machine by the name that images give it; x86-64 where they do not say. */
export function machineNumber(name: string | undefined): number {
  return MACHINES.get(name ?? '') ?? DEFAULT_MACHINE;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/**
 * All that comes before the pages in an ELF64 core: file header, program headers (a PT_NOTE for the notes, a PT_LOAD
 * for each run, whose pages follow in the same order), section header 0 when there are too many, and the notes.
 *
 * @param machine e_machine
 * @param excluded memory that is known of and whose contents are left out: a PT_LOAD without bytes for each run
 * @returns a multiple of 4096 bytes
 */
export function buildCoreHeaders(
  runs: readonly PageRun[],
  notes: Uint8Array,
  machine: number,
  excluded: readonly PageRun[] = [],
): Uint8Array {
  const segments = runs.length + excluded.length + (notes.length > 0 ? 1 : 0);
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
    memoryLength = length,
  ): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    u64(at + 8, offset);
    u64(at + 16, pa);
    u64(at + 24, pa);
    u64(at + 32, length);
    u64(at + 40, memoryLength);
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
  for (const { pfn, count } of excluded)
    segment(PT_LOAD, PF_R, offset, pfn * PAGE_SIZE, 0, PAGE_SIZE, count * PAGE_SIZE);
  return bytes;
}
