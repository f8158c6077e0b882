// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import type { StructureBounds } from './bounds.js';

/** Names at offsets below this are remembered in an array, the fastest look-up there is; the rest in a map. */
const ARRAY_LIMIT = 1 << 16;
/** Longer names are decoded each time: a hostile table of overlapping names must not fill the memory. */
const LONGEST_REMEMBERED = 256;
/** What is left of a name where names must be cut. */
const CUT_LENGTH = 64;
/** A table whose strings are all shorter than this cannot make reading the names of a blob expensive. */
const LONG_STRING = 256;

/** The strings block of a blob: property names by offset, each decoded once. */
export class PropertyNames {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  /** Offset, from the start of the block, of its last NUL, or -1: no string can start later than this. */
  readonly last: number;
  readonly #low: (string | undefined)[];
  readonly #high = new Map<number, string>();
  #cut = false;

  /**
   * @param bytes - the whole blob
   * @param bounds - where its strings block lies; must be inside `bytes`
   */
  constructor(bytes: Uint8Array, bounds: StructureBounds) {
    this.#bytes = bytes;
    this.#start = bounds.strings;
    this.#end = bounds.stringsEnd;
    const lastNul = bounds.stringsEnd > bounds.strings ? bytes.lastIndexOf(0, bounds.stringsEnd - 1) : -1;
    this.last = lastNul < bounds.strings ? -1 : lastNul - bounds.strings;
    this.#low = new Array(Math.min(this.last + 1, ARRAY_LIMIT));
  }

  /** The size of the strings block in bytes. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Whether a NUL-terminated string lies at `nameoff` bytes into the block. */
  has(nameoff: number): boolean {
    return nameoff <= this.last;
  }

  /** The string at `nameoff` bytes into the block, or `undefined` when there is none. */
  at(nameoff: number): string | undefined {
    return (nameoff < ARRAY_LIMIT ? this.#low[nameoff] : this.#high.get(nameoff)) ?? this.#decode(nameoff);
  }

  /**
   * The ends (offsets of the NULs) of the strings in the block when one of them is so long that a blob could name it,
   * or each of its tails, often enough to make reading all names quadratic; `undefined` otherwise.
   */
  longTable(): Int32Array | undefined {
    const ends: number[] = [];
    let longest = 0;
    for (let at = this.#start; at <= this.#start + this.last; at = (ends.at(-1) ?? 0) + this.#start + 1) {
      const nul = this.#bytes.indexOf(0, at);
      longest = Math.max(longest, nul - at);
      ends.push(nul - this.#start);
    }
    return longest > LONG_STRING ? Int32Array.from(ends) : undefined;
  }

  /** From now on, names are cut to a length that is bearable however many properties there are. */
  cutNames(): void {
    this.#cut = true;
    this.#low.fill(undefined);
    this.#high.clear();
  }

  #decode(nameoff: number): string | undefined {
    if (!this.has(nameoff)) return undefined;
    const start = this.#start + nameoff;
    const window = this.#cut ? this.#bytes.subarray(0, start + CUT_LENGTH) : this.#bytes;
    const nul = window.indexOf(0, start);
    const name = nul < 0 ? `${decodeLatin1(window, start)}…` : decodeLatin1(window, start, nul);
    if (name.length > LONGEST_REMEMBERED) return name;
    if (nameoff < ARRAY_LIMIT) this.#low[nameoff] = name;
    else this.#high.set(nameoff, name);
    return name;
  }
}
