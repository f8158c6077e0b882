// SPDX-License-Identifier: Apache-2.0
// Changes to bytes of which nothing is known: bits, bytes, numbers, words of a dictionary, ranges moved about, others'
// ranges, and numbers that look like a length or an offset.
import type { Random } from '../random.js';
import type { FuzzTarget } from './target.js';

const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  4n,
  7n,
  8n,
  9n,
  16n,
  0x28n,
  0x7fn,
  0x80n,
  0xffn,
  0x200n,
  0xfffn,
  0x1000n,
  0x1001n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fff0n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 40n,
  1n << 51n,
  (1n << 52n) - 0x1000n,
  1n << 52n,
  1n << 53n,
  1n << 63n,
  (1n << 63n) - 1n,
  (1n << 64n) - 0x1000n,
  (1n << 64n) - 1n,
] as const;

const SIZES = [1, 2, 4, 8] as const;

/** Makes inputs out of inputs. */
export class Mutation {
  readonly #target: FuzzTarget;
  readonly #random: Random;

  constructor(target: FuzzTarget, random: Random) {
    this.#target = target;
    this.#random = random;
  }

  /** A changed copy of `input`: every other time with one change, else with up to sixteen, mostly few. @param other - to take ranges from */
  change(input: Uint8Array, other: Uint8Array): Uint8Array {
    const random = this.#random;
    const { mutators, maxLength } = this.#target;
    let bytes: Uint8Array = input.slice();
    const times = random.below(2) === 0 ? 1 : 1 + random.below(1 << random.below(5));
    for (let left = times; left > 0; left--) {
      if (mutators.length > 0 && random.below(4) === 0) {
        const changed = random.pick(mutators)(bytes, random);
        if (changed !== undefined) bytes = changed;
      } else bytes = this.#once(bytes, other);
    }
    return bytes.length > maxLength ? bytes.slice(0, maxLength) : bytes;
  }

  #once(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    const random = this.#random;
    const { length } = bytes;
    if (length === 0) return other.slice(0, 1 + random.below(64));
    const at = random.below(length);
    switch (random.below(14)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        return bytes;
      case 1:
        bytes[at] = random.below(256);
        return bytes;
      case 2:
      case 3:
        return this.#number(bytes, () => random.pick(NUMBERS));
      case 4:
        return this.#number(bytes, (old) => old + BigInt(random.below(71) - 35));
      case 5: {
        // What is smaller than the input may be a length or an offset in it.
        const near = BigInt(length + random.below(33) - 16);
        return this.#number(bytes, (old) => (old <= length ? old + BigInt(random.below(9) - 4) : near));
      }
      case 6:
      case 7: {
        const words = this.#target.words;
        if (words.length === 0) return bytes;
        const word = random.pick(words);
        if (random.below(2) === 0) return insert(bytes, at, word);
        bytes.set(word.subarray(0, length - at), at);
        return bytes;
      }
      case 8:
        return remove(bytes, at, this.#extent(length - at));
      case 9:
        return insert(bytes, random.below(length + 1), bytes.slice(at, at + this.#extent(length - at)));
      case 10: {
        const range = bytes.slice(at, at + this.#extent(length - at));
        bytes.set(range.subarray(0, length), random.below(length - range.length + 1));
        return bytes;
      }
      case 11: {
        if (other.length === 0) return bytes;
        const from = random.below(other.length);
        const range = other.slice(from, from + this.#extent(other.length - from));
        if (random.below(2) === 0) return insert(bytes, at, range);
        bytes.set(range.subarray(0, length - at), at);
        return bytes;
      }
      case 12:
        bytes.fill(random.pick([0, 0, 0xff, random.below(256)]), at, at + this.#extent(length - at));
        return bytes;
      default: {
        if (random.below(4) === 0) return bytes.slice(0, at);
        // Two words change places.
        const [one, two] = [at & ~3, random.below(length) & ~3];
        const word = bytes.slice(one, one + 4);
        bytes.copyWithin(one, two, two + 4);
        bytes.set(word.subarray(0, length - two), two);
        return bytes;
      }
    }
  }

  /** How long a range is: mostly short, and whole words. */
  #extent(most: number): number {
    const random = this.#random;
    const length = 1 + random.below(1 << random.below(random.below(8) === 0 ? 16 : 7));
    return Math.min(most, random.below(2) === 0 ? (length + 3) & ~3 : length);
  }

  /** Another number in place of one of one, two, four or eight bytes, of either byte order, mostly aligned. */
  #number(bytes: Uint8Array, change: (old: bigint) => bigint): Uint8Array {
    const random = this.#random;
    const size = random.pick(SIZES);
    if (bytes.length < size) return bytes;
    let at = random.below(bytes.length - size + 1);
    if (random.below(4) > 0) at -= at % Math.min(size, 4);
    const little = random.below(2) === 0;
    let old = 0n;
    for (let index = 0; index < size; index++) {
      old = (old << 8n) | BigInt(bytes[at + (little ? size - 1 - index : index)] ?? 0);
    }
    let left = BigInt.asUintN(size * 8, change(old));
    for (let index = 0; index < size; index++) {
      bytes[at + (little ? index : size - 1 - index)] = Number(left & 0xffn);
      left >>= 8n;
    }
    return bytes;
  }
}

function insert(bytes: Uint8Array, at: number, range: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + range.length);
  longer.set(bytes.subarray(0, at));
  longer.set(range, at);
  longer.set(bytes.subarray(at), at + range.length);
  return longer;
}

function remove(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const shorter = new Uint8Array(bytes.length - length);
  shorter.set(bytes.subarray(0, at));
  shorter.set(bytes.subarray(at + length), at);
  return shorter;
}
