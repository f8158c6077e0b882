// SPDX-License-Identifier: Apache-2.0
// try-results.jsonl in a folder of cases: what a kernel did with each, a line as it comes, so that a run goes on where
// the last one ended.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzCase } from '../fuzz/manifest.js';
import type { VerdictOutcome } from '../kho/kernel-verdict.js';
import { isRecord } from '../schemas/lang/input.js';
import { inFile, isSystemError } from './failure.js';

const FILE = 'try-results.jsonl';
const OUTCOMES: readonly VerdictOutcome[] = [
  'complete',
  'content-differs',
  'restored-with-errors',
  'sessions-lost',
  'ignored',
  'panic',
  'hang',
];

/** What a kernel did with a case; predictions are made anew each time. */
export interface TrialRecord {
  /** `null` where it could not be tried. */
  readonly outcome: VerdictOutcome | null;
  readonly silent: boolean;
  readonly told: readonly string[];
  readonly seconds: number;
}

/** The results of one kernel on the cases of a folder. */
export class TrialResults {
  readonly path: string;
  readonly #kernel: string;
  readonly #known = new Map<string, TrialRecord>();

  /** @param kernel - what tells it from others: a hash. @throws FileError */
  constructor(folder: string, kernel: string) {
    this.path = join(folder, FILE);
    this.#kernel = kernel;
    for (const line of this.#lines()) {
      const record = recordIn(line);
      if (record !== undefined && record.kernel === kernel) this.#known.set(record.key, record.trial);
    }
  }

  #lines(): string[] {
    try {
      return inFile(this.path, () => readFileSync(this.path, 'utf8')).split('\n');
    } catch (error) {
      if (error instanceof Error && isSystemError(error.cause, 'ENOENT')) return [];
      throw error;
    }
  }

  /** What became of a case, where that is known. */
  known({ file, sha256 }: FuzzCase): TrialRecord | undefined {
    return this.#known.get(`${sha256} ${file}`);
  }

  /** Adds a result. @throws FileError */
  append({ file, sha256 }: FuzzCase, trial: TrialRecord): void {
    const line = { file, sha256, kernel: this.#kernel, ...trial };
    inFile(this.path, () => appendFileSync(this.path, `${JSON.stringify(line)}\n`));
  }
}

/** A line of the file; `undefined` for one that was cut short, or is none of ours. */
function recordIn(
  line: string,
): { readonly kernel: string; readonly key: string; readonly trial: TrialRecord } | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  const { file, sha256, kernel, outcome, silent, told, seconds } = parsed;
  const known = OUTCOMES.find((each) => each === outcome);
  if (typeof file !== 'string' || typeof sha256 !== 'string' || typeof kernel !== 'string') return undefined;
  if (known === undefined || typeof seconds !== 'number' || !Array.isArray(told)) return undefined;
  const words = told.map((each: unknown) => `${each}`);
  return {
    kernel,
    key: `${sha256} ${file}`,
    trial: { outcome: known, silent: silent === true, told: words, seconds },
  };
}
