// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz`: builds the thread with counters in src, starts it for each target, watches it, writes down what it finds.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { buildWorker } from './build-worker.js';
import { nameOf, readCorpus, replaceCorpus } from './corpus.js';
import type { Finding, LoopState } from './loop.js';
import { targets } from './targets.js';
import { COMPARING, type Work, type WorkerReport } from './work.js';

/** An input that takes longer than this for each MiB (and two seconds more, for a machine that is busy) hangs. */
const HANG_MS = 10_000;
const WATCH_MS = 1000;
const LONGEST_INPUT = 1 << 20;

const root = process.cwd();
const findingsFolder = join(root, 'build', 'fuzz', 'findings');

/** Runs the command. @returns its exit code: 1 when something was found */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      minutes: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      save: { type: 'boolean', default: false },
      input: { type: 'string' },
    },
  });
  const names = values.target ?? targets.map(({ name }) => name);
  const chosen = targets.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) throw new Error(`targets are ${targets.map(({ name }) => name).join(', ')}`);
  if (values.input !== undefined) {
    const [target] = chosen;
    const input = new Uint8Array(readFileSync(values.input));
    console.log(`${target?.name} ${basename(values.input)}: ${target?.run(input)}`);
    for (const { what } of target?.compare?.([input]) ?? []) console.log(`differs: ${what}`);
    return 0;
  }
  const jobs = Math.min(Number(values.jobs), chosen.length);
  const minutes = values.minutes === undefined ? undefined : (Number(values.minutes) * jobs) / chosen.length;
  const runs = Number(values.runs ?? (minutes === undefined ? 20_000 : Number.MAX_SAFE_INTEGER));
  const seed = Number(values.seed);
  const program = await buildWorker(join(root, 'build', 'fuzz', `${process.pid}`));
  const waiting = [...chosen];
  let findings = 0;
  let total = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const done = await runTarget(program, { target: next.name, seed, runs, minutes, save: values.save });
      findings += done.findings;
      total += done.runs;
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  rmSync(dirname(program), { recursive: true });
  console.log(`${total} inputs in ${chosen.length} target(s), ${findings} finding(s)`);
  return findings === 0 ? 0 : 1;
}

/** Fuzzes one target in a thread; a thread that hangs or dies is a finding, and another one goes on. */
async function runTarget(
  program: string,
  asked: Pick<Work, 'target' | 'seed' | 'runs' | 'minutes' | 'save'>,
): Promise<{ readonly runs: number; readonly findings: number }> {
  const folder = join(root, 'fixtures', 'fuzz-corpus', asked.target);
  const corpus = readCorpus(folder);
  const start = performance.now();
  let runs = 0;
  let findings = 0;
  const write = (finding: Finding): void => {
    findings++;
    const to = join(findingsFolder, asked.target);
    mkdirSync(to, { recursive: true });
    const path = join(to, `${finding.kind}-${nameOf(finding.input)}`);
    writeFileSync(path, finding.input);
    writeFileSync(`${path}.txt`, `${finding.detail}\n`);
    console.log(
      `${asked.target}: ${finding.kind}, ${finding.input.length} bytes in ${path}\n${finding.detail}`,
    );
  };
  for (let attempt = 0; runs < asked.runs && attempt < 5; attempt++) {
    const spent = (performance.now() - start) / 60_000;
    if (asked.minutes !== undefined && spent >= asked.minutes) break;
    const state = await runThread(
      program,
      {
        ...asked,
        corpus,
        seed: asked.seed + attempt * 0x10_0000,
        runs: asked.runs - runs,
        minutes: asked.minutes === undefined ? undefined : asked.minutes - spent,
        shared: new SharedArrayBuffer(8 + LONGEST_INPUT),
      },
      write,
      (small) => replaceCorpus(folder, small),
    );
    runs += state?.runs ?? 0;
    const seconds = (performance.now() - start) / 1000;
    if (state !== undefined) console.log(summary(asked.target, asked.seed, state, seconds));
  }
  return { runs, findings };
}

/** One thread. @returns where it was when it ended, whichever way */
function runThread(
  program: string,
  work: Work,
  write: (finding: Finding) => void,
  save: (corpus: readonly Uint8Array[]) => void,
): Promise<LoopState | undefined> {
  return new Promise((resolve, reject) => {
    const beats = new Int32Array(work.shared, 0, 2);
    let state: LoopState | undefined;
    let finished = false;
    let [beat, still] = [0, 0];
    const current = (): Uint8Array =>
      new Uint8Array(work.shared, 8).slice(0, Math.max(0, Atomics.load(beats, 1)));
    const worker = new Worker(program, {
      workerData: work,
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 },
    });
    const watch = setInterval(() => {
      const now = Atomics.load(beats, 0);
      // Before the first input, and while many are compared, a busy machine may take its time.
      const isRunning = now > 0 && Atomics.load(beats, 1) !== COMPARING;
      still = now === beat && isRunning ? still + WATCH_MS : 0;
      beat = now;
      if (finished || still < HANG_MS) return;
      finished = true;
      write({ kind: 'hang', input: current(), detail: `more than ${HANG_MS / 1000} s` });
      void worker.terminate();
    }, WATCH_MS);
    worker.on('message', (report: WorkerReport) => {
      if (report.kind === 'finding') write(report.finding);
      else {
        state = report.state;
        finished ||= report.kind !== 'progress';
        if (report.kind === 'done' && report.corpus !== undefined) save(report.corpus);
      }
    });
    worker.on('error', (error) => {
      if (Atomics.load(beats, 0) === 0) reject(error);
      else if (!finished) write({ kind: 'crash', input: current(), detail: error.stack ?? error.message });
    });
    worker.on('exit', () => {
      clearInterval(watch);
      resolve(state);
    });
  });
}

function summary(target: string, seed: number, state: LoopState, seconds: number): string {
  const outcomes = [...state.outcomes].sort((a, b) => b[1] - a[1]).slice(0, 12);
  return [
    `${target} (seed ${seed}): ${state.runs} inputs in ${seconds.toFixed(0)} s, ${(state.runs / seconds).toFixed(0)}/s`,
    `${state.features} features, ${state.kept} kept, ${state.compared} compared with another program`,
    `slowest ${state.slowest.toFixed(0)} ms, memory +${(state.grown / 2 ** 20).toFixed(0)} MiB`,
    outcomes.map(([outcome, count]) => `${outcome} ${count}`).join(', '),
  ].join('; ');
}
