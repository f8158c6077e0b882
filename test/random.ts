// SPDX-License-Identifier: Apache-2.0

import { Random as Sequence } from '../src/fuzz/random.js';

/** A seeded source of random numbers: the same seed gives the same sequence on every machine. */
export class Random extends Sequence {
  /** One of `items`. */
  override pick<T>(items: readonly T[]): T {
    const item = super.pick(items);
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
