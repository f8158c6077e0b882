// SPDX-License-Identifier: Apache-2.0
// The comparison of our walks with those of the walker in C covers what it says: both stages, every depth, leaves of
// every size; and it would tell.
import { describe, expect, it } from 'vitest';
import type { WalkResult } from '../../src/vtd/index.js';
import { buildWithGcc } from '../oracle/oracle.js';
import { Random } from '../random.js';
import { Mutation } from './mutate.js';
import { vtdTarget, walkOf } from './targets/vtd.js';
import { compareWithWalker } from './walk-difference.js';

/** Stage and levels of an input, as its second byte has them. */
const SHAPES = [
  ['second', 3, 0x30],
  ['second', 4, 0x40],
  ['second', 5, 0x50],
  ['first', 4, 0x41],
  ['first', 5, 0x51],
] as const;

const seeds = vtdTarget.seeds().filter((input) => input[0] === 0);
const installed = buildWithGcc('walk') !== undefined;

/** The same extents but for the first one, of which the frame is another. */
function wrong(result: WalkResult | undefined): WalkResult | undefined {
  if (result === undefined) return undefined;
  const frame = result.extents.frame.slice();
  frame[0] = (frame[0] ?? 0) ^ 1;
  return { ...result, extents: { ...result.extents, frame } };
}

describe.skipIf(!installed).each(SHAPES)('walks of the %s stage with %d levels', (stage, levels, shape) => {
  const own = seeds.filter((input) => input[1] === shape);

  it('begin with tables that have leaves of every size', () => {
    expect(own.length).toBeGreaterThan(0);
    const walked = own.map(walkOf);
    const sizes = new Set(
      walked.flatMap((result) => {
        const { bits, length } = result?.extents ?? { bits: new Uint16Array(), length: 0 };
        return Array.from({ length }, (_, row) => (bits[row] ?? 0) >> 8);
      }),
    );
    expect({ stage, levels, sizes: sizes.size }).toEqual({ stage, levels, sizes: 3 });
  });

  it('are those of the walker in C on mutated tables, and a wrong extent would be told', () => {
    const random = new Random(levels);
    const mutation = new Mutation(vtdTarget, random);
    const inputs = [...own];
    while (inputs.length < 60) {
      const changed = mutation.change(random.pick(own), random.pick(own));
      if (changed[0] === 0 && changed[1] === shape && walkOf(changed) !== undefined) inputs.push(changed);
    }
    const distinct = new Set(inputs.map((input) => walkOf(input)?.extentCount));
    expect(distinct.size).toBeGreaterThan(3);
    expect(compareWithWalker(walkOf)?.(inputs)).toEqual([]);
    const told = compareWithWalker((input) => wrong(walkOf(input)))?.(own) ?? [];
    // Some captured tables map nothing.
    const mapping = own.filter((input) => (walkOf(input)?.extentCount ?? 0) > 0);
    expect(mapping.length).toBeGreaterThan(0);
    expect(told.map(({ input }) => input)).toEqual(mapping);
  });
});
