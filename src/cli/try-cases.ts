// SPDX-License-Identifier: Apache-2.0
// `kho try --cases`: the labelled cases of a folder given to a kernel, against what is predicted of them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KhoError } from '../bytes/issue.js';
import type { FuzzCase } from '../fuzz/manifest.js';
import { openImage } from '../image/open.js';
import { Handover } from '../kho/handover.js';
import { type KernelPrediction, predictKernel } from '../kho/kernel-prediction.js';
import { agreementOf } from '../kho/verdict-agreement.js';
import type { JudgedCase } from '../render/try-cases-text.js';
import { TryError } from '../try/error.js';
import type { Expected } from '../try/expected.js';
import { type TryOptions, tryImage } from '../try/try-image.js';
import { casePath, MANIFEST_FILE, readCase, readManifestFile } from './case-folder.js';
import { UsageError } from './failure.js';
import { whileInterruptible } from './interruption.js';
import type { NamedKernel } from './kernel-input.js';
import { startProgress } from './progress.js';
import { type TrialRecord, TrialResults } from './trial-results.js';

/** What is asked for. */
export interface CaseTrials {
  readonly folder: string;
  readonly kernel: NamedKernel;
  /** Machines at a time. */
  readonly jobs: number;
  readonly options: Omit<TryOptions, 'kernel'>;
  /** What should come back of a case, where that is known. */
  readonly expectation: (given: FuzzCase) => Partial<Expected> | undefined;
}

/** What came of it. */
export interface CasesTried {
  /** In the order of the manifest; without those that an interruption left untried. */
  readonly cases: readonly JudgedCase[];
  readonly interrupted: NodeJS.Signals | undefined;
}

/**
 * Gives all cases to a kernel of which it is not known what it does with them.
 *
 * @throws UsageError for cases that are no images; FileError; TryError NO_QEMU
 */
export async function tryCases({
  folder,
  kernel,
  jobs,
  options,
  expectation,
}: CaseTrials): Promise<CasesTried> {
  const manifestFile = join(folder, MANIFEST_FILE);
  const { form, cases } = readManifestFile(manifestFile);
  if (form !== 'image')
    throw new UsageError(
      `${manifestFile} is of ${form} cases: kernels boot images (kho fuzz gen --form image)`,
    );
  const hash = createHash('sha256').update(readFileSync(kernel.file)).digest('hex');
  const results = new TrialResults(folder, hash);
  const abort = new AbortController();
  const judged = new Map<number, JudgedCase>();
  const progress = startProgress('trying');
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < cases.length && !abort.signal.aborted) {
      const index = next++;
      const given = cases[index];
      if (given === undefined) return;
      const known = results.known(given);
      if (known === undefined) readCase(folder, given);
      const image = openImage(casePath(folder, given));
      try {
        const prediction = predict(image, kernel);
        let trial = known;
        if (trial === undefined) {
          trial = await tryCase(image, { ...options, kernel: kernel.kernel, signal: abort.signal }, () =>
            expectation(given),
          );
          results.append(given, trial);
        }
        judged.set(index, judgedCase(given, prediction, trial));
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      } finally {
        image.close();
      }
      progress.update(judged.size, cases.length);
    }
  };
  const interrupted = await whileInterruptible(
    () => abort.abort(),
    async () => {
      try {
        await Promise.all(Array.from({ length: Math.min(jobs, cases.length) }, work));
      } finally {
        // After a failure of one the others are still at it.
        abort.abort();
        progress.end();
      }
    },
  );
  return { cases: [...judged].sort(([a], [b]) => a - b).map(([, each]) => each), interrupted };
}

type Image = ReturnType<typeof openImage>;

const NOTHING_SAID: KernelPrediction = { effect: 'none', rules: [] };

function predict(image: Image, { kernel }: NamedKernel): KernelPrediction {
  try {
    return predictKernel(Handover.open(image), image, kernel.release.match(/^\d+\.\d+(\.\d+)?/)?.[0]);
  } catch (error) {
    // Where there is no root there is nothing to hand over.
    if (error instanceof KhoError) return { ...NOTHING_SAID, effect: 'plain-boot' };
    throw error;
  }
}

/** Tries a case; what keeps one from being tried is told and is no failure of the others. */
async function tryCase(
  image: Image,
  options: TryOptions,
  expectation: () => Partial<Expected> | undefined,
): Promise<TrialRecord> {
  try {
    const { outcome, silent, lastWords, losses, seconds } = await tryImage(image, {
      ...options,
      expected: expectation(),
    });
    const told = [...lastWords, ...losses.map(({ what, message }) => `${what}: ${message}`)].slice(0, 5);
    return { outcome, silent, told, seconds: Math.round(seconds * 10) / 10 };
  } catch (error) {
    if (!(error instanceof KhoError) || (error instanceof TryError && error.code === 'NO_QEMU')) throw error;
    return { outcome: null, silent: false, told: [error.message], seconds: 0 };
  }
}

function judgedCase(
  { file, operators, expected }: FuzzCase,
  { effect, rules }: KernelPrediction,
  { outcome, silent, told }: TrialRecord,
): JudgedCase {
  return {
    file,
    operators: operators.map(({ id }) => id),
    label: expected.effect ?? null,
    predicted: effect,
    rules,
    outcome,
    silent,
    told,
    agreement: outcome === null ? null : agreementOf(effect, { outcome, silent }),
  };
}
