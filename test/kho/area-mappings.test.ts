// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openImage, PageStore } from '../../src/image/index.js';
import { AreaMappingCheck, type MappingDifference, type MappingFault } from '../../src/kho/area-mappings.js';
import { givenSpacesFromJson } from '../../src/kho/given-spaces.js';
import { type Area, listAreas, sortAreas } from '../../src/kho/sorted-areas.js';
import { ExtentList, type TableRoot, walkTable } from '../../src/vtd/index.js';
import { fixturesFolder } from '../fixtures.js';
import { describeSpaces } from './vfio-truth.js';

describe('the areas that the guest of the capture mapped', () => {
  const { spaces } = givenSpacesFromJson(describeSpaces('vtd-legacy'));
  const tables: Record<number, bigint> = { 1: 0x696d000n, 2: 0x696e000n };
  const image = openImage(join(fixturesFolder, 'kernel-7.3.4/vtd-legacy.trimmed.elf'));

  /** Checks one IOAS of the capture against its table, after some change. */
  function checkIoas(
    ioas: number,
    change: { areas?: (areas: Area[]) => Area[]; memory?: (memory: PageStore) => void } = {},
  ): readonly MappingDifference[] {
    const truth = spaces.find(({ id }) => id === ioas);
    const areas = change.areas?.([...(truth?.areas ?? [])]) ?? truth?.areas ?? [];
    const memory = new PageStore(image);
    change.memory?.(memory);
    const { columns, faults } = sortAreas(listAreas(areas));
    expect(faults).toEqual([]);
    const check = new AreaMappingCheck(columns, truth?.backing);
    const root: TableRoot = { stage: 'second', table: tables[ioas] ?? 0n, levels: 4 };
    walkTable(memory, root, { extents: check.take });
    return check.finish().differences;
  }

  it.each([1, 2])('are just what the tables of IOAS %i map', (ioas) => {
    expect(checkIoas(ioas)).toEqual([]);
  });

  it('do not cover their tables when an area grows by a page', () => {
    const differences = checkIoas(1, {
      areas: (areas) => areas.map((area) => (area.iova === 0x3000n ? { ...area, length: 0x3000n } : area)),
    });
    expect(differences).toMatchObject([{ kind: 'unmapped', iova: 0x5000n, length: 0x1000n, expected: 2 }]);
  });

  it('leave mappings over when an area shrinks', () => {
    const differences = checkIoas(1, {
      areas: (areas) => areas.map((area) => (area.iova === 0x3000n ? { ...area, length: 0x1000n } : area)),
    });
    expect(differences).toMatchObject([{ kind: 'outside', iova: 0x4000n, length: 0x1000n, found: 2 }]);
  });

  it('differ where a permission or an address was changed', () => {
    // The table of IOVAs 0 to 2 MiB, found through the path of its upper tables.
    const below = (table: bigint): bigint => image.u64(table) & 0xffffffffff000n;
    const leaves = below(below(below(tables[1] ?? 0n)));
    const entry = image.u64(leaves + 8n);
    expect(checkIoas(1, { memory: (memory) => memory.writeU64(leaves + 8n, entry & ~2n) })).toMatchObject([
      { kind: 'permission', iova: 0x1000n, length: 0x1000n, expected: 3, found: 1 },
    ]);
    expect(checkIoas(1, { memory: (memory) => memory.writeU64(leaves + 8n, entry + 0x5000n) })).toMatchObject(
      [
        {
          kind: 'repointed',
          iova: 0x1000n,
          phys: (entry & 0xffffffffff000n) + 0x5000n,
          expectedPhys: entry & 0xffffffffff000n,
        },
      ],
    );
  });
});

/** Small worlds of 40 pages. */
const WORLD = 40;
const stretches = fc.array(
  fc.record({
    at: fc.nat(WORLD - 1),
    size: fc.integer({ min: 1, max: 12 }),
    permission: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 6 },
);

describe('areas held against mappings', () => {
  it('differ page for page as a plain comparison says', () => {
    fc.assert(
      fc.property(stretches, stretches, (wanted, mapped) => {
        const areas: Area[] = wanted.map(({ at, size, permission }) => ({
          iova: BigInt(at) * 4096n,
          length: BigInt(size) * 4096n,
          permission,
        }));
        const { columns } = sortAreas(listAreas(areas));
        // What each page should be, and is: columns must not overlap, the first to come by IOVA wins.
        const should = new Map<number, number>();
        for (let row = 0; row < columns.length; row++) {
          for (let page = columns.first[row] ?? 0; page < (columns.end[row] ?? 0); page++) {
            expect(should.has(page)).toBe(false);
            should.set(page, columns.permission[row] ?? 0);
          }
        }
        const union = new Set(
          wanted.flatMap(({ at, size }) => [...Array(size).keys()].map((page) => at + page)),
        );
        expect(new Set(should.keys())).toEqual(union);
        const is = new Map<number, number>();
        for (const { at, size, permission } of mapped) {
          for (let page = at; page < at + size; page++) is.set(page, permission);
        }
        const check = new AreaMappingCheck(columns);
        for (const page of [...is.keys()].sort((a, b) => a - b)) {
          const row = new ExtentList();
          row.append({
            length: 1,
            iovaFrame: Float64Array.of(page),
            frame: Float64Array.of(1000 + page),
            frames: Float64Array.of(1),
            bits: Uint16Array.of(0x1000 | (is.get(page) ?? 0)),
          });
          check.take(row);
        }
        const found = new Map<number, MappingFault>();
        for (const { kind, iova, length } of check.finish().differences) {
          for (let at = iova; at < iova + length; at += 4096n) found.set(Number(at / 4096n), kind);
        }
        const expected = new Map<number, MappingFault>();
        for (let page = 0; page < WORLD + 12; page++) {
          const [want, have] = [should.get(page), is.get(page)];
          if (want !== undefined && have === undefined) expected.set(page, 'unmapped');
          else if (want === undefined && have !== undefined) expected.set(page, 'outside');
          else if (want !== have) expected.set(page, 'permission');
        }
        expect([...found].sort(([a], [b]) => a - b)).toEqual([...expected]);
      }),
    );
  });

  it('say what is wrong with themselves', () => {
    const area = (iova: bigint, length: bigint): Area => ({ iova, length, permission: 3 });
    const { columns, faults } = sortAreas(
      listAreas([
        area(0x1000n, 0x2000n),
        area(0x2000n, 0x3000n),
        area(0x8000n, 0x800n),
        area((1n << 64n) - 0x1000n, 0x2000n),
        area((1n << 64n) - 0x1000n, 0x1000n),
        area(0x20_0000n, 0n),
      ]),
    );
    expect(faults).toEqual([
      { kind: 'unaligned', area: 2 },
      { kind: 'wraps', area: 3 },
      { kind: 'wraps', area: 5 },
      { kind: 'overlap', area: 1, other: 0 },
    ]);
    expect([...columns.first.subarray(0, columns.length)]).toEqual([1, 3, 8, 2 ** 52 - 1]);
    expect([...columns.end.subarray(0, columns.length)]).toEqual([3, 5, 9, 2 ** 52]);
  });
});
