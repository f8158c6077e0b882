// SPDX-License-Identifier: Apache-2.0
import { firstWhere } from '../bytes/first-where.js';

/**
 * Disjoint half-open intervals by ascending start, each with the index of the input interval that owns it. Columns
 * of equal length.
 */
export interface IntervalMap {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly owners: Uint32Array;
}

/** A binary heap of input indices; the smallest (or, for `last`, the largest) is on top. */
class OwnerHeap {
  readonly #items: Uint32Array;
  readonly #sign: 1 | -1;
  size = 0;

  constructor(capacity: number, winner: 'first' | 'last') {
    this.#items = new Uint32Array(capacity);
    this.#sign = winner === 'first' ? 1 : -1;
  }

  #above(a: number, b: number): boolean {
    return ((this.#items[a] ?? 0) - (this.#items[b] ?? 0)) * this.#sign < 0;
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] ?? 0;
    this.#items[a] = this.#items[b] ?? 0;
    this.#items[b] = item;
  }

  get top(): number {
    return this.#items[0] ?? 0;
  }

  push(item: number): void {
    let at = this.size++;
    this.#items[at] = item;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#above(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): void {
    this.#swap(0, --this.size);
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.size) return;
      const child = left + 1 < this.size && this.#above(left + 1, left) ? left + 1 : left;
      if (!this.#above(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }
}

/**
 * Lays intervals over one another: wherever several overlap, the first (or last) of them wins. Empty intervals vanish.
 *
 * @param starts where each interval begins
 * @param ends where each ends, exclusive; same length
 * @param winner whose bytes count where intervals overlap
 * @returns at most twice as many intervals as came in, in O(n log n)
 */
export function layIntervals(
  starts: Float64Array,
  ends: Float64Array,
  winner: 'first' | 'last',
): IntervalMap {
  const count = starts.length;
  const order = Uint32Array.from(starts, (_, index) => index).sort(
    (a, b) => (starts[a] ?? 0) - (starts[b] ?? 0),
  );
  const outStarts = new Float64Array(2 * count);
  const outEnds = new Float64Array(2 * count);
  const owners = new Uint32Array(2 * count);
  const active = new OwnerHeap(count, winner);
  let out = 0;
  let next = 0;
  let at = 0;
  while (next < count || active.size > 0) {
    const upcoming = next < count ? (starts[order[next] ?? 0] ?? 0) : Number.POSITIVE_INFINITY;
    if (active.size === 0) at = Math.max(at, upcoming);
    if (upcoming <= at) {
      active.push(order[next++] ?? 0);
      continue;
    }
    const owner = active.top;
    const end = Math.min(ends[owner] ?? 0, upcoming);
    if (end <= at) {
      active.pop();
      continue;
    }
    if (out > 0 && owners[out - 1] === owner && outEnds[out - 1] === at) {
      outEnds[out - 1] = end;
    } else {
      outStarts[out] = at;
      outEnds[out] = end;
      owners[out] = owner;
      out++;
    }
    at = end;
  }
  return {
    starts: outStarts.slice(0, out),
    ends: outEnds.slice(0, out),
    owners: owners.slice(0, out),
  };
}

/** Index of the last interval that starts at or before `at`; -1 when there is none. */
export function findInterval(starts: Float64Array, at: number): number {
  return firstWhere(0, starts.length, (index) => (starts[index] ?? 0) > at) - 1;
}
