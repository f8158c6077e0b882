// SPDX-License-Identifier: Apache-2.0

/** A growing column of numbers at 8 bytes each. */
export class NumberColumn {
  #values = new Float64Array(16);
  /** How many numbers there are. */
  length = 0;

  /** Adds a number at the end. */
  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Float64Array(2 * this.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.length++] = value;
  }

  /** The number at `index`; 0 where there is none. */
  at(index: number): number {
    return index < this.length ? (this.#values[index] ?? 0) : 0;
  }

  /** Puts another number in the place of the last. */
  replaceLast(value: number): void {
    if (this.length > 0) this.#values[this.length - 1] = value;
  }

  /** The numbers, not copied: a view that later growth may leave behind. */
  toArray(): Float64Array {
    return this.#values.subarray(0, this.length);
  }
}
