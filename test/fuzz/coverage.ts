// SPDX-License-Identifier: Apache-2.0

/** How often a counter went up, as one of eight classes: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more. */
const CLASS_OF = Uint8Array.from({ length: 256 }, (_, count) =>
  count < 4 ? count : count < 8 ? 4 : count < 16 ? 5 : count < 32 ? 6 : count < 128 ? 7 : 8,
);

/**
 * What inputs have made code do so far. A feature is a counter and the class of how often it went up: a loop that runs
 * often is something else than one that runs once.
 */
export class Coverage {
  readonly #counters: Uint8Array;
  readonly #words: Uint32Array;
  /** A bit for each class that was seen of each counter. */
  readonly #seen: Uint8Array;
  #features = 0;

  /** @param counters - its length a multiple of four */
  constructor(counters: Uint8Array) {
    this.#counters = counters;
    this.#words = new Uint32Array(counters.buffer, counters.byteOffset, counters.length >> 2);
    this.#seen = new Uint8Array(counters.length);
  }

  /** How many features were seen. */
  get features(): number {
    return this.#features;
  }

  /** Takes the counters of one input and clears them. @returns how many features are new */
  take(): number {
    let fresh = 0;
    const counters = this.#counters;
    const words = this.#words;
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      for (let at = word * 4; at < word * 4 + 4; at++) {
        const count = counters[at] ?? 0;
        if (count === 0) continue;
        const bit = 1 << ((CLASS_OF[count] ?? 1) - 1);
        const seen = this.#seen[at] ?? 0;
        if ((seen & bit) !== 0) continue;
        this.#seen[at] = seen | bit;
        fresh++;
      }
      words[word] = 0;
    }
    this.#features += fresh;
    return fresh;
  }

  /** The features of one input, and clears the counters. What was seen stays as it is. */
  list(classes = true): number[] {
    const features: number[] = [];
    for (const [at, count] of this.#counters.entries()) {
      if (count > 0) features.push(classes ? at * 8 + (CLASS_OF[count] ?? 1) - 1 : at);
    }
    this.clear();
    return features;
  }

  /** Forgets the counters of one input. */
  clear(): void {
    this.#words.fill(0);
  }
}
