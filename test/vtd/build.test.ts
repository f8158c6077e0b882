// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoreWriter, openImage, PageStore } from '../../src/image/index.js';
import {
  type Extent,
  extentAt,
  LEVEL_SHIFT,
  MAPPING,
  TableBuilder,
  type TableRoot,
  walkTable,
} from '../../src/vtd/index.js';
import { fixturesFolder } from '../fixtures.js';

/** The captured tables: addresses from the kernel's own debugfs (oracle.json of the capture). */
const CAPTURED: readonly TableRoot[] = [0x724000n, 0x696d000n, 0x696e000n].map((table) => ({
  stage: 'second',
  table,
  levels: 4,
}));

/**
 * A page without bit 10 of its entries, which belongs to software: where page walks are not coherent (ECAP.C is 0 in the
 * capture) the kernel notes there that it has flushed the entry.
 */
function withoutSoftwareBit(page: Uint8Array | string): Uint8Array {
  if (typeof page === 'string') throw new Error(page);
  return page.map((byte, at) => (at % 8 === 1 ? byte & ~4 : byte));
}

describe('rebuilding captured tables', () => {
  it.each(CAPTURED)('at $table gives the bytes that the kernel wrote', (root) => {
    const image = openImage(join(fixturesFolder, 'kernel-7.3.4/vtd-legacy.trimmed.elf'));
    const walk = walkTable(image, root);
    // The kernel keeps tables that became empty: the builder makes none, so only the others are compared.
    const frames = framesInOrder(root);
    const store = new PageStore();
    const builder = new TableBuilder({
      stage: 'second',
      levels: 4,
      allocate: () => frames.next().value ?? 0,
      put: (pfn, page) => store.putPage(pfn, page.slice()),
    });
    builder.add(walk.extents);
    const rebuilt = builder.finish();
    expect(rebuilt).toEqual(root);
    const pages = [...store.writtenPages()];
    expect(pages.length).toBe(builder.tables);
    for (const pfn of pages) {
      expect(store.page(pfn), `table ${pfn}`).toEqual(withoutSoftwareBit(image.page(pfn)));
    }
    image.close();

    /** Frames of tables that map something, parents first. */
    function* framesInOrder({ table, levels }: TableRoot): Generator<number> {
      yield Number(table >> 12n);
      yield* below(table, levels);
    }
    function* below(table: bigint, level: number): Generator<number> {
      for (let index = 0n; index < 512n && level > 1; index++) {
        const entry = image.u64(table + index * 8n);
        const child = entry & 0xffffffffff000n;
        if ((entry & 3n) === 0n || (entry & 0x80n) !== 0n || !maps(child, level - 1)) continue;
        yield Number(child >> 12n);
        yield* below(child, level - 1);
      }
    }
    function maps(table: bigint, level: number): boolean {
      return [...Array(512).keys()].some((index) => {
        const entry = image.u64(table + BigInt(index * 8));
        const leaf = level === 1 || (entry & 0x80n) !== 0n;
        return (entry & 3n) !== 0n && (leaf || maps(entry & 0xffffffffff000n, level - 1));
      });
    }
  });
});

/** Extents that do not touch: so what is built is what a walk finds. */
const mapping = (stage: 'first' | 'second', levels: number) =>
  fc
    .record({
      gap: fc.integer({ min: 1, max: 300_000 }),
      frame: fc.integer({ min: 0, max: 2 ** 30 }),
      level: fc.integer({ min: 1, max: 3 }),
      count: fc.integer({ min: 1, max: 1200 }),
      bits:
        stage === 'second' ? fc.constantFrom(1, 2, 3, 3 | MAPPING.SNOOP) : fc.constantFrom(5, 7, 0x23, 0x67),
      upper: fc.boolean(),
    })
    .map((each) => ({ ...each, upper: each.upper && stage === 'first', levels }));

