// SPDX-License-Identifier: Apache-2.0
// IOVAs that an address space must keep free: those that a device or a page table cannot use.
import { firstWhere } from '../../bytes/first-where.js';
import type { AddressRange } from './log.js';

interface Reservation extends AddressRange {
  readonly owners: Set<object>;
}

/** Ranges, each with those who asked for it. */
export class ReservedRanges {
  readonly #ranges = new Map<string, Reservation>();
  #folded: readonly AddressRange[] = [];

  /** All ranges by address, overlaps folded. */
  get folded(): readonly AddressRange[] {
    return this.#folded;
  }

  /** Reserves ranges for `owner`. */
  add(ranges: readonly AddressRange[], owner: object): void {
    let isNew = false;
    for (const { start, last } of ranges) {
      const key = `${start} ${last}`;
      const known = this.#ranges.get(key);
      if (known === undefined) {
        this.#ranges.set(key, { start, last, owners: new Set([owner]) });
        isNew = true;
      } else known.owners.add(owner);
    }
    if (isNew) this.#fold();
  }

  /** Gives up everything that `owner` reserved. */
  release(owner: object): void {
    let isGone = false;
    for (const [key, { owners }] of this.#ranges) {
      if (!owners.delete(owner) || owners.size > 0) continue;
      this.#ranges.delete(key);
      isGone = true;
    }
    if (isGone) this.#fold();
  }

  /** What of a range is not reserved, by address. */
  *holesIn({ start, last }: AddressRange): Generator<AddressRange, void, undefined> {
    let next = start;
    for (let index = firstAt(this.#folded, start); index < this.#folded.length; index++) {
      const taken = this.#folded[index];
      if (taken === undefined || taken.start > last) break;
      if (taken.start > next) yield { start: next, last: taken.start - 1n };
      next = taken.last + 1n;
    }
    if (next <= last) yield { start: next, last };
  }

  #fold(): void {
    const sorted = [...this.#ranges.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
    const folded: { start: bigint; last: bigint }[] = [];
    for (const { start, last } of sorted) {
      const before = folded.at(-1);
      if (before !== undefined && start <= before.last + 1n) {
        if (last > before.last) before.last = last;
      } else folded.push({ start, last });
    }
    this.#folded = folded;
  }
}

/** Index of the first of disjoint ascending ranges that ends at `address` or later. */
function firstAt(ranges: readonly AddressRange[], address: bigint): number {
  return firstWhere(0, ranges.length, (index) => (ranges[index]?.last ?? 0n) >= address);
}

/** Whether one of disjoint ascending ranges reaches into a range. */
export function overlaps(ranges: readonly AddressRange[], start: bigint, last: bigint): boolean {
  const found = ranges[firstAt(ranges, start)];
  return found !== undefined && found.start <= last;
}
