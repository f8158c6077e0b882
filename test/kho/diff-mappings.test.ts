// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openImage, PageStore } from '../../src/image/index.js';
import { diffPageTables, diffUnits } from '../../src/kho/index.js';
import { countPages, subtractIntervals } from '../../src/kho/page-intervals.js';
import { findDevice, MAPPING, TableBuilder, type TableRoot } from '../../src/vtd/index.js';
import { trimmedCore } from '../image/image-files.js';
import { type Guest, rootOf, truthOf } from '../vtd/truth.js';

/** The unit of a guest. */
const unitOf = (guest: Guest) => rootOf(truthOf(guest));
const READ_WRITE = MAPPING.READ | MAPPING.WRITE;

/** Tables of some 4 KiB mappings: page of the IOVA to page frame. */
function tables(mappings: ReadonlyMap<number, number>): { memory: PageStore; root: TableRoot } {
  const memory = new PageStore();
  let next = 0x100;
  const builder = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => next++,
    put: (pfn, page) => memory.putPage(pfn, page.slice()),
  });
  for (const [page, pfn] of [...mappings].sort(([a], [b]) => a - b))
    builder.map(BigInt(page) << 12n, BigInt(pfn) << 12n, 4096n, READ_WRITE);
  return { memory, root: builder.finish() };
}

describe('diffPageTables', () => {
  it('tells, page by page, what a comparison of the mappings themselves tells', () => {
    const mappings = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0x10000, max: 0x10004 })), {
        maxLength: 40,
      })
      .map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(mappings, mappings, (before, after) => {
        const [a, b] = [tables(before), tables(after)];
        const told = new Map<number, readonly [number | undefined, number | undefined]>();
        for (const { of, before: from, after: to } of diffPageTables(a.memory, a.root, b.memory, b.root)
          .changes) {
          const [first, pages] = [Number(BigInt(of[1] ?? 0) >> 12n), Number(BigInt(of[2] ?? 0) >> 12n)];
          for (let page = 0; page < pages; page++) {
            const frames = [from, to].map((side) =>
              side?.kind === 'mapping' ? Number(side.phys >> 12n) + page : undefined,
            );
            told.set(first + page, [frames[0], frames[1]]);
          }
        }
        const expected = new Map<number, readonly [number | undefined, number | undefined]>();
        for (const page of new Set([...before.keys(), ...after.keys()]))
          if (before.get(page) !== after.get(page)) expected.set(page, [before.get(page), after.get(page)]);
        expect([...told].sort(([x], [y]) => x - y)).toEqual([...expected].sort(([x], [y]) => x - y));
      }),
      { numRuns: 60 },
    );
  });

  it('tells as many stretches as asked for, and how many there are', () => {
    const a = tables(new Map(Array.from({ length: 50 }, (_, page) => [page * 2, 0x2000 + page])));
    const b = tables(new Map());
    const found = diffPageTables(a.memory, a.root, b.memory, b.root, { maxMappings: 10 });
    expect(found.changes).toHaveLength(10);
    expect(found.notes.map(({ text }) => text)).toEqual([
      'page table: 40 further stretches of IOVAs differ (--full lists them)',
    ]);
  });

  it('says that tables are missing', () => {
    const a = tables(new Map([[1, 0x2000]]));
    const found = diffPageTables(a.memory, a.root, new PageStore(), a.root);
    expect(found.changes).toHaveLength(1);
    expect(found.notes[0]?.text).toBe('page table: 1 page tables are not in the images; they count as empty');
  });
});

describe('diffUnits', () => {
  const legacy = openImage(trimmedCore('vtd-legacy'));
  const scalable = openImage(trimmedCore('vtd-scalable'));

  it('finds that two guests map the same in legacy and in scalable mode, as an independent walker did', () => {
    const found = diffUnits(legacy, unitOf('vtd-legacy'), scalable, unitOf('vtd-scalable'));
    expect(found.changes).toEqual([]);
    expect(found.notes.map(({ text }) => text)).toEqual(['tables of devices: legacy mode -> scalable mode']);
  });

  it('names one leaf of one device that leads elsewhere', () => {
    const changed = new PageStore(legacy);
    const top = findDevice(legacy, unitOf('vtd-legacy'), 0x28).tables?.second?.table ?? 0n;
    let table = top;
    for (let level = 4; level > 1; level--) table = legacy.u64(table) & 0xffff_ffff_f000n;
    // IOVA 0 of device 00:05.0, by the oracle at 0x1368000.
    expect(legacy.u64(table) & 0xffff_ffff_f000n).toBe(0x136_8000n);
    changed.writeU64(table, legacy.u64(table) ^ 0x8000n);
    const found = diffUnits(legacy, unitOf('vtd-legacy'), changed, unitOf('vtd-legacy'));
    expect(found.changes).toMatchObject([
      {
        part: 'mapping',
        kind: 'changed',
        of: ['domain of 0000:00:05.0', '0x0', '4096'],
        before: { phys: 0x136_8000n },
        after: { phys: 0x136_0000n },
      },
    ]);
  });
});

describe('subtractIntervals', () => {
  it('leaves what is only in the first set', () => {
    const set = fc.uniqueArray(fc.integer({ min: 0, max: 60 })).map((pages) => new Set(pages));
    fc.assert(
      fc.property(set, set, (a, b) => {
        const only = [...a].filter((page) => !b.has(page));
        const left = subtractIntervals(intervals(a), intervals(b));
        expect(left).toEqual(intervals(new Set(only)));
        expect(countPages(left)).toBe(only.length);
      }),
    );
  });
});

/** A set of pages as intervals that do not touch. */
function intervals(pages: ReadonlySet<number>): { starts: Float64Array; ends: Float64Array } {
  const all = Array.from({ length: 62 }, (_, page) => page);
  const starts = all.filter((page) => pages.has(page) && !pages.has(page - 1));
  const ends = all.filter((page) => !pages.has(page) && pages.has(page - 1));
  return { starts: Float64Array.from(starts), ends: Float64Array.from(ends) };
}
