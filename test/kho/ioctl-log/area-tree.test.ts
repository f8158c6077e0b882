// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AreaTree, type Interval } from '../../../src/kho/ioctl-log/area-tree.js';

const SPACE = 400;

describe('a tree of areas', () => {
  it('finds the lowest hole and overlap that looking at every address finds', () => {
    const step = fc.record({
      start: fc.nat(SPACE),
      length: fc.integer({ min: 1, max: 6 }),
      remove: fc.boolean(),
      wanted: fc.integer({ min: 2, max: 12 }),
      alignment: fc.constantFrom(1, 2, 4, 8),
      from: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 150 }), (steps) => {
        const tree = new AreaTree<Interval>();
        const taken: (Interval | undefined)[] = Array(SPACE + 8).fill(undefined);
        let size = 0;
        for (const { start, length, remove, wanted, alignment, from } of steps) {
          const range = Array.from({ length }, (_, index) => start + index);
          const first = range.map((at) => taken[at]).find((each) => each !== undefined);
          expect(tree.firstIn(BigInt(start), BigInt(start + length - 1))).toBe(first);
          if (first === undefined) {
            const item = { start: BigInt(start), last: BigInt(start + length - 1) };
            tree.insert(item);
            for (const at of range) taken[at] = item;
            size++;
          } else if (remove) {
            tree.remove(first);
            for (let at = Number(first.start); at <= Number(first.last); at++) taken[at] = undefined;
            size--;
          }
          expect(tree.size).toBe(size);
          let lowest: bigint | undefined;
          for (let at = from; at + wanted <= SPACE && lowest === undefined; at++) {
            const isFree = Array.from({ length: wanted }, (_, index) => taken[at + index]).every(
              (each) => each === undefined,
            );
            if (at % alignment === 0 && isFree) lowest = BigInt(at);
          }
          const request = { length: BigInt(wanted), alignment: BigInt(alignment), offset: 0n };
          expect(tree.findHole(BigInt(from), BigInt(SPACE - 1), request)).toBe(lowest);
        }
        const inOrder = [...tree.from()].map(({ start }) => start);
        expect(inOrder).toEqual([
          ...new Set(taken.flatMap((each) => (each === undefined ? [] : [each.start]))),
        ]);
      }),
      { numRuns: 60 },
    );
  });
});
