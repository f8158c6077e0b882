// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { MAX_BLOB_SIZE } from './check-header.js';
import { FDT_BAD, FdtCursor } from './cursor.js';
import { FdtError, type FdtErrorCode } from './error.js';
import { FDT_MAGIC, FDT_SW_MAGIC, type FdtHeader, HEADER_FIELDS, headerSize, readHeader } from './header.js';
import { PropertyNames } from './property-names.js';
import { RESERVATION_SIZE, readReservations } from './reservation.js';
import { FDT_END } from './token.js';

/** The version that read-write functions work on. */
const VERSION = 17;
const LAST_COMP_VERSION = 16;
/** Where the memory reservations go when blocks are laid out anew: the header rounded up to 8 bytes. */
const RESERVATIONS_START = Math.ceil(headerSize(VERSION) / 8) * 8;

/** Sizes in bytes of the three blocks, the reservations' terminating entry included. */
interface BlockSizes {
  readonly reservations: number;
  readonly structure: number;
  readonly strings: number;
}

/**
 * Opens a blob for changes in `target`, as libfdt's `fdt_open_into` does (`fdt_rw.c`, dtc 1.6.1): it becomes version
 * 17, its blocks come in the order reservations, structure, strings, and `totalsize` is all of `target`.
 *
 * Where libfdt would read outside the blob (blocks that are not in it, reservations without an end, sequential writing
 * not finished) an error is thrown.
 *
 * @param source - the blob; `target` itself to open it in place
 * @throws FdtError with libfdt's code; `target` is unchanged then
 */
export function openBlocks(source: Uint8Array, target: Uint8Array): void {
  const header = probe(source);
  const { totalsize } = header;
  const sizes = measure(source, header);
  const view = viewOf(target);
  if (areInOrder(header, sizes)) {
    if (totalsize > target.length) throw noSpace(totalsize, target.length);
    if (source !== target) target.set(source.subarray(0, totalsize));
    patchHeader(view, 0, { version: VERSION, size_dt_struct: sizes.structure, totalsize: target.length });
    return;
  }

  checkInside('structure', header.off_dt_struct, sizes.structure, totalsize);
  checkInside('strings', header.off_dt_strings, sizes.strings, totalsize);
  const size = RESERVATIONS_START + sizes.reservations + sizes.structure + sizes.strings;
  // In place libfdt needs room for both: the new blob is made behind the old one and then moved.
  const at = source === target ? totalsize : 0;
  if (at + size > target.length) throw noSpace(at + size, target.length);
  layOut(source, header, sizes, target, at);
  target.copyWithin(0, at, at + size);
  // In place libfdt reads boot_cpuid_phys when it is overwritten already: what was in that room before stays.
  const boot = source === target ? {} : { boot_cpuid_phys: header.boot_cpuid_phys };
  patchHeader(view, 0, {
    magic: FDT_MAGIC,
    totalsize: target.length,
    version: VERSION,
    last_comp_version: LAST_COMP_VERSION,
    ...boot,
  });
}

/**
 * Moves the blocks of a blob together (`fdt_pack`); `totalsize` becomes what they need.
 *
 * @param bytes - a blob that {@link openBlocks} opened
 */
export function packBlocks(bytes: Uint8Array): void {
  const header = readHeader(viewOf(bytes));
  const sizes = measure(bytes, header);
  layOut(bytes, header, sizes, bytes, 0);
  const totalsize = RESERVATIONS_START + sizes.reservations + sizes.structure + sizes.strings;
  patchHeader(viewOf(bytes), 0, { totalsize });
}

