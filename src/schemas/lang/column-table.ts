// SPDX-License-Identifier: Apache-2.0
import type { ColumnPlan, ColumnProperty } from './column-plan.js';

/** A column: 64-bit integers, or smaller ones. */
export type Column = BigUint64Array | BigInt64Array | Uint32Array | Int32Array;

/**
 * Columns in one buffer, so that a loop can fill all of them through one array of 32-bit words, which keeps it fast:
 * the engine sees a single type.
 */
export class ColumnTable {
  /** The buffer as words, least significant word first. */
  readonly words: Int32Array;
  /** Per property, the word of its column for row 0. Per row it is one word further, two for 64 bits. */
  readonly starts: Int32Array;
  readonly #plan: ColumnPlan;
  /** Rows in use. */
  count = 0;

  /** @param capacity - rows at most */
  constructor(plan: ColumnPlan, capacity: number) {
    this.#plan = plan;
    const padded = capacity + (capacity & 1);
    this.starts = new Int32Array(plan.properties.length);
    // The names come first.
    let word = padded;
    for (const { index, length } of plan.properties) {
      this.starts[index] = word;
      word += length === 8 ? padded * 2 : padded;
    }
    this.words = new Int32Array(word);
  }

  /** The names of the nodes. */
  names(): Uint32Array {
    return new Uint32Array(this.words.buffer, 0, this.count);
  }

  /** The columns by property name. */
  columns(): Record<string, Column> {
    return Object.fromEntries(
      this.#plan.properties.map((property) => [property.name, this.#column(property)]),
    );
  }

  #column({ index, length, signed }: ColumnProperty): Column {
    const { buffer } = this.words;
    const start = (this.starts[index] ?? 0) * 4;
    if (length === 8)
      return signed
        ? new BigInt64Array(buffer, start, this.count)
        : new BigUint64Array(buffer, start, this.count);
    return signed ? new Int32Array(buffer, start, this.count) : new Uint32Array(buffer, start, this.count);
  }
}
