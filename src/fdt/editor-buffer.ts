// SPDX-License-Identifier: Apache-2.0
import { openBlocks, packBlocks } from './block-layout.js';
import { EditorStrings } from './editor-strings.js';
import { FdtError } from './error.js';
import { type FdtHeader, readHeader, writeHeader } from './header.js';
import { writeName } from './name.js';
import { RESERVATION_SIZE, readReservations } from './reservation.js';

/**
 * A blob in a buffer with room to grow, its three blocks in the order reservations, structure, strings: what
 * `fdt_splice_` and its callers in libfdt's `fdt_rw.c` (dtc 1.6.1) work on. The header is kept here, so that nothing
 * written to the buffer by others can lead a change out of bounds.
 */
export class EditorBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #header: FdtHeader;
  #strings: EditorStrings | undefined;

  /** Opens the blob in `source` in `bytes`, which may be the same. Throws as {@link openBlocks}. */
  constructor(source: Uint8Array, bytes: Uint8Array) {
    openBlocks(source, bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#header = readHeader(this.view);
  }

  /** The header of the blob as it is now. */
  get header(): Readonly<FdtHeader> {
    return this.#header;
  }

  /** Makes all of the buffer available (`fdt_open_into` on itself). */
  reopen(): void {
    openBlocks(this.bytes, this.bytes);
    this.#header = readHeader(this.view);
  }

  /** Gives up the room that is not used (`fdt_pack`). */
  pack(): void {
    packBlocks(this.bytes);
    this.#header = readHeader(this.view);
  }

  /** How many memory reservations there are. */
  reservationCount(): number {
    const { off_mem_rsvmap: offset, totalsize } = this.#header;
    const list = readReservations(this.bytes, offset, totalsize, (issue) => {
      throw new FdtError(issue);
    });
    return list.length;
  }

  /** Puts `newCount` memory reservations, not yet written, in the place of `oldCount` from `index` on. Returns where. */
  spliceReservations(index: number, oldCount: number, newCount: number): number {
    const at = this.#header.off_mem_rsvmap + index * RESERVATION_SIZE;
    const grown = (newCount - oldCount) * RESERVATION_SIZE;
    this.#splice(at, oldCount * RESERVATION_SIZE, newCount * RESERVATION_SIZE);
    this.#header.off_dt_struct += grown;
    this.#header.off_dt_strings += grown;
    writeHeader(this.view, this.#header);
    return at;
  }

  /**
   * Puts `newLength` bytes, not yet written, in the place of `oldLength` at `at` in the structure block.
   *
   * @throws FdtError NOSPACE
   */
  spliceStructure(at: number, oldLength: number, newLength: number): void {
    this.#splice(at, oldLength, newLength);
    this.#header.size_dt_struct += newLength - oldLength;
    this.#header.off_dt_strings += newLength - oldLength;
    writeHeader(this.view, this.#header);
  }

  /**
   * The offset of a property name in the strings block, to which it is added if need be.
   *
   * @param more - how many bytes of structure the caller is about to add; without room for them the name is not added
   * @throws FdtError NOSPACE
   */
  nameOffset(name: string, more: number): number {
    const header = this.#header;
    this.#strings ??= new EditorStrings(this.bytes, header.off_dt_strings, this.#end());
    const found = this.#strings.find(name);
    if (found !== undefined) return found;
    // libfdt writes the name before it looks for room for the rest, and then only takes the size back: the bytes stay.
    const length = name.length + 1;
    this.#checkRoom(length);
    writeName(this.bytes, this.#end(), name);
    this.#checkRoom(length + more);
    header.size_dt_strings += length;
    writeHeader(this.view, header);
    return this.#strings.append(name);
  }

  /** First byte after the strings block, the last of the three. */
  #end(): number {
    return this.#header.off_dt_strings + this.#header.size_dt_strings;
  }

  #checkRoom(more: number): void {
    const { totalsize } = this.#header;
    const end = this.#end();
    if (end + more <= totalsize) return;
    const message = `need ${more} bytes, ${totalsize - end} of ${totalsize} left`;
    throw new FdtError({ code: 'NOSPACE', offset: end, message });
  }

  /** Moves all that follows. What is uncovered keeps its bytes, as after libfdt's memmove. */
  #splice(at: number, oldLength: number, newLength: number): void {
    this.#checkRoom(newLength - oldLength);
    this.bytes.copyWithin(at + newLength, at + oldLength, this.#end());
  }
}
