// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { EntryMasks, WordMask } from './entry-masks.js';
import type { WalkFinding, WalkFindingCode, WalkOptions } from './walk-result.js';

/** An entry of a table, as the walk has it: written anew for each entry, so that none costs memory. */
export interface EntryPlace {
  level: number;
  /** Frame of the table that holds it, and its index there. */
  table: number;
  index: number;
  /** The halves of the entry. */
  low: number;
  high: number;
  /** First IOVA frame that it translates. */
  iovaFrame: number;
}

function wordValue(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Findings of a walk: all are counted, the first ones kept. */
export class FindingList {
  readonly kept: WalkFinding[] = [];
  readonly counts: Partial<Record<WalkFindingCode, number>> = {};
  readonly #most: number;
  readonly #widthBits: number | undefined;
  readonly #hostBits: number;
  readonly #beyond: WordMask;

  constructor({ maxFindings = 1000, widthBits, hostBits = 52 }: WalkOptions, beyond: WordMask) {
    this.#most = maxFindings;
    this.#widthBits = widthBits;
    this.#hostBits = hostBits;
    this.#beyond = beyond;
  }

  /** Notes a finding; `message` is only asked if it is kept. */
  add(code: WalkFindingCode, at: EntryPlace, message: () => string): void {
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    if (this.kept.length >= this.#most) return;
    const { level, table, index, low, high, iovaFrame } = at;
    this.kept.push({
      code,
      message: message(),
      level,
      address: (BigInt(table) << 12n) + BigInt(index * 8),
      entry: wordValue(low, high),
      iova: BigInt(iovaFrame) << 12n,
    });
  }

  /** Notes an entry that is not there and not zero. */
  addGarbage(at: EntryPlace): void {
    this.add('GARBAGE', at, () => `0 expected, found ${formatHex(wordValue(at.low, at.high))}`);
  }

  /** Notes everything that is wrong with an entry by itself. @param tooWide it translates what no device can ask for */
  check(at: EntryPlace, masks: EntryMasks, tooWide: boolean): void {
    const { low, high } = at;
    if (tooWide) {
      this.add(
        'BEYOND_WIDTH',
        at,
        () => `IOVAs below 2^${this.#widthBits} expected, found ${formatHex(BigInt(at.iovaFrame) << 12n)}`,
      );
    }
    const { align, reserved, address } = masks;
    if (((low & align.low) | (high & align.high)) !== 0) {
      this.add('MISALIGNED', at, () => {
        const found = formatHex(wordValue(low & align.low, high & align.high));
        return `an address aligned to the leaf expected, low bits ${found}`;
      });
    }
    if (((low & reserved.low) | (high & reserved.high)) !== 0) {
      this.add('RESERVED_BITS', at, () => {
        const found = formatHex(wordValue(low & reserved.low, high & reserved.high));
        return `reserved bits ${found} expected to be 0`;
      });
    }
    const beyond = this.#beyond;
    if (((low & address.low & beyond.low) | (high & address.high & beyond.high)) !== 0) {
      this.add('BEYOND_HOST', at, () => {
        const found = formatHex(wordValue(low & address.low, high & address.high));
        return `an address below 2^${this.#hostBits} expected, found ${found}`;
      });
    }
  }
}
