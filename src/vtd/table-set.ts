// SPDX-License-Identifier: Apache-2.0

const CHUNK_SHIFT = 12;
const CHUNK = 1 << CHUNK_SHIFT;

/**
 * The table pages that a walk has reached, by frame, each with the level at which it was reached first. A byte per
 * frame in chunks that stand for 16 MiB of memory: table pages lie together more often than not.
 */
export class TableSet {
  readonly #chunks = new Map<number, Uint8Array>();
  /** First frame of the chunk that was used last. */
  #first = -CHUNK;
  #chunk: Uint8Array = new Uint8Array(0);

  /** The level at which `frame` was reached, 0 if it was not. */
  level(frame: number): number {
    if (!this.#select(frame)) return 0;
    return this.#chunk[frame - this.#first] ?? 0;
  }

  /** Notes that `frame` was reached at `level`. */
  add(frame: number, level: number): void {
    if (!this.#select(frame)) {
      this.#chunk = new Uint8Array(CHUNK);
      const number = Math.floor(frame / CHUNK);
      this.#first = number * CHUNK;
      this.#chunks.set(number, this.#chunk);
    }
    this.#chunk[frame - this.#first] = level;
  }

  #select(frame: number): boolean {
    const within = frame - this.#first;
    if (within >= 0 && within < CHUNK) return true;
    const number = Math.floor(frame / CHUNK);
    const chunk = this.#chunks.get(number);
    if (chunk === undefined) return false;
    this.#first = number * CHUNK;
    this.#chunk = chunk;
    return true;
  }
}

/** Frames in the order they came. */
export class FrameList {
  #frames = new Float64Array(64);
  length = 0;

  push(frame: number): void {
    if (this.length === this.#frames.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.#frames);
      this.#frames = grown;
    }
    this.#frames[this.length++] = frame;
  }

  /** The frames, as an array of just their number. */
  toArray(): Float64Array {
    return this.#frames.slice(0, this.length);
  }
}
