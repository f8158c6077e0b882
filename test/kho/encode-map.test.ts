// SPDX-License-Identifier: Apache-2.0
// Maps of preserved memory: the tree that a kernel wrote, and maps read back by the kernel's formulas.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/page-store.js';
import type { PhysicalMemory } from '../../src/image/physical-memory.js';
import { BlockSet } from '../../src/kho/block-set.js';
import { mapFormOf, writeMap } from '../../src/kho/encode-map.js';
import { khoRootV1A, khoRootV1B, khoRootV3, khoRootV4 } from '../../src/schemas/abi/kho-root.js';
import type { Layout } from '../../src/schemas/lang/type.js';
import { runSeed } from '../random.js';
import { openCapture, readOracle } from '../schemas/captured.js';

const KEY_BITS = 53;

interface Written {
  readonly map: bigint;
  readonly memory: PageStore;
  readonly pages: number;
}

function write(layout: Layout, blocks: BlockSet): Written {
  const memory = new PageStore();
  let next = 0x10_0000;
  const form = mapFormOf(layout);
  if (form === undefined) throw new Error('a root without a map');
  const map = writeMap(form, blocks, (bytes) => {
    memory.putPage(next, bytes);
    return BigInt(next++) << 12n;
  });
  return { map, memory, pages: next - 0x10_0000 };
}

