// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { PageStore, samePage } from '../../src/image/index.js';
import {
  type CompareResult,
  compareTables,
  type Difference,
  differenceAt,
  type ExtentColumns,
  LEVEL_SHIFT,
  MAPPING,
  pagingFormat,
  type Stage,
  TableBuilder,
  type TableRoot,
  type WalkOptions,
  walkTable,
} from '../../src/vtd/index.js';
import { Random, runSeed } from '../random.js';
import { plainWalk } from './plain-walk.js';

const mutations = Number(process.env['KHO_MUTATIONS'] ?? 300);
const BITS = (1 << LEVEL_SHIFT) - 1;
const RW = MAPPING.READ | MAPPING.WRITE;

interface Tables {
  readonly memory: PageStore;
  readonly root: TableRoot;
  readonly pages: readonly { readonly pfn: number; readonly level: number; readonly iovaFrame: number }[];
}

/** Tables with stretches of all kinds: contiguous, shuffled, large leaves, holes, at both ends of the IOVAs. */
function someTables(random: Random, stage: Stage, levels: number): Tables {
  const memory = new PageStore();
  const first = 0x100 + random.below(0x1000);
  let pfn = first;
  const builder = new TableBuilder({
    stage,
    levels,
    allocate: () => pfn++,
    put: (at, page) => memory.putPage(at, page.slice()),
  });
  let iova = BigInt(random.below(1024)) << 12n;
  const present = stage === 'first' ? MAPPING.READ | MAPPING.USER | MAPPING.ACCESSED : 0;
  for (let left = 4 + random.below(8); left > 0; left--) {
    const bits = present | random.pick([RW, RW, MAPPING.READ, RW | MAPPING.DIRTY]);
    const level = random.pick([1, 1, 1, 2, 3]);
    const size = 1n << BigInt(12 + 9 * (level - 1));
    iova = (iova + size - 1n) & ~(size - 1n);
    const leaves = random.pick([1, 7, 100, 700]) % (level === 1 ? 1000 : 20);
    const scattered = random.below(3) === 0;
    let phys = BigInt(random.below(2 ** 20)) * size;
    for (let leaf = 0; leaf <= leaves; leaf++) {
      if (scattered) phys = BigInt(random.below(2 ** 20)) * size;
      builder.map(iova, phys, size, bits | (level << LEVEL_SHIFT));
      iova += size;
      phys += size;
    }
    iova += BigInt(random.pick([0, 0, 1, 600, 300_000])) << 12n;
  }
  const root = builder.finish();
  return { memory, root, pages: pagesOf(memory, root) };
}

/** The table pages with what they translate, read without the walk. */
function pagesOf(memory: PageStore, root: TableRoot): Tables['pages'] {
  const pages: { pfn: number; level: number; iovaFrame: number }[] = [];
  const { present } = pagingFormat(root.stage);
  const visit = (pfn: number, level: number, iovaFrame: number) => {
    pages.push({ pfn, level, iovaFrame });
    for (let index = 0; level > 1 && index < 512; index++) {
      const entry = memory.u64((BigInt(pfn) << 12n) + BigInt(8 * index));
      if ((entry & BigInt(present)) === 0n || (entry & 0x80n) !== 0n) continue;
      visit(Number((entry >> 12n) & 0xff_ffff_ffffn), level - 1, iovaFrame + index * 512 ** (level - 1));
    }
  };
  visit(Number(root.table >> 12n), root.levels, 0);
  return pages;
}

/** An index of a table: mostly of an entry that is there. */
function entryOf(random: Random, memory: PageStore, pfn: number): number {
  let index = random.below(512);
  for (let left = random.below(8) * 100; left > 0 && memory.u64(entryAddress(pfn, index)) === 0n; left--) {
    index = (index + 1) % 512;
  }
  return index;
}

function entryAddress(pfn: number, index: number): bigint {
  return (BigInt(pfn) << 12n) + BigInt(8 * index);
}

