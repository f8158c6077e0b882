// SPDX-License-Identifier: Apache-2.0
// The loop of the fuzzer: pick an input, change it, run it, keep it when it made the code do something new.
import { KhoError } from '../../src/bytes/issue.js';
import { Random } from '../random.js';
import type { Coverage } from './coverage.js';
import { Mutation } from './mutate.js';
import type { FuzzTarget } from './target.js';

/** Inputs between two comparisons with another program. */
const BATCH = 2000;
const MiB = 2 ** 20;
/** What one input may take in memory beyond its own size. */
const MEMORY_LIMIT = 256 * MiB;
/** Inputs between two looks at how much memory the process takes. */
const MEMORY_SAMPLE = 64;

/** Something that must not happen. */
export interface Finding {
  readonly kind: 'crash' | 'hang' | 'memory' | 'difference';
  readonly input: Uint8Array;
  /** What happened; of a crash the stack. */
  readonly detail: string;
}

/** How a run goes on. */
export interface LoopOptions {
  readonly seed: number;
  /** Inputs to run at most, the first ones not counted. */
  readonly runs: number;
  /** When to stop, as `performance.now()` tells the time; default never. */
  readonly until?: number | undefined;
  /** Milliseconds that an input may take however short it is; default 1000, what a MiB may take. */
  readonly shortestLimit?: number | undefined;
  /** Inputs found by earlier runs. */
  readonly corpus: readonly Uint8Array[];
  /** Told of each finding; one of each place in the code is enough. */
  readonly found: (finding: Finding) => void;
  /** Sees each input before it is run. */
  readonly before?: ((input: Uint8Array) => void) | undefined;
  /** Told before inputs that were run are compared with another program. */
  readonly comparing?: (() => void) | undefined;
  /** Told now and then. */
  readonly progress?: ((state: LoopState) => void) | undefined;
}

/** Where a run is. */
export interface LoopState {
  /** Changed inputs run so far. */
  readonly runs: number;
  /** Inputs kept. */
  readonly kept: number;
  readonly features: number;
  /** Inputs that were compared with another program. */
  readonly compared: number;
  /** How often each outcome was seen. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Milliseconds that the slowest input took. */
  readonly slowest: number;
  /** Bytes by which the process grew at most over what it took before the first changed input. */
  readonly grown: number;
}

/** An input that did something new, and how often it was picked. */
interface Kept {
  readonly input: Uint8Array;
  /** How many features it was the first to show. */
  readonly worth: number;
  picked: number;
}

/**
 * Runs changed inputs of a target. The same target, seed and corpus give the same inputs.
 *
 * @returns where it ended, and the inputs kept, those it began with first
 */
export function fuzz(
  target: FuzzTarget,
  coverage: Coverage | undefined,
  options: LoopOptions,
): LoopState & { readonly corpus: readonly Uint8Array[] } {
  const random = new Random(options.seed);
  const mutation = new Mutation(target, random);
  const kept: Kept[] = [];
  const batch: Uint8Array[] = [];
  const outcomes = new Map<string, number>();
  const told = new Set<string>();
  let [runs, compared, slowest, grown] = [0, 0, 0, 0];

  const tell = (finding: Finding, place: string): void => {
    if (told.has(place)) return;
    told.add(place);
    options.found(finding);
  };
  const run = (input: Uint8Array): void => {
    options.before?.(input);
    const start = performance.now();
    try {
      const outcome = target.run(input);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      tell({ kind: 'crash', input, detail }, placeOf(detail, error));
    }
    const took = performance.now() - start;
    if (took > slowest) slowest = took;
    const limit = Math.max(options.shortestLimit ?? 1000, (1000 * input.length) / MiB);
    if (took > limit) {
      const again = fastest(target, input, 3);
      if (again > limit) tell({ kind: 'hang', input, detail: `${again.toFixed(0)} ms` }, 'hang');
    }
    const fresh = coverage?.take() ?? 0;
    if (fresh > 0) kept.push({ input, worth: fresh, picked: 0 });
  };
  const compare = (): void => {
    options.comparing?.();
    for (const { input, what } of target.compare?.(batch) ?? [])
      tell({ kind: 'difference', input, detail: what }, what);
    compared += target.compare === undefined ? 0 : batch.length;
    batch.length = 0;
    coverage?.clear();
  };
  const state = (): LoopState => ({
    runs,
    kept: kept.length,
    features: coverage?.features ?? 0,
    compared,
    outcomes,
    slowest,
    grown,
  });

  const first = [...target.seeds(), ...options.corpus];
  for (const input of first) run(input);
  // Without coverage nothing tells the first inputs apart: all are kept.
  if (coverage === undefined) kept.push(...first.map((input) => ({ input, worth: 1, picked: 0 })));
  batch.push(...first);
  compare();
  const base = process.memoryUsage.rss();
  let [sample, highest, largest] = [base, process.resourceUsage().maxRSS * 1024, 0];
  slowest = 0;
  const pick = (): Kept => {
    // Of three the one that was tried least for what it is worth.
    let best = random.pick(kept);
    for (let more = 0; more < 2; more++) {
      const other = random.pick(kept);
      if ((other.picked + 1) * best.worth < (best.picked + 1) * other.worth) best = other;
    }
    best.picked++;
    return best;
  };
  while (runs < options.runs && !(options.until !== undefined && performance.now() > options.until)) {
    const input = mutation.change(pick().input, random.pick(kept).input);
    run(input);
    runs++;
    largest = Math.max(largest, input.length);
    if (runs % MEMORY_SAMPLE === 0) {
      // The peak never goes down: what counts is how far above the memory in use it went in the meantime.
      const peak = process.resourceUsage().maxRSS * 1024;
      grown = Math.max(grown, peak - base);
      if (peak - sample > MEMORY_LIMIT + largest && peak > highest)
        tell(
          {
            kind: 'memory',
            input,
            detail: `${Math.round((peak - sample) / MiB)} MiB, up to ${MEMORY_SAMPLE} inputs before`,
          },
          'memory',
        );
      highest = peak;
      sample = process.memoryUsage.rss();
    }
    if (target.compare !== undefined && batch.push(input) >= BATCH) compare();
    if (runs % 1000 === 0) options.progress?.(state());
  }
  compare();
  return { ...state(), corpus: kept.map(({ input }) => input) };
}

/** Milliseconds of the fastest of some runs; on a machine that has others to serve, only those of this process count. */
function fastest(target: FuzzTarget, input: Uint8Array, times: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < times; time++) {
    const start = performance.now();
    const before = process.cpuUsage();
    try {
      target.run(input);
    } catch {
      // A crash was told already.
    }
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, performance.now() - start, (user + system) / 1000);
  }
  return least;
}

/** Where a crash happened: what it is, and the first places of the stack. */
function placeOf(stack: string, error: unknown): string {
  const lines = stack.split('\n');
  const what = error instanceof KhoError ? error.code : (lines[0] ?? '').replace(/0x[0-9a-f]+|\d+/g, '#');
  const places = lines.filter((line) => /^\s+at /.test(line)).slice(0, 3);
  return [what, ...places].join('\n');
}