function setBits(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit++)
    if ((((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) !== 0) found.push(bit);
  return found;
}

/** Blocks as text, by the key's formula: highest bit tells the order. */
function readTree(memory: PhysicalMemory, root: bigint): string[] {
  const found: string[] = [];
  const visit = (level: number, address: bigint, prefix: bigint): void => {
    if (level === 0) {
      for (const bit of setBits(memory.read(address, 4096))) {
        const key = (prefix << 15n) | BigInt(bit);
        const order = KEY_BITS - key.toString(2).length;
        found.push(`${order}:${BigInt.asUintN(64, key << BigInt(12 + order)).toString(16)}`);
      }
      return;
    }
    for (let index = 0; index < 512; index++) {
      const entry = memory.u64(address + BigInt(index * 8));
      if (entry !== 0n) visit(level - 1, entry, (prefix << 9n) | BigInt(index));
    }
  };
  visit(5, root, 0n);
  return found;
}

/** Blocks as text; chunks are checked for the order in which kernels write them. */
function readChunks(memory: PageStore, first: bigint, bitmapBytes: number): string[] {
  const found: string[] = [];
  let before = -1;
  for (let at = first; at !== 0n; at = memory.u64(at)) {
    const head = memory.u64(at + 8n);
    const order = Number(head & 0xffff_ffffn);
    const count = Number(head >> 32n);
    expect(order).toBeGreaterThanOrEqual(before);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(255);
    before = order;
    for (let index = 0; index < count; index++) {
      const start = memory.u64(at + BigInt(16 + 16 * index));
      const bitmap = memory.u64(at + BigInt(24 + 16 * index));
      expect(start % BigInt(bitmapBytes * 8 * 4096 * 2 ** order)).toBe(0n);
      for (const bit of setBits(memory.read(bitmap, bitmapBytes)))
        found.push(`${order}:${(start + BigInt(bit) * BigInt(4096 * 2 ** order)).toString(16)}`);
    }
  }
  return found;
}

const textOf = (blocks: BlockSet): string[] =>
  blocks
    .orders()
    .flatMap((order) =>
      [...blocks.blocks(order)].map((pfn) => `${order}:${(BigInt(pfn) << 12n).toString(16)}`),
    );

const someBlocks = (maxOrder: number) =>
  fc
    .array(
      fc.record({
        order: fc.integer({ min: 0, max: maxOrder }),
        block: fc.integer({ min: 0, max: 300_000 }),
      }),
      {
        maxLength: 60,
      },
    )
    .map((list) => {
      const blocks = new BlockSet();
      for (const { order, block } of list) blocks.add(block * 2 ** order, order);
      return blocks;
    });

describe('the map that Linux 7.3.4 wrote', () => {
  it('is written again with the same leaves in as many pages', () => {
    const image = openCapture();
    const { preserved_memory_map, preserved_count, radix_nodes } = readOracle();
    const found = readTree(image, BigInt(preserved_memory_map));
    expect(found).toHaveLength(preserved_count);
    const blocks = new BlockSet();
    for (const text of found) {
      const [order = '', address = ''] = text.split(':');
      blocks.add(Number(BigInt(`0x${address}`) >> 12n), Number(order));
    }
    const { map, memory, pages } = write(khoRootV4, blocks);
    expect(pages).toBe(radix_nodes.length);
    expect(readTree(memory, map)).toEqual(found);
  });
});

describe('the keys of the tree', () => {
  // kho-core.md section 5, worked by hand.
  it.each([
    [0x123456000n, 0, [2, 0, 0, 0, 36], 13398],
    [0x200000n, 9, [0, 2, 0, 0, 0], 1],
    [0x400000000n, 10, [0, 1, 0, 0, 0], 4096],
    [0xc0000000n, 18, [0, 0, 2, 0, 0], 3],
    [0x7fff000n, 0, [2, 0, 0, 0, 0], 32767],
  ])('lead to the block at %s of order %i', (address, order, indexes, bit) => {
    const blocks = new BlockSet();
    blocks.add(Number(address >> 12n), order);
    const { map, memory, pages } = write(khoRootV3, blocks);
    const leaf = indexes.reduce((at, index) => memory.u64(at + BigInt(index * 8)), map);
    expect(pages).toBe(6);
    expect(setBits(memory.read(leaf, 4096))).toEqual([bit]);
  });
});

describe.each<[string, Layout, number, (written: Written) => string[]]>([
  ['a radix tree', khoRootV4, 20, ({ memory, map }) => readTree(memory, map)],
  ['bitmaps of a page', khoRootV1B, 20, ({ memory, map }) => readChunks(memory, map, 4096)],
  ['bitmaps of 512 bytes', khoRootV1A, 10, ({ memory, map }) => readChunks(memory, map, 512)],
])('%s', (_, layout, maxOrder, read) => {
  it('holds exactly the blocks that it was given', () => {
    fc.assert(
      fc.property(someBlocks(maxOrder), (blocks) => {
        expect(read(write(layout, blocks)).sort()).toEqual(textOf(blocks).sort());
      }),
      { seed: runSeed, numRuns: 50 },
    );
  });
});

describe('bitmaps of Linux 6.16', () => {
  it('hold no order above MAX_PAGE_ORDER', () => {
    const blocks = new BlockSet();
    blocks.add(0x1000, 11);
    expect(() => write(khoRootV1A, blocks)).toThrow('order 10 at most in this map, found order 11');
  });

  it('go on in another chunk after 255', () => {
    const blocks = new BlockSet();
    for (let index = 0; index < 256; index++) blocks.add(index * 4096, 0);
    const { map, memory, pages } = write(khoRootV1A, blocks);
    // 256 bitmaps seven to a page, and two chunks.
    expect(pages).toBe(37 + 2);
    expect(memory.u64(memory.u64(map) + 8n)).toBe(1n << 32n);
  });
});

describe('a run of pages', () => {
  it('becomes the blocks that kho_preserve_pages() makes of it', () => {
    const blocks = new BlockSet();
    // reserve_mem oops1 of the captured handover: 19 pages at 0x1fcf0000.
    blocks.addRun({ pfn: 0x1fcf0, count: 19 });
    expect(textOf(blocks)).toEqual(['0:1fd02000', '1:1fd00000', '4:1fcf0000']);
  });

  it('is covered exactly, by aligned blocks', () => {
    const run = fc.record({
      pfn: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 2 ** 36, max: 2 ** 36 + 5000 })),
      count: fc.integer({ min: 1, max: 5000 }),
    });
    fc.assert(
      fc.property(run, (pages) => {
        const blocks = new BlockSet();
        blocks.addRun(pages);
        expect(blocks.pageRuns()).toEqual([pages]);
        for (const order of blocks.orders())
          for (const pfn of blocks.blocks(order)) expect(pfn % 2 ** order).toBe(0);
        expect(
          blocks.orders().reduce((sum, order) => sum + blocks.blocks(order).length * 2 ** order, 0),
        ).toBe(pages.count);
      }),
      { seed: runSeed, numRuns: 100 },
    );
  });
});
