// SPDX-License-Identifier: Apache-2.0
// What of a list can be left out: long stretches first, then halves of them, down to single elements.
import type { Candidate } from './shrink.js';

/** Elements next to each other. */
export interface Stretch {
  readonly at: number;
  readonly size: number;
}

/**
 * Stretches of a list to be left out, each told whether it was: positions are those in what is left.
 *
 * @param length - of the list
 * @param smallest - elements of the shortest stretches, default one
 */
export function* cuts(length: number, smallest = 1): Generator<Stretch, void, boolean> {
  let left = length;
  for (let size = highestPower(length); size >= smallest; size = Math.floor(size / 2)) {
    for (let at = 0; at < left; ) {
      const stretch = { at, size: Math.min(size, left - at) };
      if (yield stretch) left -= stretch.size;
      else at += size;
    }
  }
}

/** Leaves out of a list what it can do without. @param make - a candidate that has these elements only */
export function* cutList<T>(
  items: readonly T[],
  make: (left: readonly T[], cut: Stretch) => Candidate | undefined,
): Generator<Candidate, readonly T[], boolean> {
  let left = items;
  const stretches = cuts(items.length);
  for (let next = stretches.next(); next.done !== true; ) {
    const shorter = left.toSpliced(next.value.at, next.value.size);
    const candidate = make(shorter, next.value);
    const fails = candidate !== undefined && (yield candidate);
    if (fails) left = shorter;
    next = stretches.next(fails);
  }
  return left;
}

/** The largest power of two that is not above `length`; 1 for 0. */
export function highestPower(length: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, length)));
}
