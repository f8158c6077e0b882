// SPDX-License-Identifier: Apache-2.0
// Handovers in memory images made small where they lie: nodes of their FDTs go, then elements of arrays with what counts
// them, fields become as plain as they can be. What nothing leads to any more goes with the pages.
import { KhoError } from '../bytes/issue.js';
import { PageStore } from '../image/page-store.js';
import { Handover } from '../kho/handover.js';
import { type CorePages, encodeCore, readCore } from './core-pages.js';
import { type HandoverPart, partsOf } from './handover-parts.js';
import { type Candidate, isSame, type Shrinker, type ShrinkPass } from './shrink.js';
import { shrinkTree } from './shrink-tree.js';
import { shrinkValue } from './shrink-value.js';

/** Makes each part of the handover in an ELF core small, from the root on, in the order in which they are reached. */
export const shrinkHandover: ShrinkPass = function* (input): Shrinker {
  let core = readCore(input);
  if (core === undefined || !(yield { bytes: encodeCore(core), step: 'write the core anew' })) return;
  const seen = new Set<string>();
  let parts = partsIn(core);
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    const key = `${part?.address} ${part?.path}`;
    // Elements that were put together from scattered pages are made small as pages.
    if (part === undefined || part.pieces !== undefined || seen.has(key)) continue;
    seen.add(key);
    const left: CorePages = yield* shrinkPart(core, part);
    if (left === core) continue;
    core = readCore(encodeCore(left)) ?? left;
    // What it led to may have gone with it.
    parts = partsIn(core);
    at = -1;
  }
};

/** Makes one part small in its place. @returns the core with what is left of it */
function* shrinkPart(core: CorePages, part: HandoverPart): Generator<Candidate, CorePages, boolean> {
  const { layout, bytes, address, path } = part;
  let left = core;
  let last = bytes;
  const shrinker = layout.kind === 'node' ? shrinkTree(bytes) : shrinkValue(layout)(bytes);
  for (let next = shrinker.next(); next.done !== true; ) {
    const { bytes: smaller, step } = next.value;
    // Only the whole is compared otherwise, which takes longer.
    let fails = isSame(smaller, last);
    if (!fails && smaller.length <= bytes.length) {
      const whole = new Uint8Array(bytes.length);
      whole.set(smaller);
      const memory = new PageStore(core.memory);
      memory.write(address, whole);
      const changed = { ...core, memory };
      fails = yield { bytes: encodeCore(changed), step: `${path}: ${step}` };
      if (fails) {
        left = changed;
        last = smaller;
      }
    }
    next = shrinker.next(fails);
  }
  return left;
}

function partsIn({ memory }: CorePages): readonly HandoverPart[] {
  try {
    return [...partsOf(Handover.open(memory))];
  } catch (error) {
    if (error instanceof KhoError) return [];
    throw error;
  }
}
