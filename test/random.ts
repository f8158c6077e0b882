// SPDX-License-Identifier: Apache-2.0

/** A seeded source of random numbers (mulberry32): the same seed gives the same sequence on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number in `[0, below)`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}

/** The seed of this run: `KHO_SEED` to repeat one, otherwise the clock. Print it when a test fails. */
export const runSeed: number = Number(process.env['KHO_SEED'] ?? Date.now() % 0x1_0000_0000);

/**
 * How often a test repeats something random, or how large it makes something: `count`, or less of it where `KHO_SCALE`
 * says so, but not less than `least`. Mutation testing runs each test many times and asks for a fraction.
 */
export function scaled(count: number, least = 1): number {
  return Math.max(least, Math.round(count * Number(process.env['KHO_SCALE'] ?? 1)));
}
