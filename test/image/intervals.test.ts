// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findInterval, layIntervals } from '../../src/image/interval-map.js';
import { PageBitmap } from '../../src/image/page-bitmap.js';
import { mergeRuns, selectPages } from '../../src/image/page-runs.js';
import type { MemoryRange } from '../../src/image/physical-memory.js';
import { issueOf } from './image-files.js';

const SPAN = 60;
const intervals = fc.array(fc.tuple(fc.nat(SPAN), fc.nat(12)), { maxLength: 20 });

describe('layIntervals', () => {
  it.each(['first', 'last'] as const)('gives every byte to the %s interval that covers it', (winner) => {
    fc.assert(
      fc.property(intervals, (list) => {
        const starts = Float64Array.from(list, ([start]) => start);
        const ends = Float64Array.from(list, ([start, length]) => start + length);
        const map = layIntervals(starts, ends, winner);
        for (let at = 0; at < SPAN + 15; at++) {
          const covers = ([start, length]: readonly [number, number]): boolean =>
            at >= start && at < start + length;
          const owner = winner === 'first' ? list.findIndex(covers) : list.findLastIndex(covers);
          const index = findInterval(map.starts, at);
          const inside = index >= 0 && at < (map.ends[index] ?? 0);
          expect(inside ? map.owners[index] : -1).toBe(owner);
        }
        for (let index = 1; index < map.starts.length; index++) {
          expect(map.starts[index]).toBeGreaterThanOrEqual(map.ends[index - 1] ?? 0);
        }
      }),
    );
  });

  it('takes no quadratic time on nested intervals', () => {
    const count = 200_000;
    const starts = Float64Array.from({ length: count }, (_, index) => index);
    const ends = Float64Array.from({ length: count }, (_, index) => 2 * count - index);
    expect(layIntervals(starts, ends, 'last').starts.length).toBe(2 * count - 1);
    expect(layIntervals(starts, ends, 'first').starts.length).toBe(1);
  });
});

describe('PageBitmap', () => {
  it('counts set bits below a frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(40), (bytes, spare) => {
        const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
        padded.set(bytes);
        const limit = Math.max(0, bytes.length * 8 - spare);
        const isSet = (frame: number): boolean => (((bytes[frame >> 3] ?? 0) >> (frame & 7)) & 1) === 1;
        const bitmap = new PageBitmap(padded, limit);
        let rank = 0;
        for (let frame = 0; frame < limit; frame++) {
          expect(bitmap.rank(frame)).toBe(rank);
          expect(bitmap.has(frame)).toBe(isSet(frame));
          rank += isSet(frame) ? 1 : 0;
        }
        expect(bitmap.rank(limit + 1000)).toBe(rank);
        expect(bitmap.has(limit)).toBe(false);
      }),
    );
  });
});

describe('page runs', () => {
  const runs = fc.array(fc.record({ pfn: fc.nat(SPAN), count: fc.nat(10) }), { maxLength: 12 });
  const states = fc.array(fc.constantFrom<MemoryRange['state'] | 'absent'>('present', 'excluded', 'absent'), {
    minLength: SPAN,
    maxLength: SPAN,
  });

  it('are sorted, disjoint, and of the same pages', () => {
    fc.assert(
      fc.property(runs, (list) => {
        const pages = (of: typeof list): number[] => [
          ...new Set(
            of.flatMap(({ pfn, count }) => Array.from({ length: count }, (_, index) => pfn + index)),
          ),
        ];
        const merged = mergeRuns(list);
        expect(pages(merged)).toEqual(pages(list).sort((a, b) => a - b));
        for (let index = 1; index < merged.length; index++) {
          const [last, run] = [merged[index - 1], merged[index]];
          expect((run?.pfn ?? 0) > (last?.pfn ?? 0) + (last?.count ?? 0)).toBe(true);
        }
      }),
    );
  });

  it('are looked up in the ranges of an image', () => {
    fc.assert(
      fc.property(runs, states, (list, memory) => {
        const ranges: MemoryRange[] = [];
        memory.forEach((state, pfn) => {
          if (state !== 'absent') {
            ranges.push({ start: BigInt(pfn) * 4096n, end: BigInt(pfn + 1) * 4096n, state });
          }
        });
        const wanted = mergeRuns(list).flatMap(({ pfn, count }) =>
          Array.from({ length: count }, (_, index) => pfn + index),
        );
        const of = (state: string): number[] => wanted.filter((pfn) => (memory[pfn] ?? 'absent') === state);
        const selection = selectPages(list, ranges);
        expect(
          selection.present.flatMap(({ pfn, count }) =>
            Array.from({ length: count }, (_, index) => pfn + index),
          ),
        ).toEqual(of('present'));
        expect(selection).toMatchObject({ excluded: of('excluded').length, absent: of('absent').length });
        const missing = wanted.find((pfn) => memory[pfn] !== 'present');
        expect(selection.firstMissing).toBe(missing === undefined ? undefined : BigInt(missing) * 4096n);
      }),
    );
  });

  it('must be of page frames', () => {
    for (const run of [
      { pfn: -1, count: 1 },
      { pfn: 0.5, count: 1 },
      { pfn: 0, count: -1 },
      { pfn: 2 ** 40, count: 1 },
    ]) {
      expect(issueOf(() => mergeRuns([run])).code).toBe('BAD_ARGUMENT');
    }
  });
});
