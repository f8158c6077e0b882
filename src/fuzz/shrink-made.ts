// SPDX-License-Identifier: Apache-2.0
// Cases made small as what they were made of: with fewer changes, and of a handover that holds less.
import { KhoError } from '../bytes/issue.js';
import type { HandoverDescription } from '../kho/handover-description.js';
import { type MadeCase, remake } from './case-set.js';
import type { CaseContent, CaseSource } from './case-source.js';
import { cutList } from './cut.js';
import { HandoverBench } from './handover-bench.js';
import { ImageSource } from './image-source.js';
import { machineOf } from './made-handover.js';
import { mixSeeds } from './random.js';
import type { Repro } from './repro.js';
import { type Candidate, isSame, type Shrinker, type ShrinkPass } from './shrink.js';
import { shrinkDescription } from './shrink-description.js';
import { fieldOf } from './spots.js';

/** Seeds to try for a change that is to be made to the same field as before. */
const SEEDS = 8;

/** A change by its id, and the field that it was made to. */
interface Change {
  readonly id: string;
  readonly field: string;
}

/**
 * Makes a case again with fewer changes, then of less and less: sessions, files, regions, objects, address spaces. What
 * is made is a case with a label of its own. Passes over all input but the case itself.
 *
 * @param first - the case, as `remake` makes it of its repro
 */
export function shrinkMade(source: CaseSource, repro: Repro, first: MadeCase): ShrinkPass {
  return function* (input): Shrinker {
    if (!isSame(input, first.bytes)) return;
    const all = first.operators.map(({ id, at }): Change => ({ id, field: fieldOf(at) }));
    const candidate = (
      changes: readonly Change[],
      make: (ids: readonly string[], seed: number) => CaseContent | undefined,
      step: string,
    ): Candidate | undefined => {
      const made = alike(changes, repro.seed, make);
      return made && { bytes: made.bytes, step, made };
    };
    const changes = yield* cutList(all, (left) => {
      const ids = left.map(({ id }) => id);
      const step = ids.length === 0 ? 'no change' : `only ${ids.join(' and ')}`;
      return candidate(left, (operators, seed) => remake(source, { ...repro, operators, seed }), step);
    });
    const { base, form } = repro;
    const start = source instanceof ImageSource && typeof base === 'number' && form === 'image';
    const description = start ? source.describe(base) : undefined;
    if (!start || description === undefined) return;
    yield* shrinkDescription(description, (smaller, step) => {
      const bench = soundBench(smaller);
      return bench && candidate(changes, (ids, seed) => source.makeOf(bench, ids, seed), step);
    });
  };
}

/** What a description makes; `undefined` where it cannot be made, or is not sound as it is. */
function soundBench(description: HandoverDescription): HandoverBench | undefined {
  try {
    const { memory, areas } = machineOf(description);
    const bench = new HandoverBench(memory, areas);
    return bench.told.size === 0 ? bench : undefined;
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** A case of which the changes are made to fields of the same names, as far as some seed does that. */
function alike(
  changes: readonly Change[],
  seed: number,
  make: (ids: readonly string[], seed: number) => CaseContent | undefined,
): CaseContent | undefined {
  const ids = changes.map(({ id }) => id);
  let other: CaseContent | undefined;
  for (let turn = 0; turn < SEEDS; turn++) {
    const made = make(ids, turn === 0 ? seed : mixSeeds(seed, turn));
    if (made === undefined) return other;
    if (made.missing.length > 0) continue;
    if (made.operators.every(({ at }, index) => fieldOf(at) === changes[index]?.field)) return made;
    other ??= made;
  }
  return other;
}
