// SPDX-License-Identifier: Apache-2.0

/** Bits between two entries of the rank index: one cache line of bitmap. */
const RANK_BITS = 512;
const RANK_WORDS = RANK_BITS / 32;

function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/**
 * One bit a page frame, least significant bit of byte 0 first, as dump files store it.
 *
 * Frames at or beyond `limit` read as clear.
 */
export class PageBitmap {
  readonly limit: number;
  readonly #words: Uint32Array;
  #ranks: Uint32Array | undefined;

  /**
   * @param bytes the bitmap; its buffer must be its own and a multiple of 4 long
   * @param limit frames that count
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, limit: number) {
    this.limit = limit;
    this.#words = new Uint32Array(bytes.buffer, 0, Math.ceil(limit / 32));
    // Bits beyond the limit are of no meaning; clear them once rather than mind them in every loop.
    if (limit % 32 !== 0) {
      const last = this.#words.length - 1;
      this.#words[last] = (this.#words[last] ?? 0) & ((1 << (limit % 32)) - 1);
    }
  }

  has(frame: number): boolean {
    if (frame >= this.limit) return false;
    return (((this.#words[Math.floor(frame / 32)] ?? 0) >>> (frame % 32)) & 1) === 1;
  }

  /** How many frames below `frame` are set. */
  rank(frame: number): number {
    const bounded = Math.min(frame, this.limit);
    this.#ranks ??= this.#buildRanks();
    const block = Math.floor(bounded / RANK_BITS);
    const stop = Math.floor(bounded / 32);
    let count = this.#ranks[block] ?? 0;
    for (let word = block * RANK_WORDS; word < stop; word++) count += popcount(this.#words[word] ?? 0);
    const rest = bounded % 32;
    if (rest > 0) count += popcount((this.#words[stop] ?? 0) & ((1 << rest) - 1));
    return count;
  }

  #buildRanks(): Uint32Array {
    const words = this.#words;
    const ranks = new Uint32Array(Math.floor(this.limit / RANK_BITS) + 1);
    let count = 0;
    for (let word = 0; word < words.length; word++) {
      if (word % RANK_WORDS === 0) ranks[word / RANK_WORDS] = count;
      count += popcount(words[word] ?? 0);
    }
    if (words.length % RANK_WORDS === 0) ranks[words.length / RANK_WORDS] = count;
    return ranks;
  }

  /** The 32 frames from `32 * index`, as bits. */
  word(index: number): number {
    return (this.#words[index] ?? 0) >>> 0;
  }
}
