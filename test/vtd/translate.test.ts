// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import {
  GuestMemory,
  MAPPING,
  type Stage,
  TableBuilder,
  type TableRoot,
  translate,
  WalkError,
  walkTable,
} from '../../src/vtd/index.js';
import { leavesOf } from './kernel-text.js';

const RW = MAPPING.READ | MAPPING.WRITE;
const FIRST_TABLE = 0x100;

interface Mapping {
  readonly iova: bigint;
  readonly phys: bigint;
  readonly pages: number;
  readonly bits: number;
}

/** Builds a table; its pages go to frames from `firstFrame` on, or where `place` puts those. */
function build(
  memory: PageStore,
  { stage, levels }: { stage: Stage; levels: number },
  mappings: readonly Mapping[],
  firstFrame = FIRST_TABLE,
  place = (frame: number): number => frame,
): TableRoot {
  let next = firstFrame;
  const builder = new TableBuilder({
    stage,
    levels,
    allocate: () => next++,
    put: (frame, page) => memory.putPage(place(frame), page.slice()),
    largestLeaf: 3,
  });
  for (const { iova, phys, pages, bits } of mappings) builder.map(iova, phys, BigInt(pages) << 12n, bits);
  return builder.finish();
}

/** Ascending mappings with gaps, of whole pages. */
const mappings = (bits: number, limit: bigint): fc.Arbitrary<Mapping[]> =>
  fc
    .array(
      fc.record({
        gap: fc.oneof(fc.bigInt(0n, 8n), fc.bigInt(0n, limit >> 16n)),
        phys: fc.bigInt(0n, 0xf_ffffn),
        pages: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(512, 1024)),
        aligned: fc.boolean(),
        bits: fc.constantFrom(MAPPING.READ, RW, bits),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((steps) => {
      let at = 0n;
      return steps.map(({ gap, phys, pages, aligned, bits: each }) => {
        at += gap;
        if (aligned) at = (at + 511n) & ~511n;
        const mapping = { iova: at << 12n, phys: (aligned ? phys & ~511n : phys) << 12n, pages, bits: each };
        at += BigInt(pages);
        return mapping;
      });
    });

describe.each<[Stage, number]>([
  ['second', 3],
  ['second', 4],
  ['second', 5],
  ['first', 4],
  ['first', 5],
])('%s stage, %i levels', (stage, levels) => {
  it('gives what was mapped, and faults between', () => {
    const width = 12 + 9 * levels - (stage === 'first' ? 1 : 0);
    fc.assert(
      fc.property(
        mappings(stage === 'second' ? MAPPING.WRITE : RW, 1n << BigInt(width - 12)),
        fc.nat(),
        (list, pick) => {
          const memory = new PageStore();
          const root = build(memory, { stage, levels }, list);
          for (const { iova, phys, pages, bits } of list) {
            const offset = BigInt(pick % (pages * 4096));
            const found = translate(memory, root, iova + offset);
            expect(found.phys).toBe(phys + offset);
            expect(found.bits & RW).toBe(bits & RW);
            expect(found.steps.map(({ level }) => level)).toEqual(
              Array.from({ length: found.steps.length }, (_, index) => levels - index),
            );
            const after = iova + (BigInt(pages) << 12n);
            if (list.some((other) => other.iova === after) || after >= 1n << BigInt(width)) continue;
            expect(translate(memory, root, after)).toMatchObject({
              phys: undefined,
              pageSize: 0,
              fault: { code: 'NOT_PRESENT', stage },
            });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('agrees with the walk on every leaf, upper half included', () => {
    const memory = new PageStore();
    const low = { iova: 0x20_0000n, phys: 0x4000_0000n, pages: 513, bits: RW };
    const top = 1n << BigInt(12 + 9 * levels);
    const high = stage === 'first' ? (1n << 64n) - 0x2000n : top - 0x2000n;
    const root = build(memory, { stage, levels }, [low, { iova: high, phys: 0x5000n, pages: 2, bits: RW }]);
    const leaves = [...leavesOf(walkTable(memory, root).extents)];
    expect(leaves.map(({ iova }) => iova)).toEqual([0x20_0000n, 0x40_0000n, high, high + 0x1000n]);
    for (const { iova, phys, size, bits } of leaves) {
      expect(translate(memory, root, iova + 0x123n)).toMatchObject({
        phys: phys + 0x123n,
        pageSize: size,
        bits,
      });
    }
  });
});

describe('faults', () => {
  const memory = new PageStore();
  const second = build(memory, { stage: 'second', levels: 4 }, [
    { iova: 0x1000n, phys: 0x5000n, pages: 1, bits: MAPPING.READ },
    { iova: 0x2000n, phys: 0x6000n, pages: 1, bits: MAPPING.WRITE },
    { iova: 0x20_0000n, phys: 0x40_0000n, pages: 512, bits: RW },
  ]);
  const first = build(
    memory,
    { stage: 'first', levels: 4 },
    [{ iova: 0x1000n, phys: 0x5000n, pages: 1, bits: RW }],
    0x200,
  );
  const level1 = translate(memory, second, 0x1000n).steps.at(-1)?.address ?? 0n;
  const level2 = translate(memory, second, 0x20_0000n).steps.at(-1)?.address ?? 0n;
  const changed = (address: bigint, entry: bigint): PageStore => {
    const store = new PageStore(memory);
    store.writeU64(address, entry);
    return store;
  };

  it.each<[string, () => unknown, string]>([
    ['beyond the width of the levels', () => translate(memory, second, 1n << 48n).fault, 'BEYOND_WIDTH'],
    [
      'beyond the domain',
      () => translate(memory, second, 1n << 39n, { widthBits: 39 }).fault,
      'BEYOND_WIDTH',
    ],
    ['not canonical', () => translate(memory, first, 1n << 47n).fault, 'NOT_CANONICAL'],
    ['not canonical above', () => translate(memory, first, 0xfffe_8000_0000_0000n).fault, 'NOT_CANONICAL'],
    ['nothing there', () => translate(memory, second, 0x3000n).fault, 'NOT_PRESENT'],
    [
      'a write of what is read-only',
      () => translate(memory, second, 0x1000n, { access: 'write' }).fault,
      'NO_WRITE',
    ],
    [
      'a read of what is write-only',
      () => translate(memory, second, 0x2000n, { access: 'read' }).fault,
      'NO_READ',
    ],
    ['garbage', () => translate(changed(level1, 0x9000_0000n), second, 0x1000n).fault, 'NOT_PRESENT'],
    [
      'a misaligned large leaf',
      () => translate(changed(level2, 0x40_1083n), second, 0x20_0000n).fault,
      'RESERVED_BITS',
    ],
    [
      'a leaf beyond the platform',
      () => translate(changed(level1, (1n << 46n) | 3n), second, 0x1000n, { hostBits: 46 }).fault,
      'BEYOND_HOST',
    ],
    [
      'a table outside the image',
      () => translate(changed(level2, 0x7777_7003n), second, 0x20_0000n).fault,
      'OUTSIDE_IMAGE',
    ],
    [
      'a path that allows nothing',
      () => translate(changed(level2 - 8n, memory.u64(level2 - 8n) & ~2n), second, 0x2000n).fault,
      'NO_READ',
    ],
  ])('%s', (_, fault, code) => {
    expect(fault()).toMatchObject({ code });
  });

  it('allow what is allowed', () => {
    expect(translate(memory, second, 0x1fffn, { access: 'read' })).toMatchObject({
      phys: 0x5fffn,
      fault: undefined,
    });
    expect(translate(memory, second, 0x2000n, { access: 'write' })).toMatchObject({ phys: 0x6000n });
  });

  it('refuse levels and addresses that cannot be', () => {
    expect(() => translate(memory, { ...second, levels: 6 }, 0n)).toThrow(WalkError);
    expect(() => translate(memory, { ...first, levels: 3 }, 0n)).toThrow(WalkError);
    expect(() => translate(memory, second, 1n << 64n)).toThrow(WalkError);
    expect(() => translate(memory, second, -1n)).toThrow(WalkError);
  });

  it('tell every field of the path', () => {
    const [top] = translate(memory, second, 0x1000n).steps;
    expect(top).toMatchObject({
      stage: 'second',
      level: 4,
      index: 0,
      address: 0x10_0000n,
      fields: { R: true, W: true, ADDR: 0x10_1000n },
    });
  });
});

describe('nested translation', () => {
  // Guest page n lies in host page 0x1000 + 3 n; guest memory has 0x400 pages, and one hole.
  const host = (frame: number): number => 0x1000 + 3 * frame;
  const HOLE = 0x300;
  const memory = new PageStore();
  const frames = Array.from({ length: 0x400 }, (_, frame) => frame).filter((frame) => frame !== HOLE);
  const second = build(
    memory,
    { stage: 'second', levels: 4 },
    frames.map((frame) => ({
      iova: BigInt(frame) << 12n,
      phys: BigInt(host(frame)) << 12n,
      pages: 1,
      bits: frame === 7 ? MAPPING.READ : RW,
    })),
    0x8000,
  );
  const firstMappings = [
    { iova: 0x10_0000n, phys: 0x5000n, pages: 4, bits: RW },
    { iova: 0x40_0000n, phys: BigInt(HOLE) << 12n, pages: 1, bits: RW },
    { iova: 0x80_0000n, phys: 0x20_0000n, pages: 512, bits: RW },
  ];
  const first = build(memory, { stage: 'first', levels: 4 }, firstMappings, 0x80, host);
  const nested = { first, second };

  it('takes tables and pages through the second stage', () => {
    const found = translate(memory, nested, 0x10_0123n);
    expect(found).toMatchObject({
      phys: (BigInt(host(5)) << 12n) + 0x123n,
      pageSize: 4096,
      fault: undefined,
    });
    expect(found.bits & RW).toBe(RW);
    // Four second-stage entries before each of the four first-stage ones, and four for the page.
    expect(found.steps.map(({ stage }) => (stage === 'first' ? 'F' : 's')).join('')).toBe(
      'ssssFssssFssssFssssFssss',
    );
    expect(translate(memory, nested, 0x80_3456n)).toMatchObject({
      phys: (BigInt(host(0x203)) << 12n) + 0x456n,
      pageSize: 4096,
    });
  });

  it('allows what both stages allow', () => {
    expect(translate(memory, nested, 0x10_2000n, { access: 'write' })).toMatchObject({
      fault: { code: 'NO_WRITE' },
    });
    expect(translate(memory, nested, 0x10_2000n, { access: 'read' }).fault).toBeUndefined();
  });

  it('faults in the stage where something is missing', () => {
    expect(translate(memory, nested, 0x40_0000n).fault).toMatchObject({
      code: 'NOT_PRESENT',
      stage: 'second',
    });
    expect(translate(memory, nested, 0x50_0000n).fault).toMatchObject({
      code: 'NOT_PRESENT',
      stage: 'first',
    });
  });

  it('walks the first stage in guest memory', () => {
    const guest = new GuestMemory(memory, second);
    const { extents, findings } = walkTable(guest, first);
    expect(findings).toEqual([]);
    const leaves = [...leavesOf(extents)];
    expect(leaves.length).toBe(6);
    for (const { iova, phys } of leaves) {
      const { phys: through } = translate(memory, nested, iova);
      const frame = guest.hostFrame(Number(phys >> 12n));
      expect(through).toBe(frame === undefined ? undefined : BigInt(frame) << 12n);
    }
  });

  it('shows guest memory as the second stage maps it', () => {
    const guest = new GuestMemory(memory, second);
    expect(guest.page(HOLE)).toBe('absent');
    expect(guest.page(0x80)).toEqual(memory.page(host(0x80)));
    expect(guest.u64(first.table)).toBe(memory.u64(BigInt(host(0x80)) << 12n));
    expect(() => guest.u64(BigInt(HOLE) << 12n)).toThrow('second stage');
    expect([...guest.ranges()]).toEqual([
      { start: 0n, end: BigInt(HOLE) << 12n, state: 'present' },
      { start: BigInt(HOLE + 1) << 12n, end: 0x40_0000n, state: 'present' },
    ]);
  });
});

describe('random tables', () => {
  it('are translated or fault, and never more than allowed entries are read', () => {
    const word = fc.oneof(
      fc.tuple(fc.bigInt(1n, 8n), fc.bigInt(0n, 0xfffn)).map(([page, low]) => (page << 12n) | low | 3n),
      fc.bigInt(0n, (1n << 64n) - 1n),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(8 * 512 - 1), word), { maxLength: 100 }),
        fc.bigInt(0n, (1n << 64n) - 1n),
        fc.constantFrom<[Stage, number]>(['second', 3], ['second', 5], ['first', 4], ['first', 5]),
        fc.boolean(),
        (words, iova, [stage, levels], isNested) => {
          const memory = new PageStore();
          for (const [at, value] of words) memory.writeU64(0x1000n + BigInt(at * 8), value);
          const one: TableRoot = { stage, table: 0x1000n, levels };
          const root =
            isNested && stage === 'first'
              ? { first: one, second: { ...one, stage: 'second' as const } }
              : one;
          const input = stage === 'second' ? iova & ((1n << 39n) - 1n) : iova & ((1n << 47n) - 1n);
          const found = translate(memory, root, input);
          expect(found.phys === undefined).toBe(found.fault !== undefined);
          expect(found.steps.length).toBeLessThanOrEqual(levels * (levels + 2));
        },
      ),
      { numRuns: 300 },
    );
  });
});