/** Judges the header as far as libfdt's `fdt_ro_probe_` and `fdt_open_into` do. */
function probe(source: Uint8Array): FdtHeader {
  const header = readHeader(viewOf(source));
  const { magic, version, last_comp_version: lastComp, totalsize } = header;
  if (magic === FDT_SW_MAGIC) {
    throw failure('BADSTATE', 0, 'expected a finished blob, found one that is still being written');
  }
  if (magic !== FDT_MAGIC) {
    throw failure('BADMAGIC', 0, `expected ${formatHex(FDT_MAGIC)}, found ${formatHex(magic)}`);
  }
  if (version < LAST_COMP_VERSION || lastComp > VERSION) {
    const found = `version ${version}, readable from version ${lastComp} on`;
    throw failure('BADVERSION', 20, `expected version ${LAST_COMP_VERSION} or ${VERSION}, found ${found}`);
  }
  const limit = Math.min(MAX_BLOB_SIZE - 1, source.length);
  if (totalsize > limit || totalsize < headerSize(version)) {
    throw failure(
      'TRUNCATED',
      4,
      `expected totalsize of ${headerSize(version)} to ${limit}, found ${totalsize}`,
    );
  }
  return header;
}

function measure(source: Uint8Array, header: FdtHeader): BlockSizes {
  const { totalsize, off_mem_rsvmap: offset } = header;
  const list = readReservations(source, offset, totalsize, (issue) => {
    throw new FdtError(issue);
  });
  return {
    reservations: (list.length + 1) * RESERVATION_SIZE,
    structure: header.version >= VERSION ? header.size_dt_struct : structureSize(source, header),
    strings: header.size_dt_strings,
  };
}

/** The size of a structure block whose header does not say it: it ends with the first FDT_END. */
function structureSize(source: Uint8Array, header: FdtHeader): number {
  const { off_dt_struct: start, totalsize: end, version } = header;
  const bounds = { start, end, strings: 0, stringsEnd: 0, stringsCut: false, version };
  const cursor = new FdtCursor(source, bounds, new PropertyNames(source, bounds));
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BAD) throw failure(cursor.problem, cursor.offset, cursor.problemText);
  }
  return cursor.nextOffset - start;
}

function areInOrder(header: FdtHeader, sizes: BlockSizes): boolean {
  const { off_mem_rsvmap: reservations, off_dt_struct: structure, off_dt_strings: strings } = header;
  return (
    reservations >= RESERVATIONS_START &&
    structure >= reservations + sizes.reservations &&
    strings >= structure + sizes.structure &&
    header.totalsize >= strings + sizes.strings
  );
}

/** Writes the blocks of `source` and the header fields about them to `at` in `target`, which may be `source`. */
function layOut(
  source: Uint8Array,
  header: FdtHeader,
  sizes: BlockSizes,
  target: Uint8Array,
  at: number,
): void {
  const structure = RESERVATIONS_START + sizes.reservations;
  const strings = structure + sizes.structure;
  const move = (from: number, size: number, to: number): void => {
    target.set(source.subarray(from, from + size), at + to);
  };
  move(header.off_mem_rsvmap, sizes.reservations, RESERVATIONS_START);
  move(header.off_dt_struct, sizes.structure, structure);
  move(header.off_dt_strings, sizes.strings, strings);
  patchHeader(viewOf(target), at, {
    off_mem_rsvmap: RESERVATIONS_START,
    off_dt_struct: structure,
    size_dt_struct: sizes.structure,
    off_dt_strings: strings,
    size_dt_strings: sizes.strings,
  });
}

/** Writes some fields of the header that begins at `at`. */
function patchHeader(view: DataView, at: number, fields: Partial<FdtHeader>): void {
  for (const { name, offset } of HEADER_FIELDS) {
    const value = fields[name];
    if (value !== undefined) view.setUint32(at + offset, value);
  }
}

function checkInside(block: string, offset: number, size: number, totalsize: number): void {
  if (offset + size <= totalsize) return;
  const range = `[${formatHex(offset)}, ${formatHex(offset + size)})`;
  throw failure(
    'TRUNCATED',
    offset,
    `expected the ${block} block inside [0, ${formatHex(totalsize)}), found ${range}`,
  );
}

function noSpace(need: number, size: number): FdtError {
  return new FdtError({ code: 'NOSPACE', message: `opening needs ${need} bytes, the buffer has ${size}` });
}

function failure(code: FdtErrorCode, offset: number, message: string): FdtError {
  return new FdtError({ code, offset, message });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
