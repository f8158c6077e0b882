// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareStates } from '../../../src/kho/ioctl-log/compare-states.js';
import { errnoName } from '../../../src/kho/ioctl-log/errno.js';
import { minimiseLog } from '../../../src/kho/ioctl-log/minimise.js';
import { replayLog } from '../../../src/kho/ioctl-log/replay.js';
import { mapPages, newPageList, type PageList, type PageSlot, SPACE, unmapPages } from './page-list.js';
import { logOf, RESERVED, type Step, stepArbitrary } from './random-log.js';

/** What a call gives: an error name, or a page, a number of bytes, or nothing. */
type Result = string | number | undefined;

/** Runs steps on lists of pages. @returns each step's result, and what is mapped at the end */
function runNaively(steps: readonly Step[]): { results: Result[]; spaces: Map<number, PageList> } {
  const spaces = new Map<number, PageList>();
  const run = (step: Step): Result => {
    switch (step.do) {
      case 'alloc': {
        let id = 1;
        while (spaces.has(id)) id++;
        spaces.set(id, newPageList());
        return id;
      }
      case 'destroy':
        return spaces.delete(step.id) ? undefined : 'ENOENT';
      case 'map': {
        const list = spaces.get(step.ioas);
        if (list === undefined) return 'ENOENT';
        const mapping = {};
        const writable = (step.prot & 1) !== 0;
        const slots = Array.from({ length: step.count }, (_, index): PageSlot => {
          return { mapping, prot: naiveProt(step.prot), source: step.source + index, writable };
        });
        return resultOf(mapPages(list, slots, step.at));
      }
      case 'copy': {
        const from = spaces.get(step.from);
        if (from === undefined) return 'ENOENT';
        const slots: PageSlot[] = [];
        const copies = new Map<object, object>();
        for (let page = step.source; page < step.source + step.count; page++) {
          const slot = from.pages[page];
          if (slot === undefined) return 'ENOENT';
          const mapping = copies.get(slot.mapping) ?? {};
          copies.set(slot.mapping, mapping);
          slots.push({ ...slot, mapping, prot: naiveProt(step.prot) });
        }
        const to = spaces.get(step.to);
        return to === undefined ? 'ENOENT' : resultOf(mapPages(to, slots, step.at));
      }
      case 'unmap': {
        const list = spaces.get(step.ioas);
        return list === undefined ? 'ENOENT' : unmapPages(list, step.at, step.count);
      }
      case 'allow': {
        const list = spaces.get(step.ioas);
        if (list === undefined) return 'ENOENT';
        const ranges = step.ranges.map(([first, length]) => ({ first, last: first + length - 1 }));
        ranges.sort((a, b) => a.first - b.first);
        const [one, two] = ranges;
        if (one !== undefined && two !== undefined && two.first <= one.last) return 'EINVAL';
        list.allowed = ranges;
        return undefined;
      }
      default:
        return undefined;
    }
  };
  return { results: steps.map(run), spaces };
}

/** Flags of the calls have WRITEABLE before READABLE; protection has read before write. */
function naiveProt(flags: number): number {
  return ((flags & 2) >> 1) | ((flags & 1) << 1);
}

function resultOf(result: { readonly errno: string } | { readonly page: number }): Result {
  return 'errno' in result ? result.errno : result.page;
}

/** What the model makes of each step, in the words of the naive one. */
function runModel(steps: readonly Step[]): { results: Result[]; mapped: Record<string, string> } {
  const results: Result[] = [];
  const { contexts } = replayLog(logOf(steps), {
    onCall: (_, errno, out) => {
      if (errno !== 0) results.push(errnoName(errno));
      else {
        const iova = out['iova'] ?? out['dst_iova'];
        const plain = out['out_ioas_id'] ?? out['length'];
        results.push(
          iova !== undefined ? Number(iova / 4096n) : plain === undefined ? undefined : Number(plain),
        );
      }
    },
  });
  const mapped: Record<string, string> = {};
  for (const object of contexts[0]?.objects.values() ?? []) {
    if (object.type !== 'ioas') continue;
    for (const { start, last, prot, pages, startByte } of object.space.areas.from())
      for (let at = start; at < last; at += 4096n)
        mapped[`${object.id} ${at / 4096n}`] = `${prot & 3} ${(pages.base + startByte + at - start) / 4096n}`;
  }
  return { results, mapped };
}

describe('random logs', () => {
  it('give what a plain list of pages gives, call by call and page by page', () => {
    const steps = fc.array(stepArbitrary(false), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (tail) => {
        const all: Step[] = [{ do: 'alloc' }, { do: 'alloc' }, ...tail];
        const naive = runNaively(all);
        const model = runModel(all);
        expect(model.results).toEqual(naive.results);
        const mapped: Record<string, string> = {};
        for (const [id, { pages }] of naive.spaces)
          pages.forEach((slot, page) => {
            if (slot !== undefined) mapped[`${id} ${page}`] = `${slot.prot} ${slot.source}`;
          });
        expect(model.mapped).toEqual(mapped);
      }),
      { numRuns: 500 },
    );
  });

  it('never map what is reserved, once devices take part', () => {
    const steps = fc.array(stepArbitrary(true), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (tail) => {
        const { contexts } = replayLog(logOf([{ do: 'alloc' }, { do: 'bind', device: 0 }, ...tail]));
        for (const object of contexts[0]?.objects.values() ?? []) {
          if (object.type !== 'ioas' || object.users === 0) continue;
          for (const { start, last } of object.space.areas.from()) {
            expect(last).toBeLessThan(BigInt(SPACE) * 4096n);
            if (object.space.reserved.length > 1)
              expect(
                last < BigInt(RESERVED.first) * 4096n || start >= BigInt(RESERVED.last + 1) * 4096n,
              ).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are minimised to logs that end in the same state and have no more calls', () => {
    const steps = fc.array(stepArbitrary(true), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (tail) => {
        const log = logOf([{ do: 'alloc' }, { do: 'alloc' }, ...tail]);
        const { log: shorter, before, after, atLeast } = minimiseLog(log);
        expect(after).toBeLessThanOrEqual(before);
        expect(after).toBeGreaterThanOrEqual(atLeast);
        const [old, young] = [replayLog(log), replayLog(shorter)];
        expect(young.differences).toEqual([]);
        expect(compareStates(old.contexts, young.contexts, { addresses: true })).toEqual([]);
        expect(minimiseLog(shorter).after).toBe(after);
      }),
      { numRuns: 300 },
    );
  });
});
