// SPDX-License-Identifier: Apache-2.0
// Options of the commands that run a program on cases.
import { createHash } from 'node:crypto';
import { DEFAULT_EXIT_CODES, type ExitCodes, NAMES_WANTED, type NamesWanted } from '../fuzz/outcome.js';
import { NAME_PLACE } from '../fuzz/told-names.js';
import { UsageError } from './failure.js';
import { parseNumberList } from './number-list.js';
import type { ProgramLine } from './program-line.js';
import type { ProgramLimits } from './run-program.js';

const MOST_SECONDS = 24 * 3600;
const MOST_MIB = 2 ** 30;
const HIGHEST_CODE = 255;

/** The options. */
export const PROGRAM_OPTIONS = {
  timeout: { type: 'number', default: 10, describe: 'seconds that the program may take, with all it starts' },
  memory: {
    type: 'number',
    describe:
      'MiB that the program may take: address space, or what a sanitizer says is used; default no limit',
  },
  accept: { type: 'string', default: '0', describe: 'exit codes that take a case: 0,3,10-12' },
  refuse: { type: 'string', describe: 'exit codes that refuse one; default the others up to 125' },
  'tells-rule': {
    choices: NAMES_WANTED,
    describe: 'how many of the rules or codes of its label the program must name for an invalid case',
  },
  'rule-text': {
    type: 'string',
    default: NAME_PLACE,
    describe: 'what the program prints to name a rule, {} in its place: "{}:" of kho check and verify',
  },
} as const;

/** The options as parsed. */
export interface ProgramArguments {
  readonly timeout: number;
  readonly memory: number | undefined;
  readonly accept: string;
  readonly refuse: string | undefined;
  readonly tellsRule: string | undefined;
  readonly ruleText: string;
}

/** How many rules a program must name. @throws UsageError for a text that has no room for one */
export function namesWanted({ tellsRule, ruleText }: ProgramArguments): NamesWanted | undefined {
  if (!ruleText.includes(NAME_PLACE)) throw new UsageError('--rule-text needs a {} where the rule stands');
  return NAMES_WANTED.find((each) => each === tellsRule);
}

/** The limits that options ask for. @throws UsageError for numbers out of range */
export function limitsOf({ timeout, memory }: ProgramArguments): ProgramLimits {
  if (!(timeout > 0 && timeout <= MOST_SECONDS))
    throw new UsageError(`--timeout takes seconds above 0, up to ${MOST_SECONDS}`);
  if (memory !== undefined && !(memory > 0 && memory <= MOST_MIB))
    throw new UsageError(`--memory takes MiB above 0, up to ${MOST_MIB}`);
  return { seconds: timeout, memory };
}

/** The meaning that options give exit codes. @throws UsageError for a code that has two */
export function exitCodesOf({ accept: takes, refuse: refuses }: ProgramArguments): ExitCodes {
  const accept = parseNumberList(takes, '--accept', HIGHEST_CODE);
  if (refuses === undefined) {
    const others = [...DEFAULT_EXIT_CODES.accept, ...DEFAULT_EXIT_CODES.refuse];
    return { accept, refuse: new Set(others.filter((code) => !accept.has(code))) };
  }
  const refuse = parseNumberList(refuses, '--refuse', HIGHEST_CODE);
  for (const code of refuse)
    if (accept.has(code)) throw new UsageError(`exit ${code} cannot both accept and refuse a case`);
  return { accept, refuse };
}

/** What a run is known by: the program, its arguments, and its limits. @returns 16 hex digits */
export function runHash({ hash }: ProgramLine, { seconds, memory }: ProgramLimits): string {
  return createHash('sha256').update(`${hash} ${seconds} ${memory}`).digest('hex').slice(0, 16);
}
