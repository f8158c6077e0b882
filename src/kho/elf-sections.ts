// SPDX-License-Identifier: Apache-2.0
// Named sections of an ELF64 file (System V gABI, "Sections"): enough to ask a vmlinux what it says of itself.
import { type Issue, KhoError } from '../bytes/issue.js';
import { decodeLatin1 } from '../bytes/latin1.js';

/** What can be wrong with an ELF file as far as its sections go. */
export type ElfErrorCode = 'NOT_ELF' | 'BAD_SECTION_TABLE';

/** Thrown for a file that is no ELF64 file, or whose section table does not fit it. */
export class ElfError extends KhoError<ElfErrorCode> {
  declare readonly issue: Issue<ElfErrorCode>;
}

/** Reads `length` bytes at `offset` of a file; fewer only at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

const HEADER = 64;
const SECTION_HEADER = 64;
const SHT_NOBITS = 8;
const SHN_XINDEX = 0xffff;
/** A section of a kernel built with a section a function has some ten thousand of them. */
const MAX_SECTIONS = 1 << 20;
const MAX_NAMES = 1 << 26;

interface Section {
  readonly name: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Whether bytes begin as an ELF file does. */
export function looksLikeElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * The contents of sections by name; of two sections of one name the first.
 *
 * @param read - gives bytes of the file
 * @param fileSize - in bytes
 * @param wanted - names, each with the most bytes that are read of it
 * @throws ElfError NOT_ELF for anything but ELF64, BAD_SECTION_TABLE where headers or names lie outside the file
 */
export function readElfSections(
  read: ReadAt,
  fileSize: number,
  wanted: ReadonlyMap<string, number>,
): ReadonlyMap<string, Uint8Array> {
  const header = read(0, HEADER);
  if (!looksLikeElf(header)) throw fail('NOT_ELF', 0, 'expected an ELF file, found another magic number');
  if (header.length < HEADER || header[4] !== 2)
    throw fail('NOT_ELF', 4, 'expected ELF64, found another class or a truncated header');
  const little = header[5] === 1;
  const view = viewOf(header);
  const at = Number(view.getBigUint64(40, little));
  const entrySize = view.getUint16(58, little);
  if (at === 0) return new Map();
  if (entrySize < SECTION_HEADER)
    throw fail('BAD_SECTION_TABLE', 58, `section headers of ${entrySize} bytes`);
  const section = (index: number): Section => {
    const offset = at + index * entrySize;
    if (!(offset + SECTION_HEADER <= fileSize))
      throw fail('BAD_SECTION_TABLE', offset, `section header ${index} lies outside the file`);
    return parseSection(read(offset, SECTION_HEADER), little, offset);
  };
  // Numbers that do not fit the header stand in the first section header.
  const declared = view.getUint16(60, little);
  const nameIndex = view.getUint16(62, little);
  const first = declared === 0 || nameIndex === SHN_XINDEX ? section(0) : undefined;
  const count = declared === 0 ? (first?.size ?? 0) : declared;
  if (count > MAX_SECTIONS || !(at + count * entrySize <= fileSize))
    throw fail('BAD_SECTION_TABLE', at, `${count} section headers do not fit the file`);
  const index = nameIndex === SHN_XINDEX ? (first?.link ?? 0) : nameIndex;
  if (index >= count) throw fail('BAD_SECTION_TABLE', 62, `names in section ${index} of ${count}`);
  const names = contents(read, section(index), fileSize, MAX_NAMES);

  const table = read(at, count * entrySize);
  const found = new Map<string, Uint8Array>();
  for (let each = 0; each < count; each++) {
    const headerBytes = table.subarray(each * entrySize, each * entrySize + SECTION_HEADER);
    const parsed = parseSection(headerBytes, little, at + each * entrySize);
    const name = nameAt(names, parsed.name, wanted);
    const most = name === undefined ? undefined : wanted.get(name);
    if (name === undefined || most === undefined || found.has(name) || parsed.type === SHT_NOBITS) continue;
    found.set(name, contents(read, parsed, fileSize, most));
  }
  return found;
}

function parseSection(bytes: Uint8Array, little: boolean, at: number): Section {
  if (bytes.length < SECTION_HEADER) throw fail('BAD_SECTION_TABLE', at, 'a truncated section header');
  const view = viewOf(bytes);
  return {
    name: view.getUint32(0, little),
    type: view.getUint32(4, little),
    offset: Number(view.getBigUint64(24, little)),
    size: Number(view.getBigUint64(32, little)),
    link: view.getUint32(40, little),
  };
}

function contents(read: ReadAt, { offset, size }: Section, fileSize: number, most: number): Uint8Array {
  if (!(offset + size <= fileSize))
    throw fail('BAD_SECTION_TABLE', offset, `a section of ${size} bytes lies outside the file`);
  return read(offset, Math.min(size, most));
}

/** The one of the wanted names that stands at `at`. */
function nameAt(names: Uint8Array, at: number, wanted: ReadonlyMap<string, number>): string | undefined {
  for (const name of wanted.keys()) {
    const end = at + name.length;
    if (end < names.length && names[end] === 0 && decodeLatin1(names, at, end) === name) return name;
  }
  return undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(code: ElfErrorCode, offset: number, message: string): ElfError {
  return new ElfError({ code, offset, message });
}
