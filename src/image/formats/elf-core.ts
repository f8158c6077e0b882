// SPDX-License-Identifier: Apache-2.0
// ELF64 cores, memory-images.md section 2: QEMU dump-guest-memory, /proc/vmcore, /proc/kcore, makedumpfile -E.
import { ADDRESS_LIMIT } from '../address.js';
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { FixedHeader, fileOffset } from '../fixed-header.js';
import { SegmentedMemory } from '../segmented-memory.js';
import { SegmentBuilder } from '../segments.js';
import type { FormatContext, OpenedFormat } from './format.js';

const ELF_HEADER = new FixedHeader('ELF header', 64, 'little', {
  ei_class: [4, 'uint8'],
  ei_data: [5, 'uint8'],
  e_type: [16, 'uint16'],
  e_machine: [18, 'uint16'],
  e_phoff: [32, 'uint64'],
  e_shoff: [40, 'uint64'],
  e_phentsize: [54, 'uint16'],
  e_phnum: [56, 'uint16'],
});

const PROGRAM_HEADER = new FixedHeader('ELF program header', 56, 'little', {
  p_type: [0, 'uint32'],
  p_offset: [8, 'uint64'],
  p_paddr: [24, 'uint64'],
  p_filesz: [32, 'uint64'],
  p_memsz: [40, 'uint64'],
});

const SECTION_HEADER = new FixedHeader('ELF section header 0', 64, 'little', { sh_info: [44, 'uint32'] });

const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** This value of e_phnum says that the count did not fit and stands in section header 0. */
const PN_XNUM = 0xffff;
/** 2^20 segments are 56 MiB of program headers; the kernel's own limit for a dump is far below. */
const MAX_SEGMENTS = 1 << 20;
const MAX_NOTES = 0x400_0000;

/** Names of e_machine values; QEMU writes EM_386 into 64-bit cores of guests outside of long mode. */
const MACHINES: Readonly<Record<number, string>> = { 3: 'i386', 62: 'x86_64', 183: 'aarch64', 243: 'riscv' };

function countSegments(source: ByteSource, e_phnum: number, e_shoff: bigint): number {
  if (e_phnum !== PN_XNUM) return e_phnum;
  return SECTION_HEADER.read(source, fileOffset(e_shoff, 'e_shoff', 40)).sh_info;
}

/** @throws ImageError UNSUPPORTED for 32-bit and big-endian files and other kinds of ELF; BAD_HEADER, TRUNCATED */
export function openElfCore(source: ByteSource, context: FormatContext): OpenedFormat {
  const ident = source.view(0, Math.min(6, source.size));
  const refuse = (message: string, offset: number): ImageError =>
    new ImageError({ code: 'UNSUPPORTED', message, offset });
  if (ident[4] === 1) throw refuse('32-bit ELF files are not supported, only ELF64 cores', 4);
  if (ident[5] === 2) throw refuse('big-endian ELF files are not supported, only little-endian cores', 5);
  const header = ELF_HEADER.read(source, 0);
  if (header.ei_class !== ELFCLASS64 || header.ei_data !== ELFDATA2LSB) {
    throw new ImageError({
      code: 'BAD_HEADER',
      message: `ELF class ${header.ei_class} and data encoding ${header.ei_data} do not exist`,
      offset: 4,
    });
  }
  if (header.e_type !== ET_CORE) {
    throw refuse(`ELF type ${header.e_type} is not a memory image, expected a core (4)`, 16);
  }
  const count = countSegments(source, header.e_phnum, header.e_shoff);
  const phoff = fileOffset(header.e_phoff, 'e_phoff', 32);
  if (count > 0 && header.e_phentsize !== PROGRAM_HEADER.size) {
    throw new ImageError({
      code: 'BAD_HEADER',
      message: `e_phentsize is ${header.e_phentsize}, expected 56`,
      offset: 54,
    });
  }
  if (phoff + count * PROGRAM_HEADER.size > source.size) {
    throw new ImageError({
      code: 'TRUNCATED',
      message: `${count} program headers at offset ${phoff} reach past the end of the file`,
      offset: 56,
    });
  }
  if (count > MAX_SEGMENTS) {
    throw new ImageError({
      code: 'LIMIT',
      message: `${count} program headers, at most ${MAX_SEGMENTS} are read`,
      offset: 56,
    });
  }
  return readSegments(
    source,
    phoff,
    count,
    MACHINES[header.e_machine] ?? `machine ${header.e_machine}`,
    context,
  );
}

function readSegments(
  source: ByteSource,
  phoff: number,
  count: number,
  machine: string,
  context: FormatContext,
): OpenedFormat {
  const segments = new SegmentBuilder(source, context.truncated, context.remark);
  const notes: { offset: number; length: number }[] = [];
  let noteBytes = 0;
  let loads = 0;
  let unaddressed = 0;
  for (let index = 0; index < count; index++) {
    const at = phoff + index * PROGRAM_HEADER.size;
    const { p_type, p_offset, p_paddr, p_filesz, p_memsz } = PROGRAM_HEADER.read(source, at);
    if (p_type === PT_NOTE && p_filesz > 0n) {
      const offset = fileOffset(p_offset, 'p_offset', at + 8);
      const length = fileOffset(p_filesz, 'p_filesz', at + 32);
      if (offset + length > source.size && context.truncated === 'refuse') {
        throw new ImageError({
          code: 'TRUNCATED',
          message: 'the notes reach past the end of the file',
          offset: at,
        });
      }
      noteBytes += length;
      if (offset + length <= source.size && noteBytes <= MAX_NOTES) notes.push({ offset, length });
    }
    if (p_type !== PT_LOAD) continue;
    loads++;
    // -1 marks a virtual mapping without a physical address (/proc/kcore, QEMU with paging).
    if (p_paddr >= BigInt(ADDRESS_LIMIT)) {
      unaddressed++;
      continue;
    }
    segments.present(p_paddr, p_offset, p_filesz, at);
    if (p_memsz > p_filesz) segments.excluded(p_paddr + p_filesz, p_memsz - p_filesz, at);
  }
  return {
    format: 'elf-core',
    machine,
    memory: new SegmentedMemory(source, segments.build()),
    notes: () => joinNotes(source, notes),
    facts: {
      'load segments': loads,
      ...(unaddressed > 0 ? { 'without physical address': unaddressed } : {}),
    },
  };
}

/** All notes one after another; PT_NOTE segments start on 4-byte boundaries, so each is padded to one. */
function joinNotes(source: ByteSource, notes: readonly { offset: number; length: number }[]): Uint8Array {
  const padded = (length: number): number => Math.ceil(length / 4) * 4;
  const joined = new Uint8Array(notes.reduce((sum, { length }) => sum + padded(length), 0));
  let at = 0;
  for (const { offset, length } of notes) {
    source.readInto(offset, joined.subarray(at, at + length));
    at += padded(length);
  }
  return joined;
}
