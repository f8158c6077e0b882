// SPDX-License-Identifier: Apache-2.0

/** Keeps the `capacity` values that were used last. */
export class RecentCache<Value> {
  readonly #values = new Map<number, Value>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: number): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    // A Map iterates in order of insertion, so putting a value back makes it the youngest.
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: number, value: Value): void {
    this.#values.set(key, value);
    if (this.#values.size <= this.#capacity) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      break;
    }
  }
}
