// SPDX-License-Identifier: Apache-2.0
import type { ExpectedOutcome, OperatorUse } from './manifest.js';

/** A kind of change, as the list of all has it. */
export interface NamedOperator {
  readonly id: string;
  readonly family: string;
  readonly doc: string;
}

/** What a case holds, whatever it is written as. */
export interface CaseContent {
  readonly bytes: Uint8Array;
  /** How its file ends: `elf`, `dtb`, `bin`. */
  readonly extension: string;
  /** Description of address spaces to verify it with, as parsed JSON. */
  readonly areas?: unknown;
  readonly operators: readonly OperatorUse[];
  readonly expected: ExpectedOutcome;
  /** What had to be told and was not. */
  readonly missing: readonly string[];
}

/** Where cases come from: sound things, and what can be changed about them. */
export interface CaseSource {
  /** Everything that it can do, labelled changes first. */
  readonly operators: readonly NamedOperator[];
  /** Whether there is one thing to start from and no choice. */
  readonly base?: `@${string}` | undefined;
  /**
   * Makes a case.
   *
   * @param base - seed of what it starts from
   * @param operators - ids of the changes
   * @param seed - of what they choose
   * @returns `undefined` where one of the changes does not apply
   */
  make(base: number, operators: readonly string[], seed: number): CaseContent | undefined;
}

/** Families of changes whose outcome is computed. */
export const LOW_LEVEL: ReadonlySet<string> = new Set(['bits', 'bytes', 'tokens']);

/** Families of changes that are made only when they are asked for: values that are no blobs, and cases that are large. */
export const ON_DEMAND: ReadonlySet<string> = new Set(['json', 'limits']);
