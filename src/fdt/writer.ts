// SPDX-License-Identifier: Apache-2.0
import { checkCapacity } from './capacity.js';
import { MAX_BLOB_SIZE } from './check-header.js';
import { FdtError } from './error.js';
import { FDT_MAGIC, FDT_SW_MAGIC, headerSize, writeHeader } from './header.js';
import { writeName } from './name.js';
import { RESERVATION_SIZE } from './reservation.js';
import { shiftNameOffsets } from './shift-names.js';
import { StringTable } from './string-table.js';
import { alignToken, FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/** The version of the blobs that libfdt 1.6.1 and the kernel write. */
const VERSION = 17;
const LAST_COMP_VERSION = 16;
/** The memory reservation block follows the header, which libfdt rounds up to the size of a reservation here. */
const RESERVATIONS_START = Math.ceil(headerSize(VERSION) / RESERVATION_SIZE) * RESERVATION_SIZE;
/** `FDT_CREATE_FLAG_NO_NAME_DEDUP`, kept in the header while writing is under way. */
const NO_NAME_DEDUP = 1;
/** Up to this many bytes a loop is faster than `TypedArray.prototype.set`. */
const SHORT_VALUE = 48;

/** How an {@link FdtWriter} writes. */
export interface FdtWriterOptions {
  /**
   * Capacity in bytes, 48 to 2^31 - 1, as given to libfdt's `fdt_create`: what does not fit is refused with NOSPACE.
   * Left out, the buffer grows as needed.
   */
  readonly size?: number;
  /** A buffer to write to, all of which is cleared first; its length takes the place of `size`. */
  readonly buffer?: Uint8Array;
  /** false writes every property name anew, like libfdt's `FDT_CREATE_FLAG_NO_NAME_DEDUP`. Default true. */
  readonly dedup?: boolean;
}

type Stage = 'reservations' | 'structure' | 'finished';

/**
 * Writes a blob from front to back, byte for byte as libfdt's sequential-write functions do for the same calls
 * (`fdt_sw.c` of dtc 1.6.1 and of Linux 7.3.4), in time linear in the blob.
 *
 * As in libfdt names, nesting and order are not judged: a blob of unbalanced nodes is written as told, and reading it
 * is refused. A call that throws leaves the writer as libfdt leaves its buffer, so that others may follow.
 *
 * @example
 * ```ts
 * import { FdtWriter } from 'kho-toolkit/fdt';
 *
 * const writer = new FdtWriter();
 * writer.finishReservations();
 * writer.beginNode('');
 * writer.property('compatible', Uint8Array.of(0x61, 0));
 * writer.endNode();
 * const blob = writer.finish();
 * ```
 */
export class FdtWriter {
  #bytes: Uint8Array;
  #view: DataView;
  readonly #growing: boolean;
  #stage: Stage = 'reservations';
  #structStart = RESERVATIONS_START;
  /** First byte after what was written going up. */
  #top = RESERVATIONS_START;
  /** Size of the strings at the end of the buffer, which go down. */
  #stringsSize = 0;
  /**
   * The size of the strings that name offsets count on, so that they are right at once if no name is added any more. 0
   * when every property adds one.
   */
  #counted = 0;
  /** Where offsets count on another size: pairs of the place in the buffer up to which they do, and that size. */
  #outdated: number[] = [];
  /** The strings by name; `undefined` when names are not looked for. */
  readonly #table: StringTable | undefined;

  /**
   * @throws FdtError NOSPACE when `size` is less than 48; BADVALUE when it is not a whole number below 2^31
   */
  constructor(options: FdtWriterOptions = {}) {
    const { buffer, size = buffer?.length, dedup = true } = options;
    if (size !== undefined) checkCapacity(size, RESERVATIONS_START);
    this.#growing = size === undefined;
    this.#bytes = buffer?.subarray(0, size).fill(0) ?? new Uint8Array(size ?? 4096);
    this.#view = viewOf(this.#bytes);
    this.#table = dedup ? new StringTable('latest') : undefined;
  }

  /**
   * The whole buffer, as libfdt would leave it after the same calls: with a fixed size this is what a kernel hands over
   * as a page, with remains of the strings above `totalsize`. A view, valid until the next call.
   */
  get buffer(): Uint8Array {
    if (this.#stage !== 'finished') {
      // libfdt counts from the end of the strings while it writes.
      this.#countNamesOn(0);
      this.#writeHeader();
    }
    return this.#bytes;
  }

  /**
   * Adds a memory reservation (`fdt_add_reservemap_entry`).
   *
   * @param address - physical address, u64
   * @param size - in bytes, u64
   * @throws FdtError BADSTATE after {@link finishReservations}; NOSPACE
   */
  addReservation(address: bigint, size: bigint): void {
    this.#expect('reservations');
    this.#reserve(RESERVATION_SIZE);
    this.#view.setBigUint64(this.#top, address);
    this.#view.setBigUint64(this.#top + 8, size);
    this.#top += RESERVATION_SIZE;
    this.#structStart = this.#top;
  }

  /**
   * Ends the memory reservations, of which there may be none (`fdt_finish_reservemap`).
   *
   * @throws FdtError BADSTATE when called before; NOSPACE
   */
  finishReservations(): void {
    this.addReservation(0n, 0n);
    this.#stage = 'structure';
  }

  /**
   * Opens a node (`fdt_begin_node`).
   *
   * @param name - one character a byte, '' for the root
   * @throws FdtError BADSTATE before {@link finishReservations} or after {@link finish}; NOSPACE; BADVALUE when the name
   * holds a NUL or a character above U+00FF
   */
  beginNode(name: string): void {
    if (this.#stage !== 'structure') this.#expect('structure');
    const length = 4 + alignToken(name.length + 1);
    this.#reserve(length);
    writeName(this.#bytes, this.#top + 4, name);
    this.#view.setUint32(this.#top, FDT_BEGIN_NODE);
    this.#top += length;
  }

  /**
   * Adds a property to the node opened last (`fdt_property`).
   *
   * @param name - one character a byte
   * @throws FdtError as {@link beginNode}
   */
  property(name: string, value: Uint8Array): void {
    if (this.#stage !== 'structure') this.#expect('structure');
    const valueLength = value.length;
    const length = 12 + alignToken(valueLength);
    const nameoff = this.#table?.find(name) ?? this.#addName(name, length);
    this.#reserve(length);
    const view = this.#view;
    const at = this.#top;
    view.setUint32(at, FDT_PROP);
    view.setUint32(at + 4, valueLength);
    view.setInt32(at + 8, this.#counted + nameoff);
    if (valueLength <= SHORT_VALUE) copyShort(view, at + 12, value);
    else this.#bytes.set(value, at + 12);
    this.#top = at + length;
  }

  /**
   * Closes the node opened last (`fdt_end_node`).
   *
   * @throws FdtError BADSTATE as {@link beginNode}; NOSPACE
   */
  endNode(): void {
    if (this.#stage !== 'structure') this.#expect('structure');
    this.#reserve(4);
    this.#view.setUint32(this.#top, FDT_END_NODE);
    this.#top += 4;
  }

  /**
   * Ends the blob (`fdt_finish`): the strings move down behind the structure.
   *
   * @returns the blob, a view of its `totalsize` bytes in {@link buffer}
   * @throws FdtError BADSTATE as {@link beginNode}; NOSPACE, after which nothing has changed
   */
  finish(): Uint8Array {
    this.#expect('structure');
    this.#reserve(4);
    this.#view.setUint32(this.#top, FDT_END);
    this.#top += 4;
    const bytes = this.#bytes;
    bytes.copyWithin(this.#top, bytes.length - this.#stringsSize, bytes.length);
    this.#countNamesOn(this.#stringsSize);
    this.#stage = 'finished';
    this.#writeHeader();
    return bytes.subarray(0, this.#top + this.#stringsSize);
  }

  /** Adds a name to the strings for a property that takes `length` bytes. Returns its position. */
  #addName(name: string, length: number): number {
    const nameLength = name.length + 1;
    // Room for both at once, so that growing leaves no name behind. With a fixed size libfdt writes the name before it
    // looks for room for the rest, and then only takes the size back: the bytes stay.
    this.#reserve(this.#growing ? nameLength + length : nameLength);
    const position = -this.#stringsSize - nameLength;
    writeName(this.#bytes, this.#bytes.length + position, name);
    this.#reserve(length, nameLength);
    this.#stringsSize += nameLength;
    if (this.#table) {
      this.#table.add(name);
      this.#outdated.push(this.#top, this.#counted);
      this.#counted = this.#stringsSize;
    }
    return position;
  }

  /** Makes all name offsets written so far count on `size` bytes of strings. */
  #countNamesOn(size: number): void {
    const outdated = this.#outdated;
    outdated.push(this.#top, this.#counted);
    let start = this.#structStart;
    for (let index = 0; index < outdated.length; index += 2) {
      const end = outdated[index] ?? start;
      const counted = outdated[index + 1] ?? size;
      if (counted !== size) shiftNameOffsets(this.#view, start, end, size - counted);
      start = end;
    }
    this.#outdated = [this.#top, size];
  }

  #writeHeader(): void {
    const finished = this.#stage === 'finished';
    const capacity = this.#bytes.length;
    let strings = this.#stage === 'reservations' ? 0 : capacity;
    if (finished) strings = this.#top;
    writeHeader(this.#view, {
      magic: finished ? FDT_MAGIC : FDT_SW_MAGIC,
      totalsize: finished ? this.#top + this.#stringsSize : capacity,
      off_dt_struct: this.#structStart,
      off_dt_strings: strings,
      off_mem_rsvmap: RESERVATIONS_START,
      version: VERSION,
      last_comp_version: finished ? LAST_COMP_VERSION : this.#table ? 0 : NO_NAME_DEDUP,
      boot_cpuid_phys: 0,
      size_dt_strings: this.#stringsSize,
      size_dt_struct: this.#top - this.#structStart,
    });
  }

  #expect(stage: Stage): void {
    if (this.#stage === stage) return;
    throw new FdtError({
      code: 'BADSTATE',
      offset: this.#top,
      message: `expected to be called while writing the ${stage}, found ${this.#stage}`,
    });
  }

  /** Makes sure of room for `length` bytes, and `pending` ones more, between structure and strings. */
  #reserve(length: number, pending = 0): void {
    if (this.#top + length + pending + this.#stringsSize > this.#bytes.length) this.#grow(length + pending);
  }

  #grow(length: number): void {
    const old = this.#bytes;
    const used = this.#top + this.#stringsSize;
    const limit = this.#growing ? MAX_BLOB_SIZE : old.length;
    if (used + length > limit) {
      throw new FdtError({
        code: 'NOSPACE',
        offset: this.#top,
        message: `need ${length} bytes, ${limit - used} of ${limit} left`,
      });
    }
    // Fourfold: pages that are never touched cost nothing, copying what was written does.
    let capacity = old.length;
    while (capacity < used + length) capacity = Math.min(capacity * 4, MAX_BLOB_SIZE);
    const bytes = new Uint8Array(capacity);
    bytes.set(old.subarray(0, this.#top));
    bytes.set(old.subarray(old.length - this.#stringsSize), capacity - this.#stringsSize);
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Copies `value` to `offset`, for short values faster than `TypedArray.prototype.set`: four bytes a write. */
function copyShort(view: DataView, offset: number, value: Uint8Array): void {
  const length = value.length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    const high = ((value[index] ?? 0) << 24) | ((value[index + 1] ?? 0) << 16);
    view.setInt32(offset + index, high | ((value[index + 2] ?? 0) << 8) | (value[index + 3] ?? 0));
  }
  for (; index < length; index++) view.setUint8(offset + index, value[index] ?? 0);
}
