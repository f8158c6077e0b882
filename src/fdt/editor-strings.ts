// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import { StringTable } from './string-table.js';

/**
 * The strings block of a blob that is being changed: where a name can be read from it, and where a new one goes. As
 * libfdt's read-write functions do, the lowest offset wins and new names are appended.
 */
export class EditorStrings {
  readonly #table: StringTable = new StringTable('first');
  /** Bytes after the last NUL of the block as found: the first name appended becomes one string with them. */
  #tail: string;

  /**
   * @param bytes - holds the block
   * @param start - offset of the block
   * @param end - first byte after it
   */
  constructor(bytes: Uint8Array, start: number, end: number) {
    let at = start;
    for (let nul = bytes.indexOf(0, at); nul >= 0 && nul < end; nul = bytes.indexOf(0, at)) {
      this.#table.add(decodeLatin1(bytes, at, nul));
      at = nul + 1;
    }
    this.#tail = decodeLatin1(bytes, at, end);
  }

  /** Offset in the block at which `name` and its NUL can be read, or `undefined`. */
  find(name: string): number | undefined {
    return this.#table.find(name);
  }

  /** Notes that `name` and its NUL were appended to the block. Returns its offset in the block. */
  append(name: string): number {
    const tail = this.#tail;
    this.#tail = '';
    return this.#table.add(tail + name) + tail.length;
  }
}
