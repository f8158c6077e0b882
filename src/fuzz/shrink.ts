// SPDX-License-Identifier: Apache-2.0
// Inputs made small. What proposes smaller ones are generators that yield them and are told of each whether it still
// does what the first one did; so that they are the same whether that takes a function or a program to find out.
import type { CaseContent } from './case-source.js';

/** A smaller or simpler input to try. */
export interface Candidate {
  readonly bytes: Uint8Array;
  /** What was done to it, for people. */
  readonly step: string;
  /** The case that it is, where one was made of less: that is simpler, whatever its size. */
  readonly made?: CaseContent | undefined;
}

/** An input, and the case that it was made from, where there is one. */
export type Tried = Pick<Candidate, 'bytes' | 'made'>;

/** Proposes inputs one after another, each made of the last one that still failed. Told `true` when one did. */
export type Shrinker = Generator<Candidate, void, boolean>;

/** Ways to make an input smaller, all of one kind. */
export type ShrinkPass = (input: Uint8Array) => Shrinker;

/** How far an input is made small. */
export interface MinimiseOptions {
  /** Inputs to try at most. */
  readonly maxRuns: number;
  /** How often all passes have their turn, each time only if the last one helped; default as long as it helps. */
  readonly rounds?: number | undefined;
  /** Asked before each input whether to make do with what there is. */
  readonly stop?: (() => boolean) | undefined;
  /** Told of each input that still failed. @param size - bytes before and after */
  readonly onStep?: (step: string, size: readonly [before: number, after: number], runs: number) => void;
}

/** An input made small. */
export interface Minimised extends Tried {
  /** Inputs that were tried. */
  readonly runs: number;
  /** Whether no pass knows how to make it smaller; else it was stopped before. */
  readonly complete: boolean;
}

/**
 * Makes an input small, pass after pass, until none of them helps. Yields inputs to try, wants to be told whether each
 * of them still fails. The same answers give the same inputs.
 */
export function* minimising(
  input: Uint8Array,
  passes: readonly ShrinkPass[],
  { maxRuns, rounds = Number.POSITIVE_INFINITY, stop, onStep }: MinimiseOptions,
): Generator<Tried, Minimised, boolean> {
  let best: Tried = { bytes: input };
  let runs = 0;
  const tried = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    let beforeRound = best;
    for (const pass of passes) {
      let beforePass = best;
      const shrinker = pass(best.bytes);
      for (let next = shrinker.next(); next.done !== true; ) {
        const { bytes, step, made } = next.value;
        // What comes beside the bytes may make the difference.
        const beside = made?.areas === undefined ? '' : JSON.stringify(made.areas);
        let fails = beside === '' && isSame(bytes, best.bytes);
        const key = fails ? '' : keyOf(bytes) + beside;
        if (!fails && !tried.has(key)) {
          if (runs >= maxRuns || stop?.() === true)
            return { ...smaller(best, beforePass), runs, complete: false };
          tried.add(key);
          runs++;
          const candidate = { bytes, made: made ?? best.made };
          fails = yield candidate;
          if (fails) {
            onStep?.(step, [best.bytes.length, bytes.length], runs);
            best = candidate;
            if (made !== undefined) beforePass = beforeRound = best;
          }
        }
        next = shrinker.next(fails);
      }
      best = smaller(best, beforePass);
    }
    if (smaller(best, beforeRound) === beforeRound) break;
  }
  return { ...best, runs, complete: true };
}

/** The end of {@link minimising} with a function that says at once whether an input still fails. */
export function minimiseNow(
  minimisation: Generator<Tried, Minimised, boolean>,
  fails: (input: Uint8Array) => boolean,
): Minimised {
  let next = minimisation.next();
  while (next.done !== true) next = minimisation.next(fails(next.value.bytes));
  return next.value;
}

/** The same with one that takes its time. */
export async function minimiseLater(
  minimisation: Generator<Tried, Minimised, boolean>,
  fails: (tried: Tried) => Promise<boolean>,
): Promise<Minimised> {
  let next = minimisation.next();
  while (next.done !== true) next = minimisation.next(await fails(next.value));
  return next.value;
}

/** The shorter one, of equal length the one with more zeros; `b` when neither is. */
function smaller(a: Tried, b: Tried): Tried {
  const less = a.bytes.length - b.bytes.length || nonZeros(a.bytes) - nonZeros(b.bytes);
  return less < 0 ? a : b;
}

function nonZeros(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte !== 0) count++;
  return count;
}

/** Whether inputs have the same bytes. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b || a.length !== b.length) return a === b;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Two FNV-1a hashes and the length: what was tried need not be kept. */
function keyOf(bytes: Uint8Array): string {
  let one = 0x811c9dc5;
  let two = 0x01000193;
  for (const byte of bytes) {
    one = Math.imul(one ^ byte, 0x01000193);
    two = Math.imul(two ^ byte, 0x01000197);
  }
  return `${bytes.length} ${one} ${two}`;
}
