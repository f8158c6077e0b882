// SPDX-License-Identifier: Apache-2.0
// A corpus made small: as few inputs as show every branch that all of them show, each as short as shows its own.
import { minimiseNow, minimising } from '../../src/fuzz/shrink.js';
import { cutBytes } from '../../src/fuzz/shrink-bytes.js';
import type { Coverage } from './coverage.js';
import type { FuzzTarget } from './target.js';

/** Bytes of a corpus at most: what shows least for its size is left out. */
const MAX_TOTAL = 128 * 1024;
/** Attempts at most to cut something out of one input. */
const MAX_CUTS = 400;
/** Shorter stretches are not worth an attempt. */
const SMALLEST_CUT = 4;

/** What running an input shows: branches without how often; nothing when it crashes. */
function branches(target: FuzzTarget, coverage: Coverage, input: Uint8Array): readonly number[] {
  coverage.clear();
  try {
    target.run(input);
  } catch {
    coverage.clear();
    return [];
  }
  return coverage.list(false);
}

/**
 * The inputs that a corpus is as good as, together with those that the target begins with anyway; smallest first.
 */
export function minimise(
  target: FuzzTarget,
  coverage: Coverage,
  corpus: readonly Uint8Array[],
): Uint8Array[] {
  // Tables that are made when they are first needed would count for whoever comes first.
  for (const input of corpus) branches(target, coverage, input);
  const left = new Set<number>();
  const shown = [...corpus]
    .sort((a, b) => a.length - b.length)
    .map((input) => ({ input, features: branches(target, coverage, input) }));
  for (const { features } of shown) for (const feature of features) left.add(feature);
  for (const input of target.seeds()) {
    for (const feature of branches(target, coverage, input)) left.delete(feature);
  }
  const kept: Uint8Array[] = [];
  let total = 0;
  // The inputs that show most of what is left come first, so that few are needed.
  while (left.size > 0) {
    let best: { readonly input: Uint8Array; readonly own: readonly number[] } | undefined;
    for (const { input, features } of shown) {
      const own = features.filter((feature) => left.has(feature));
      if (best === undefined || own.length / cost(input) > best.own.length / cost(best.input))
        best = { input, own };
    }
    if (best === undefined || best.own.length === 0) break;
    for (const feature of best.own) left.delete(feature);
    const short = shorten(target, coverage, best.input, best.own);
    total += short.length;
    if (total > MAX_TOTAL) break;
    kept.push(short);
  }
  return kept.sort((a, b) => a.length - b.length);
}

/** What an input takes up in the repository: a long one has to show more. */
function cost(input: Uint8Array): number {
  return 256 + input.length;
}

/** Cuts out of an input whatever it does not need to show `features`. */
function shorten(
  target: FuzzTarget,
  coverage: Coverage,
  input: Uint8Array,
  features: readonly number[],
): Uint8Array {
  const shows = (candidate: Uint8Array): boolean => {
    const shown = new Set(branches(target, coverage, candidate));
    return features.every((feature) => shown.has(feature));
  };
  if (!shows(input)) return input;
  return minimiseNow(minimising(input, [cutBytes(SMALLEST_CUT)], { maxRuns: MAX_CUTS, rounds: 1 }), shows)
    .bytes;
}
