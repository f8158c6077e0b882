// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../random.js';

/** One more way to change an input; `undefined` where it does not apply. Must not write to what it is given. */
export type Mutator = (input: Uint8Array, random: Random) => Uint8Array | undefined;

/** Code under fire: takes any bytes, and throws only what is a defect. */
export interface FuzzTarget {
  readonly name: string;
  /** Bytes of an input at most. */
  readonly maxLength: number;
  /** Inputs to begin with, real ones first. */
  seeds(): Uint8Array[];
  /** Byte strings that code compares with. */
  readonly words: readonly Uint8Array[];
  /** Changes at the level of the format. */
  readonly mutators: readonly Mutator[];
  /**
   * Runs the code on an input.
   *
   * @returns what came of it in a word, such as the code of the typed error
   * @throws whatever is not a typed error: a defect
   */
  run(input: Uint8Array): string;
  /**
   * Compares what another program makes of inputs with what we make of them; left out where there is none, or where it
   * cannot be built.
   *
   * @returns for each input that differs, what does
   */
  readonly compare?: ((inputs: readonly Uint8Array[]) => readonly Difference[]) | undefined;
}

/** An input of which another program says something else. */
export interface Difference {
  readonly input: Uint8Array;
  readonly what: string;
}
