// SPDX-License-Identifier: Apache-2.0
// LZO1X, from the description of the stream in Linux, Documentation/staging/lzo.rst (bitstream version 0).
import { ImageError } from '../error.js';
import { copyWithin } from './snappy.js';

/** The last instruction was a run of four or more literals. */
const AFTER_LONG_RUN = 4;

class Lzo1x {
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  #from = 0;
  #to = 0;

  constructor(input: Uint8Array, output: Uint8Array) {
    this.#input = input;
    this.#output = output;
  }

  #fail(message: string): never {
    throw new ImageError({ code: 'BAD_DATA', message: `lzo: ${message}`, offset: this.#from });
  }

  #byte(): number {
    return this.#input[this.#from++] ?? this.#fail('the stream ends within an instruction');
  }

  #u16(): number {
    return this.#byte() + 256 * this.#byte();
  }

  /** The rest of a length that did not fit the opcode: each zero byte stands for 255, the last byte is not zero. */
  #longLength(base: number): number {
    let length = base;
    for (;;) {
      const byte = this.#byte();
      if (byte !== 0) return length + byte;
      length += 255;
    }
  }

  #literals(count: number): void {
    if (this.#from + count > this.#input.length || this.#to + count > this.#output.length) {
      this.#fail(`a run of ${count} literals does not fit`);
    }
    this.#output.set(this.#input.subarray(this.#from, this.#from + count), this.#to);
    this.#from += count;
    this.#to += count;
  }

  #match(distance: number, length: number): void {
    if (distance > this.#to || this.#to + length > this.#output.length) {
      this.#fail(`a copy of ${length} bytes from ${distance} back does not fit`);
    }
    copyWithin(this.#output, this.#to, distance, length);
    this.#to += length;
  }

  /** One match instruction that is not an end mark; gives the number of literals that follow it (0 to 3). */
  #instruction(opcode: number, state: number): number | 'end' {
    const distanceLow = (opcode >> 2) & 7;
    if (opcode >= 64) {
      // 3 to 8 bytes from within 2 KiB.
      const length = opcode >= 128 ? 5 + ((opcode >> 5) & 3) : 3 + ((opcode >> 5) & 1);
      this.#match(this.#byte() * 8 + distanceLow + 1, length);
      return opcode & 3;
    }
    if (opcode >= 32) {
      // Any length from within 16 KiB.
      const bits = opcode & 31;
      const length = 2 + (bits === 0 ? this.#longLength(31) : bits);
      const word = this.#u16();
      this.#match((word >> 2) + 1, length);
      return word & 3;
    }
    if (opcode >= 16) {
      // Any length from 16 to 48 KiB back; a distance of exactly 16 KiB ends the stream.
      const bits = opcode & 7;
      const length = 2 + (bits === 0 ? this.#longLength(7) : bits);
      const word = this.#u16();
      const distance = 16384 + ((opcode & 8) << 11) + (word >> 2);
      if (distance === 16384) return 'end';
      this.#match(distance, length);
      return word & 3;
    }
    // Short copies whose reach depends on whether literals came before.
    const distance = this.#byte() * 4 + ((opcode >> 2) & 3) + 1;
    if (state === AFTER_LONG_RUN) this.#match(distance + 2048, 3);
    else this.#match(distance, 2);
    return opcode & 3;
  }

  expand(): void {
    let state = 0;
    const first = this.#input[0] ?? 0;
    if (first > 17) {
      this.#from = 1;
      this.#literals(first - 17);
      state = first >= 21 ? AFTER_LONG_RUN : first - 17;
    }
    for (;;) {
      const opcode = this.#byte();
      if (opcode < 16 && state === 0) {
        this.#literals(3 + (opcode === 0 ? this.#longLength(15) : opcode));
        state = AFTER_LONG_RUN;
        continue;
      }
      const following = this.#instruction(opcode, state);
      if (following === 'end') break;
      this.#literals(following);
      state = following;
    }
    if (this.#to !== this.#output.length) {
      this.#fail(`ends after ${this.#to} of ${this.#output.length} bytes`);
    }
    if (this.#from !== this.#input.length) this.#fail('there are bytes behind the end mark');
  }
}

/**
 * Expands one LZO1X stream into `output`, which it must fill exactly.
 *
 * @throws ImageError BAD_DATA with the offset in `input`
 */
export function expandLzo1x(input: Uint8Array, output: Uint8Array): void {
  new Lzo1x(input, output).expand();
}
