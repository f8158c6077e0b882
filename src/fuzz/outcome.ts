// SPDX-License-Identifier: Apache-2.0
// How programs end on cases, and what is to be thought of it.
import type { ExpectedOutcome } from './manifest.js';

/** How a program ended on a case. */
export interface ProgramEnding {
  /** Exit code, `undefined` when a signal ended it. */
  readonly code?: number | undefined;
  /** `SIGSEGV`, also where a shell around the program turned it into an exit code. */
  readonly signal?: string | undefined;
  /** Whether it was ended for taking too long. */
  readonly timedOut: boolean;
  /** Whether it said that there was no memory. */
  readonly outOfMemory: boolean;
  /** What a sanitizer, a language's run-time or a kernel said of a crash. */
  readonly report?: string | undefined;
  /** Rules and codes of the label that it named; `undefined` where nobody looked for them. */
  readonly told?: readonly string[] | undefined;
}

/** What happened, worst first. */
export const OUTCOME_CLASSES = ['crash', 'memory', 'timeout', 'verdict-mismatch', 'exit', 'ok'] as const;

/** What happened. */
export type OutcomeClass = (typeof OUTCOME_CLASSES)[number];

/** A class, and what tells one thing of that class from another: the signal or report, the code, the verdict. */
export interface Outcome {
  readonly class: OutcomeClass;
  readonly what: string;
}

/** Which exit codes mean what. */
export interface ExitCodes {
  readonly accept: ReadonlySet<number>;
  readonly refuse: ReadonlySet<number>;
}

/** How many of the rules and codes of a label a program can be asked to name. */
export const NAMES_WANTED = ['one', 'all'] as const;

/** How many of the rules and codes of a label a program has to name. */
export type NamesWanted = (typeof NAMES_WANTED)[number];

/** 126 and 127 are what shells say of commands that cannot be run, and from 128 on signals. */
const FIRST_SHELL_CODE = 126;

/** Exit 0 takes a case; 1 to 125 refuse it. */
export const DEFAULT_EXIT_CODES: ExitCodes = {
  accept: new Set([0]),
  refuse: new Set(Array.from({ length: FIRST_SHELL_CODE - 1 }, (_, index) => index + 1)),
};

const SIGNAL_OFFSET = 128;
// The signals by which programs crash, by their numbers on all Linux machines that hand over.
const CRASH_SIGNALS: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  31: 'SIGSYS',
};

/** What a program did, whatever the case is: its class is `ok` for a code that means a verdict. */
export function endingOutcome(ending: ProgramEnding, codes: ExitCodes): Outcome {
  const { code, timedOut, outOfMemory, report } = ending;
  const hasVerdict = code !== undefined && (codes.accept.has(code) || codes.refuse.has(code));
  const signal =
    ending.signal ?? (code === undefined || hasVerdict ? undefined : CRASH_SIGNALS[code - SIGNAL_OFFSET]);
  if (timedOut) return { class: 'timeout', what: 'did not end in time' };
  const failed = signal !== undefined || !hasVerdict || report !== undefined;
  if (outOfMemory && failed) return { class: 'memory', what: 'no memory left' };
  if (signal === 'SIGKILL') return { class: 'memory', what: 'killed from outside, as for want of memory' };
  if (report !== undefined) return { class: 'crash', what: report };
  if (signal !== undefined) return { class: 'crash', what: signal };
  if (code === undefined || !hasVerdict) return { class: 'exit', what: `exit ${code ?? 'without a code'}` };
  return { class: 'ok', what: codes.accept.has(code) ? 'accepted' : 'refused' };
}

/**
 * The same, held against what was expected of the case.
 *
 * @param names - how many of the rules and codes of the label have to be named; default none
 */
export function judgeEnding(
  ending: ProgramEnding,
  codes: ExitCodes,
  { verdict, rules }: ExpectedOutcome,
  names?: NamesWanted,
): Outcome {
  const outcome = endingOutcome(ending, codes);
  if (outcome.class !== 'ok') return outcome;
  const accepted = outcome.what === 'accepted';
  if (accepted !== (verdict === 'valid')) {
    const broken = rules.length === 0 ? 'an invalid case' : rules.join(', ');
    return { class: 'verdict-mismatch', what: accepted ? `accepts ${broken}` : 'refuses a valid case' };
  }
  const unnamed = names === undefined ? [] : rules.filter((rule) => ending.told?.includes(rule) !== true);
  if (unnamed.length === 0 || (names === 'one' && unnamed.length < rules.length)) return outcome;
  const what = names === 'one' && unnamed.length > 1 ? 'names none of' : 'does not name';
  return { class: 'verdict-mismatch', what: `${what} ${unnamed.join(', ')}` };
}
