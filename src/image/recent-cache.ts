// SPDX-License-Identifier: Apache-2.0

/**
 * Keeps what was used last: at least `capacity / 2` values and at most `capacity`. Values live in two generations; when
 * the young one is full it becomes the old one, and the old one is dropped, which costs less per use than an exact
 * order (deleting from a Map leaves a gap that finding its oldest key must step over).
 */
export class RecentCache<Value> {
  readonly #half: number;
  #young = new Map<number, Value>();
  #old = new Map<number, Value>();

  constructor(capacity: number) {
    this.#half = Math.max(1, capacity / 2);
  }

  get(key: number): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: number, value: Value): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
