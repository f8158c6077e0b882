// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import {
  joinWalks,
  LEVEL_SHIFT,
  pagingFormat,
  type Stage,
  splitWalk,
  TableBuilder,
  type TableRoot,
  type WalkOptions,
  type WalkResult,
  walkTable,
} from '../../src/vtd/index.js';
import { Random, runSeed } from '../random.js';
import { randomTables } from './random-tables.js';

/** A walk in parts, one after the other; `undefined` where it has to be in one. */
function walkParts(memory: PageStore, root: TableRoot, parts: number, options: WalkOptions) {
  const ranges = splitWalk(memory, root, parts);
  const results = ranges.map((only) => walkTable(memory, root, { ...options, only, maxFindings: 1000 }));
  return { ranges, joined: joinWalks(ranges, results, options) };
}

function readable({ extents, ...rest }: WalkResult) {
  const { length, iovaFrame, frame, frames, bits } = extents;
  const columns = [iovaFrame, frame, frames, bits].map((column) => [...column.subarray(0, length)]);
  return { columns, ...rest };
}

/** Tables of a few stretches over many GiB. */
function largeTables(random: Random) {
  const memory = new PageStore();
  const stage = random.pick<Stage>(['first', 'second']);
  let pfn = 16;
  const builder = new TableBuilder({
    stage,
    levels: random.pick(pagingFormat(stage).depths),
    allocate: () => pfn++,
    put: (at, page) => memory.putPage(at, page.slice()),
  });
  const bits = stage === 'first' ? 0x53 : 3;
  let iova = BigInt(random.below(4)) << 30n;
  for (let left = 6; left > 0; left--) {
    const level = random.pick([1, 2, 2, 3]);
    const size = BigInt(random.pick(level === 3 ? [1, 3] : [1, 3, 600])) << BigInt(3 + 9 * level);
    builder.map(iova, iova, size, bits | (level << LEVEL_SHIFT));
    iova = (iova + size + (1n << 30n) - 1n) & ~((1n << 30n) - 1n);
    iova += BigInt(random.pick([0, 0, 1, 40])) << 30n;
  }
  return { memory, root: builder.finish(), first: 16, end: pfn };
}

describe('a walk in parts', () => {
  it('gives what one walk gives, whatever is wrong in the tables', () => {
    let cut = 0;
    for (let run = 0; run < 60; run++) {
      const random = new Random(runSeed + run);
      const { memory, root, first, end } = largeTables(random);
      for (let left = random.below(6); left > 0; left--) {
        const pfn = first + random.below(end - first);
        memory.writeU64(
          (BigInt(pfn) << 12n) + BigInt(8 * random.below(512)),
          BigInt(random.pick([0x4000_0000_0888, 0x8000_0000_0803, 0x1_0003, 0x7fff_ffff_f883])),
        );
      }
      const options: WalkOptions = { hostBits: 46, widthBits: random.pick([39, 34, 57]) };
      const { ranges, joined } = walkParts(memory, root, 2 + random.below(5), options);
      if (joined === undefined) continue;
      cut += ranges.length - 1;
      expect(readable(joined), `KHO_SEED=${runSeed + run}`).toEqual(
        readable(walkTable(memory, root, options)),
      );
    }
    expect(cut).toBeGreaterThan(30);
  });

  it('gives way where tables are reached more than once', () => {
    for (let run = 0; run < 40; run++) {
      const { memory, root, options } = randomTables(new Random(runSeed + run));
      const { only: _, ...rest } = options;
      const { joined } = walkParts(memory, root, 3, rest);
      const whole = walkTable(memory, root, rest);
      const { SHARED_TABLE = 0, TABLE_LOOP = 0 } = whole.findingCounts;
      if (SHARED_TABLE + TABLE_LOOP > 0) expect(joined).toBe(undefined);
      else if (joined !== undefined) expect(readable(joined)).toEqual(readable(whole));
    }
  });

  it('cuts where the parts weigh the same', () => {
    const memory = new PageStore();
    let pfn = 1;
    const builder = new TableBuilder({
      stage: 'second',
      levels: 4,
      allocate: () => pfn++,
      put: (at, page) => memory.putPage(at, page.slice()),
    });
    // 4 GiB of which the first is in 4 KiB leaves: nearly all of the tables.
    builder.map(0n, 0n, 1n << 30n, 3 | (1 << LEVEL_SHIFT));
    builder.map(1n << 30n, 1n << 30n, 1n << 30n, 3 | (1 << LEVEL_SHIFT));
    builder.map(2n << 30n, 2n << 30n, 6n << 30n, 3 | (2 << LEVEL_SHIFT));
    const root = builder.finish();
    expect(splitWalk(memory, root, 2)).toEqual([
      { first: 0n, last: (1n << 30n) - 1n },
      { first: 1n << 30n, last: (1n << 64n) - 1n },
    ]);
    expect(splitWalk(memory, root, 1)).toEqual([{ first: 0n, last: (1n << 64n) - 1n }]);
  });
});