/** What an IOVA frame leads to: found by halving, since extents ascend. */
function lookUp({ length, iovaFrame, frame, frames, bits }: ExtentColumns, at: number): string {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((iovaFrame[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const row = low - 1;
  const within = at - (iovaFrame[row] ?? Infinity);
  if (!(within >= 0 && within < (frames[row] ?? 0))) return 'unmapped';
  return `${(frame[row] ?? 0) + within} ${(bits[row] ?? 0) & BITS}`;
}

/** The first and last IOVA frames of all stretches whose ends are ends of an extent of either table and that differ. */
function expectedStretches(one: ExtentColumns, other: ExtentColumns): string[] {
  const ends = new Set<number>();
  for (const { length, iovaFrame, frames } of [one, other]) {
    for (let row = 0; row < length; row++) {
      ends.add(iovaFrame[row] ?? 0);
      ends.add((iovaFrame[row] ?? 0) + (frames[row] ?? 0));
    }
  }
  const sorted = [...ends].sort((left, right) => left - right);
  const stretches: string[] = [];
  for (const [at, start] of sorted.entries()) {
    const end = sorted[at + 1];
    if (end === undefined) break;
    const [before, after] = [lookUp(one, start), lookUp(other, start)];
    if (before !== after) stretches.push(`${start} to ${end}: ${before}, ${after}`);
  }
  return stretches;
}

/** The same of a comparison, cut where an extent of either table ends. */
function foundStretches(result: CompareResult, one: ExtentColumns, other: ExtentColumns): string[] {
  const { differences } = result;
  const ends = new Set<number>();
  for (const { length, iovaFrame, frames } of [one, other]) {
    for (let row = 0; row < length; row++) {
      ends.add(iovaFrame[row] ?? 0);
      ends.add((iovaFrame[row] ?? 0) + (frames[row] ?? 0));
    }
  }
  const sorted = [...ends].sort((left, right) => left - right);
  const stretches: string[] = [];
  for (let row = 0; row < differences.length; row++) {
    const start = differences.iovaFrame[row] ?? 0;
    const end = start + (differences.frames[row] ?? 0);
    const cuts = [start, ...sorted.filter((at) => at > start && at < end), end];
    for (const [index, cut] of cuts.slice(0, -1).entries()) {
      const side = (frame: number, bits: number) =>
        frame === -1 ? 'unmapped' : `${frame + (cut - start)} ${bits}`;
      const before = side(differences.beforeFrame[row] ?? 0, differences.beforeBits[row] ?? 0);
      const after = side(differences.afterFrame[row] ?? 0, differences.afterBits[row] ?? 0);
      stretches.push(`${cut} to ${cuts[index + 1]}: ${before}, ${after}`);
    }
  }
  return stretches;
}

function all({ differences }: CompareResult): Difference[] {
  return Array.from({ length: differences.length }, (_, row) => differenceAt(differences, row));
}

describe('a comparison of tables', () => {
  it('shows every flipped bit that changes the translation, and nothing else', { timeout: 3_600_000 }, () => {
    let visible = 0;
    let tables = someTables(new Random(runSeed), 'second', 4);
    for (let run = 0; run < mutations; run++) {
      const random = new Random(runSeed + run);
      if (run % 100 === 0) {
        const stage = random.pick<Stage>(['first', 'second', 'second']);
        tables = someTables(random, stage, random.pick(pagingFormat(stage).depths));
      }
      const { memory, root, pages } = tables;
      const page = random.pick(pages);
      const index = entryOf(random, memory, page.pfn);
      const span = 512 ** (page.level - 1);
      const changed = new PageStore(memory);
      const address = entryAddress(page.pfn, index);
      changed.writeU64(address, memory.u64(address) ^ (1n << BigInt(random.below(64))));
      const result = compareTables(memory, root, changed, root, { samePage });

      // Only what the entry translates can change.
      const start = BigInt(page.iovaFrame + index * span) << 12n;
      const half = BigInt(512 ** root.levels / 2) << 12n;
      const canonical = root.stage === 'first' && start >= half ? start + (1n << 64n) - 2n * half : start;
      const only = { first: canonical, last: canonical + (BigInt(span) << 12n) - 1n };
      const options: WalkOptions = { only, maxFindings: 0 };
      const before = plainWalk(memory, root, options).extents;
      const after = plainWalk(changed, root, options).extents;
      const expected = expectedStretches(before, after);
      expect(foundStretches(result, before, after), `KHO_SEED=${runSeed + run}`).toEqual(expected);
      expect(result.leftOut).toBe(0);
      if (expected.length > 0) visible++;
    }
    expect(visible).toBeGreaterThan(mutations / 5);
  });

  it('equals the difference of two walks, whatever stages and depths the tables have', () => {
    for (let run = 0; run < 40; run++) {
      const random = new Random(runSeed + run);
      const [one, other] = [0, 1].map(() => {
        const stage = random.pick<Stage>(['first', 'second']);
        return someTables(random, stage, random.pick([4, 4, 5]));
      });
      if (one === undefined || other === undefined) return;
      const result = compareTables(one.memory, one.root, other.memory, other.root);
      const before = walkTable(one.memory, one.root).extents;
      const after = walkTable(other.memory, other.root).extents;
      const expected = expectedStretches(before, after);
      expect(foundStretches(result, before, after), `KHO_SEED=${runSeed + run}`).toEqual(expected);
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  it('finds nothing between tables that map the same with leaves of other sizes, in other places', () => {
    const [large, small] = [2, 1].map((level) => {
      const memory = new PageStore();
      let pfn = level * 100;
      const builder = new TableBuilder({
        stage: 'second',
        levels: 4,
        allocate: () => pfn++,
        put: (at, page) => memory.putPage(at, page.slice()),
      });
      builder.map(0x20_0000n, 0x4000_0000n, 0x60_0000n, RW | (level << LEVEL_SHIFT));
      return { memory, root: builder.finish() };
    });
    if (large === undefined || small === undefined) return;
    expect(all(compareTables(large.memory, large.root, small.memory, small.root))).toEqual([]);
    // And what is mapped nowhere else is one difference.
    const empty = new PageStore();
    empty.putPage(5, new Uint8Array(4096));
    const nothing: TableRoot = { stage: 'second', table: 0x5000n, levels: 4 };
    const mapping = { phys: 0x4000_0000n, bits: RW };
    const row = { iova: 0x20_0000n, length: 0x60_0000n };
    expect(all(compareTables(large.memory, large.root, empty, nothing))).toEqual([
      { ...row, before: mapping, after: undefined },
    ]);
    expect(all(compareTables(empty, nothing, small.memory, small.root))).toEqual([
      { ...row, before: undefined, after: mapping },
    ]);
  });

  it('does not look at pages that both sides share, but follows equal pages of two images', () => {
    const { memory, root, pages } = someTables(new Random(runSeed), 'second', 4);
    const same = compareTables(memory, root, memory, root);
    expect([same.tablePairs, all(same)]).toEqual([0, []]);
    const copy = new PageStore();
    for (const { pfn } of pages) {
      const page = memory.page(pfn);
      if (typeof page !== 'string') copy.putPage(pfn, page.slice());
    }
    const equal = compareTables(memory, root, copy, root);
    expect([equal.tablePairs, equal.equalPairs, all(equal)]).toEqual([pages.length, pages.length, []]);
  });

  it('leaves out what bits that do not count differ in', () => {
    const { memory, root, pages } = someTables(new Random(runSeed), 'second', 4);
    const changed = new PageStore(memory);
    const lowest = pages.toSorted((one, other) => one.level - other.level)[0];
    const address = BigInt(lowest?.pfn ?? 0) << 12n;
    for (let index = 0n; index < 512n; index++) {
      const entry = memory.u64(address + 8n * index);
      if (entry !== 0n) changed.writeU64(address + 8n * index, entry ^ 0x100n);
    }
    expect(all(compareTables(memory, root, changed, root))).not.toEqual([]);
    expect(all(compareTables(memory, root, changed, root, { ignore: MAPPING.ACCESSED }))).toEqual([]);
  });

  it('says what it could not compare', () => {
    const { memory, root, pages } = someTables(new Random(runSeed), 'second', 4);
    const lowest = pages.toSorted((one, other) => one.level - other.level)[0];
    const changed = new PageStore(memory);
    changed.drop(lowest?.pfn ?? 0);
    const result = compareTables(memory, root, changed, root);
    expect(result.missingTables).toBe(1);
    const before = walkTable(memory, root).extents;
    const after = walkTable(changed, root).extents;
    expect(foundStretches(result, before, after)).toEqual(expectedStretches(before, after));
  });

  it('ends on tables that lead to themselves, and says that it gave up', () => {
    const [one, other] = [0, 1].map((way) => {
      const memory = new PageStore();
      const loop = new BigUint64Array(512).fill(0x1003n);
      loop[511] = BigInt(way) << 12n;
      memory.putPage(1, new Uint8Array(loop.buffer));
      return memory;
    });
    if (one === undefined || other === undefined) return;
    const root: TableRoot = { stage: 'second', table: 0x1000n, levels: 5 };
    const result = compareTables(one, root, other, root, { maxRepeats: 100 });
    expect(result.leftOut).toBeGreaterThan(0);
  });
});
