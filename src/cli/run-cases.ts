// SPDX-License-Identifier: Apache-2.0
// The cases of a folder run one after another, or several at a time.
import type { FuzzCase } from '../fuzz/manifest.js';
import {
  type ExitCodes,
  judgeEnding,
  type NamesWanted,
  OUTCOME_CLASSES,
  type Outcome,
} from '../fuzz/outcome.js';
import { givenCase, readCase } from './case-folder.js';
import { whileInterruptible } from './interruption.js';
import { startProgress } from './progress.js';
import type { ResultsFile } from './results-file.js';
import type { ProgramRunner } from './run-program.js';

const BAR_WIDTH = 24;

/** What to run, and where results go. */
export interface CaseRun {
  readonly folder: string;
  readonly cases: readonly FuzzCase[];
  readonly runner: ProgramRunner;
  readonly results: ResultsFile;
  readonly codes: ExitCodes;
  /** How many of the rules and codes of a label have to be named. */
  readonly names: NamesWanted | undefined;
  /** What text tells one. */
  readonly ruleText: string;
  /** Programs at a time. */
  readonly jobs: number;
}

/** What came of it. */
export interface CasesRun {
  /** Of the cases in their order; `undefined` for those that were not run. */
  readonly outcomes: readonly (Outcome | undefined)[];
  /** Cases that were run now, the others being known from before. */
  readonly ran: number;
  /** The signal that interrupted it. */
  readonly interrupted: NodeJS.Signals | undefined;
}

/**
 * Runs all cases of which the results are not known. A signal ends what is running; those cases count as not run.
 *
 * @throws FileError for a case that is not what the manifest says, or a program that cannot be started
 */
export async function runCases(run: CaseRun): Promise<CasesRun> {
  const { folder, cases, runner, results, codes, names, ruleText, jobs } = run;
  const outcomes = new Array<Outcome | undefined>(cases.length);
  const counts = new Map<string, number>();
  const settle = (index: number, outcome: Outcome): void => {
    outcomes[index] = outcome;
    counts.set(outcome.class, (counts.get(outcome.class) ?? 0) + 1);
  };
  const waiting: number[] = [];
  cases.forEach((each, index) => {
    const ending = results.known(each);
    // Results may not say what was named, or by another text.
    const isKnown = ending !== undefined && (names === undefined || ending.told !== undefined);
    if (isKnown) settle(index, judgeEnding(ending, codes, each.expected, names));
    else waiting.push(index);
  });
  const start = performance.now();
  let ran = 0;
  const progress = startProgress('running');
  const tell = (): string =>
    progressText(
      cases.length - waiting.length + ran,
      cases.length,
      counts,
      (ran * 1000) / (performance.now() - start),
    );
  const interrupted = await whileInterruptible(
    () => runner.kill(),
    async (isInterrupted) => {
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < waiting.length && !isInterrupted()) {
          const index = waiting[next++];
          const each = index === undefined ? undefined : cases[index];
          if (index === undefined || each === undefined) return;
          // What is run is what the labels are about.
          readCase(folder, each);
          const { milliseconds, stdout, stderr, ...ending } = await runner.run(givenCase(folder, each), {
            names: each.expected.rules,
            text: ruleText,
          });
          if (isInterrupted()) return;
          const outcome = judgeEnding(ending, codes, each.expected, names);
          const printed = outcome.class === 'ok' ? {} : { stdout, stderr };
          results.append(each, ending, { ...outcome, ms: Math.round(milliseconds), ...printed });
          settle(index, outcome);
          ran++;
          progress.tell(tell);
        }
      };
      try {
        await Promise.all(Array.from({ length: Math.min(jobs, waiting.length) }, work));
      } finally {
        // After a failure of one the others are still at it.
        next = waiting.length;
        runner.kill();
        progress.end();
      }
    },
  );
  return { outcomes, ran, interrupted };
}

function progressText(
  done: number,
  total: number,
  counts: ReadonlyMap<string, number>,
  rate: number,
): string {
  const filled = Math.floor((BAR_WIDTH * done) / Math.max(1, total));
  const bar = `${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}`;
  const classes = OUTCOME_CLASSES.flatMap((name) => {
    const count = counts.get(name);
    return count === undefined ? [] : [`${count} ${name}`];
  });
  return `[${bar}] ${done}/${total}  ${classes.join(', ')}  ${rate.toFixed(0)}/s`;
}
