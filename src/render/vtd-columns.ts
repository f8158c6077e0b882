// SPDX-License-Identifier: Apache-2.0
// Extents as a binary file of columns, for programs that load millions of them at once. docs/vtd.md describes it.
import type { ExtentColumns } from '../vtd/extents.js';

/** Rows of a group: in each the columns lie one after another. */
const GROUP_ROWS = 4096;
const HEADER_BYTES = 64;
const GROUP_BYTES = GROUP_ROWS * (8 + 8 + 8 + 2);
const LOW = 0x1_0000_0000;

/** Collects rows and hands them on in groups of {@link GROUP_ROWS}; the last one is filled up with rows of no length. */
export class ColumnsWriter {
  readonly #out: (bytes: Uint8Array) => void;
  readonly #bytes = new Uint8Array(GROUP_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #row = 0;

  /** Writes the header: magic, size of the header, rows of a group. */
  constructor(out: (bytes: Uint8Array) => void) {
    this.#out = out;
    const header = new Uint8Array(HEADER_BYTES);
    header.set(Array.from('KHOEXT01', (character) => character.charCodeAt(0)));
    const view = new DataView(header.buffer);
    view.setUint32(8, HEADER_BYTES, true);
    view.setUint32(12, GROUP_ROWS, true);
    out(header);
  }

  /** Takes further rows. */
  add(rows: ExtentColumns): void {
    for (let row = 0; row < rows.length; row++) {
      const at = this.#row * 8;
      this.#u64(at, rows.iovaFrame[row] ?? 0);
      this.#u64(GROUP_ROWS * 8 + at, rows.frame[row] ?? 0);
      this.#u64(GROUP_ROWS * 16 + at, rows.frames[row] ?? 0);
      this.#view.setUint16(GROUP_ROWS * 24 + this.#row * 2, rows.bits[row] ?? 0, true);
      if (++this.#row === GROUP_ROWS) this.#flush();
    }
  }

  /** Writes the last group. */
  end(): void {
    if (this.#row > 0) this.#flush();
  }

  #u64(at: number, value: number): void {
    this.#view.setUint32(at, value % LOW, true);
    this.#view.setUint32(at + 4, Math.floor(value / LOW), true);
  }

  #flush(): void {
    this.#out(this.#bytes);
    this.#bytes.fill(0);
    this.#row = 0;
  }
}
