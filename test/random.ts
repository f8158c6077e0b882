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
 * How often a test repeats something random, or how large it makes something: that part of `count` which `KHO_SCALE`
 * says, but not less than `least`. `npm test` has half of it, a gate of `.ci/run` all, mutation testing, which runs each test
 * many times, a small fraction.
 */
export function scaled(count: number, least = 1): number {
  return Math.max(least, Math.round(count * Number(process.env['KHO_SCALE'] ?? 0.5)));
}
