// SPDX-License-Identifier: Apache-2.0
// The thread that fuzzes. Bundled with counters woven into src (see main.ts); `KHO_FUZZ_HITS` is the array of them.
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import { fuzz } from './loop.js';
import { minimise } from './minimise.js';
import { targets } from './targets.js';
import { COMPARING, readWork, type WorkerReport } from './work.js';

declare const KHO_FUZZ_HITS: Uint8Array;

// Most inputs end in a typed error, whose stack costs more than the rest of the run.
Error.stackTraceLimit = 5;

const work = readWork(workerData);
const target = targets.find(({ name }) => name === work.target);
if (target === undefined) throw new Error(`no target ${work.target}`);
const coverage = new Coverage(KHO_FUZZ_HITS);
const beats = new Int32Array(work.shared, 0, 2);
const current = new Uint8Array(work.shared, 8);

const report = (message: WorkerReport): void => parentPort?.postMessage(message);
const { corpus, ...state } = fuzz(target, coverage, {
  seed: work.seed,
  runs: work.runs,
  until: work.minutes === undefined ? undefined : performance.now() + work.minutes * 60_000,
  corpus: work.corpus,
  found: (finding) => report({ kind: 'finding', finding }),
  before: (input) => {
    // What the parent takes for the input that hung, when this stops counting.
    current.set(input.subarray(0, current.length));
    Atomics.store(beats, 1, Math.min(input.length, current.length));
    Atomics.add(beats, 0, 1);
  },
  comparing: () => Atomics.store(beats, 1, COMPARING),
  progress: (progress) => report({ kind: 'progress', state: progress }),
});
report({ kind: 'ended', state });
const small = work.save ? minimise(target, coverage, corpus) : undefined;
report({ kind: 'done', state, corpus: small });