describe.each([
  ['second', 3],
  ['second', 4],
  ['second', 5],
  ['first', 4],
  ['first', 5],
] as const)('%s-stage tables of %i levels', (stage, levels) => {
  it('hold what they were built of', () => {
    fc.assert(
      fc.property(fc.array(mapping(stage, levels), { maxLength: 12 }), (mappings) => {
        const store = new PageStore();
        let pfn = 0x1000;
        const builder = new TableBuilder({
          stage,
          levels,
          allocate: () => pfn++,
          put: (at, page) => store.putPage(at, page.slice()),
        });
        const half = 2 ** (9 * levels - 1);
        const expected: Extent[] = [];
        const ends = [0, stage === 'first' ? 2 ** 52 - half : half];
        for (const { gap, frame, level, count, bits, upper } of mappings.sort(
          (a, b) => Number(a.upper) - Number(b.upper),
        )) {
          const span = 512 ** (level - 1);
          const side = upper ? 1 : 0;
          const iovaFrame = Math.ceil(((ends[side] ?? 0) + gap) / span) * span;
          const first = Math.floor(frame / span) * span;
          if (iovaFrame + count * span > (upper ? 2 ** 52 : half)) continue;
          ends[side] = iovaFrame + count * span;
          const extent = {
            iova: BigInt(iovaFrame) << 12n,
            phys: BigInt(first) << 12n,
            length: BigInt(count * span) << 12n,
            bits: bits | (level << LEVEL_SHIFT),
          };
          builder.map(extent.iova, extent.phys, extent.length, extent.bits);
          expected.push(extent);
        }
        const walk = walkTable(store, builder.finish());
        const found = Array.from({ length: walk.extentCount }, (_, row) => extentAt(walk.extents, row));
        expect(walk.findings).toEqual([]);
        expect(found).toEqual(expected);
        expect(walk.tablePages.reduce((sum, pages) => sum + pages.length, 0)).toBe(builder.tables);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a table builder', () => {
  const build = (levels = 4, largestLeaf = 1) => {
    const store = new PageStore();
    let pfn = 16;
    const put = (at: number, page: Uint8Array) => store.putPage(at, page.slice());
    const builder = new TableBuilder({ stage: 'second', levels, allocate: () => pfn++, put, largestLeaf });
    return { builder, store };
  };

  it('takes the largest leaves that fit where it may', () => {
    const { builder, store } = build(4, 3);
    builder.map(0x3fe00000n, 0x7fe00000n, 0x40400000n + 0x1000n, 3);
    const { extents } = walkTable(store, builder.finish());
    const sizes = Array.from({ length: extents.length }, (_, row) => extentAt(extents, row));
    expect(sizes.map(({ length, bits }) => [length, bits >> LEVEL_SHIFT])).toEqual([
      [0x200000n, 2],
      [0x40000000n, 3],
      [0x200000n, 2],
      [0x1000n, 1],
    ]);
  });

  it('refuses what a table cannot hold', () => {
    const { builder } = build(3);
    builder.map(0x10000n, 0n, 0x1000n, 3);
    expect(() => builder.map(0x10000n, 0n, 0x1000n, 3)).toThrow('comes after 0x11000');
    expect(() => builder.map(0x20800n, 0n, 0x1000n, 3)).toThrow('cannot map');
    expect(() => builder.map(0x7f_ffff_f000n, 0n, 0x2000n, 3)).toThrow('3 levels');
    expect(() => builder.map(0x40_0000n, 0x1000n, 0x20_0000n, 0x2003)).toThrow('do not fit');
    expect(() => builder.map(0x40_0000n, 0x1000n, 0x1000n, 0)).toThrow('cannot say');
    expect(() => builder.map(0x40_0000n, 0x1000n, 0x1000n, 0x43)).toThrow('cannot say 0x43');
    expect(() => build(2)).toThrow('3, 4, 5 levels');
  });

  it('streams tables to a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kho-build-'));
    const writer = new CoreWriter(join(folder, 'tables.elf'), 0x100);
    let pfn = 0x100;
    const builder = new TableBuilder({
      stage: 'second',
      levels: 4,
      allocate: () => pfn++,
      put: (at, page) => writer.put(at, page),
    });
    builder.map(0x1_0000_0000n, 0x2_0000_0000n, 0x4000_0000n, 3);
    const root = builder.finish();
    expect(writer.finish()).toBe((1 + builder.tables) * 4096);
    expect(builder.tables).toBe(1 + 1 + 1 + 512);
    const image = openImage(join(folder, 'tables.elf'));
    const { extents, findings, mappedFrames } = walkTable(image, root);
    expect([extents.length, mappedFrames, findings]).toEqual([1, 0x40000, []]);
    image.close();
    rmSync(folder, { recursive: true });
  });
});
