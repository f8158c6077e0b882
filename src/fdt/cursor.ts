// SPDX-License-Identifier: Apache-2.0

import { formatHex } from '../bytes/hex.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import type { FdtErrorCode } from './error.js';
import { alignToken, FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from './token.js';

/** What {@link FdtCursor.next} returns where no valid token lies. */
export const FDT_BAD = 0;

/** Where the parts of a blob lie that reading tokens needs. All offsets are bytes from the start of the blob. */
export interface StructureBounds {
  /** First byte of the structure block. */
  readonly start: number;
  /** First byte after the structure block. */
  readonly end: number;
  /** First byte of the strings block. */
  readonly strings: number;
  /** First byte after the strings block. */
  readonly stringsEnd: number;
  /** The blob's version: before 16, node names are full paths and values of 8 bytes or more are 8-aligned. */
  readonly version: number;
}

/**
 * Visits the tokens of a structure block in order, without an object per token: after `next()` the fields say what
 * was read. Every bound is checked, so a cursor is safe on any bytes; after {@link FDT_BAD} the caller may go on with
 * `resync()`.
 *
 * @example
 * ```ts
 * import { FDT_END, FDT_PROP, openFdt } from 'kho-toolkit/fdt';
 * const cursor = openFdt(bytes).cursor();
 * for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
 *   if (tag === FDT_PROP) console.log(cursor.propertyName(), cursor.valueLength);
 * }
 * ```
 */
export class FdtCursor {
  /** Offset of the token read last. */
  offset = 0;
  /** Offset of the token that `next()` will read. */
  nextOffset: number;
  /** Nodes open after the token read last. May become negative in a blob that closes more than it opens. */
  depth = 0;
  /** FDT_BEGIN_NODE: the name lies in `[nameStart, nameEnd)`. */
  nameStart = 0;
  /** FDT_BEGIN_NODE: offset of the name's terminating NUL. */
  nameEnd = 0;
  /** FDT_PROP: offset of the property's name in the strings block. */
  nameoff = 0;
  /** FDT_PROP: offset of the value. */
  valueStart = 0;
  /** FDT_PROP: length of the value in bytes. */
  valueLength = 0;
  /** FDT_BAD: libfdt's name for what is wrong at `offset`. */
  problem: FdtErrorCode = 'BADSTRUCTURE';
  /** FDT_BAD: the same in words. */
  problemText = '';

  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #bounds: StructureBounds;
  readonly #end: number;
  readonly #names: Map<number, string>;

  /**
   * @param bytes - the whole blob
   * @param bounds - where its blocks lie; must be inside `bytes`
   * @param names - cache of property names by offset, shared between cursors on the same blob
   * @param start - offset of the first token to read, default the start of the structure block
   */
  constructor(
    bytes: Uint8Array,
    bounds: StructureBounds,
    names: Map<number, string>,
    start: number = bounds.start,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#bounds = bounds;
    this.#end = bounds.end;
    this.#names = names;
    this.nextOffset = start;
  }

  /**
   * Reads the token at `nextOffset`.
   *
   * @returns FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP or FDT_END, or {@link FDT_BAD}, after which `problem`
   * and `problemText` say why and `nextOffset` has not moved
   */
  next(): number {
    const at = this.nextOffset;
    this.offset = at;
    if (at + 4 > this.#end)
      return this.#bad('TRUNCATED', 'a token is expected, the structure block ends here');
    const tag = this.#view.getUint32(at);
    if (tag === FDT_PROP) return this.#property(at);
    if (tag === FDT_BEGIN_NODE) return this.#beginNode(at);
    if (tag === FDT_END_NODE) {
      this.depth--;
    } else if (tag !== FDT_NOP && tag !== FDT_END) {
      return this.#bad('BADSTRUCTURE', `expected a token (1, 2, 3, 4 or 9), found ${formatHex(tag)}`);
    }
    this.nextOffset = at + 4;
    return tag;
  }

  #property(at: number): number {
    // Sums stay below 2^33: exact, and a length of 0xfffffff4 cannot wrap round to this very token.
    let value = at + 12;
    if (value > this.#end)
      return this.#bad('BADSTRUCTURE', 'the structure block ends inside a property header');
    const length = this.#view.getUint32(at + 4);
    if (this.#bounds.version < 16 && length >= 8 && ((value - this.#bounds.start) & 7) !== 0) value += 4;
    if (value + length > this.#end) {
      const left = Math.max(0, this.#end - value);
      return this.#bad(
        'BADSTRUCTURE',
        `property value of ${length} bytes, ${left} left in the structure block`,
      );
    }
    this.nameoff = this.#view.getUint32(at + 8);
    this.valueStart = value;
    this.valueLength = length;
    this.nextOffset = this.#align(value + length);
    return FDT_PROP;
  }

  #beginNode(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let nul = at + 4;
    while (nul < end && bytes[nul] !== 0) nul++;
    if (nul >= end)
      return this.#bad('BADSTRUCTURE', 'node name without a terminating NUL in the structure block');
    this.nameStart = at + 4;
    this.nameEnd = nul;
    this.nextOffset = this.#align(nul + 1);
    this.depth++;
    return FDT_BEGIN_NODE;
  }

  /** Tokens are aligned to the start of the structure block, which libfdt does not require to be aligned itself. */
  #align(offset: number): number {
    return this.#bounds.start + alignToken(offset - this.#bounds.start);
  }

  #bad(problem: FdtErrorCode, text: string): number {
    this.problem = problem;
    this.problemText = text;
    return FDT_BAD;
  }

  /**
   * After FDT_BAD: moves to the next offset at which a plausible token lies (a property whose name and value are in
   * bounds, a node with a printable name, or a token without contents).
   *
   * @returns false when there is none before the end of the structure block
   */
  resync(): boolean {
    const depth = this.depth;
    for (let at = this.offset + 4; at + 4 <= this.#end; at += 4) {
      this.nextOffset = at;
      const tag = this.next();
      this.depth = depth;
      if (tag === FDT_BAD) continue;
      if (tag === FDT_PROP && this.#bounds.strings + this.nameoff >= this.#bounds.stringsEnd) continue;
      if (tag === FDT_BEGIN_NODE && !this.#isNamePrintable()) continue;
      this.nextOffset = at;
      return true;
    }
    return false;
  }

  #isNamePrintable(): boolean {
    for (let at = this.nameStart; at < this.nameEnd; at++) {
      const byte = this.#bytes[at] ?? 0;
      if (byte < 0x20 || byte > 0x7e) return false;
    }
    return true;
  }

  /** FDT_BEGIN_NODE: the node's name; before version 16 the last component of the path that is stored. */
  nodeName(): string {
    const name = decodeLatin1(this.#bytes, this.nameStart, this.nameEnd);
    return this.#bounds.version < 16 ? name.slice(name.lastIndexOf('/') + 1) : name;
  }

  /** FDT_PROP: the property's name, or `undefined` when `nameoff` leads outside the strings block or to no NUL. */
  propertyName(): string | undefined {
    return this.stringAt(this.nameoff);
  }

  /** FDT_PROP: the value, a view into the blob. */
  value(): Uint8Array {
    return this.#bytes.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  /** The string at `nameoff` bytes into the strings block, or `undefined` when there is none. */
  stringAt(nameoff: number): string | undefined {
    const known = this.#names.get(nameoff);
    if (known !== undefined) return known;
    const start = this.#bounds.strings + nameoff;
    if (start >= this.#bounds.stringsEnd) return undefined;
    const nul = this.#bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.#bounds.stringsEnd) return undefined;
    const name = decodeLatin1(this.#bytes, start, nul);
    this.#names.set(nameoff, name);
    return name;
  }
}
