// SPDX-License-Identifier: Apache-2.0
// What pointers lead to when they lead nowhere, in circles, or to other counts than promised.
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/fdt/index.js';
import {
  follow,
  khoMem,
  khoRadixLeaf,
  khoRadixNode,
  khoRootV1A,
  khoRootV4,
  khoVmallocChunk,
  type Layout,
  luoFileBlock,
  luoSession,
  luoV5,
  memblockV1,
  memfdV2,
  type Reached,
  registryLookup,
  type SchemaIssue,
} from '../../src/schemas/index.js';
import { memoryOf, openSecondCapture, readOracle } from './captured.js';
import { FakeMemory } from './fake-memory.js';

function run(
  memory: FakeMemory,
  layout: Layout,
  address: bigint,
  options: { length?: number; maxObjects?: number } = {},
) {
  const issues: SchemaIssue[] = [];
  const { length, maxObjects = 1000 } = options;
  const start = length === undefined ? { layout, address } : { layout, address, length };
  const reached: Reached[] = [
    ...follow(start, memory.read, registryLookup(), { maxObjects, issue: (issue) => issues.push(issue) }),
  ];
  return { reached, issues: issues.map(formatIssue) };
}

const file = (token: bigint) => ({ compatible: 'memfd-v2', data: 0n, token });
const pages = (...addresses: bigint[]) => [...addresses, ...Array<bigint>(511 - addresses.length).fill(0n)];
const memfd = (total_pages: number, nr_folios: bigint, order = 0) => ({
  pos: 0n,
  size: 4096n,
  seals: 0,
  flags: 0,
  nr_folios,
  folios: { first: 0x10000n, total_pages, flags: 1, order },
});

describe('lists', () => {
  const blocks = (count: bigint, last: bigint): FakeMemory =>
    new FakeMemory()
      .encode(0x1000n, luoSession, { name: 'vm', files: 0x2000n, count })
      .encode(0x2000n, luoFileBlock, { next: 0x3000n, count: 2n, files: [file(1n), file(2n)] })
      .encode(0x3000n, luoFileBlock, { next: last, count: 1n, files: [file(3n)] });

  it('are followed to their end', () => {
    const { reached, issues } = run(blocks(3n, 0n), luoSession, 0x1000n);
    expect(issues).toEqual([]);
    expect(reached.map(({ address, path }) => [address, path])).toEqual([
      [0x1000n, ''],
      [0x2000n, '.files'],
      [0x3000n, '.files#1'],
    ]);
  });

  it('must hold as many elements as promised', () => {
    const { issues } = run(blocks(4n, 0n), luoSession, 0x1000n);
    expect(issues).toEqual(['0x0 .files: BAD_COUNT: expected 4 elements in the list, found 3']);
  });

  it('that lead back end there', () => {
    const { reached, issues } = run(blocks(3n, 0x2000n), luoSession, 0x1000n);
    expect(reached).toHaveLength(3);
    expect(issues).toEqual([
      '0x0 pa 0x2000 .files#2: LOOP: expected an address not visited before, found 0x2000',
    ]);
  });

  it('that lead to memory that is not there end there', () => {
    const { issues } = run(blocks(3n, 0x9000n), luoSession, 0x1000n);
    expect(issues).toEqual([
      '0x0 pa 0x9000 .files#2: ABSENT: expected 4096 bytes at 0x9000, found no such memory',
    ]);
  });

  it('end where kernels give up', () => {
    const memory = new FakeMemory();
    // The declared limit is 10,000 blocks: one more is one too many.
    for (let index = 0; index <= 10_000; index++) {
      const next = index < 10_000 ? BigInt(0x1000 * (index + 2)) : 0n;
      memory.encode(BigInt(0x1000 * (index + 1)), luoFileBlock, { next, count: 1n, files: [file(1n)] });
    }
    const { reached, issues } = run(memory, luoFileBlock, 0x1000n, { maxObjects: 20_000 });
    expect(reached).toHaveLength(10_000);
    expect(issues).toEqual(['0x0 pa 0x2711000: LIMIT: expected at most 10000 in the list, found more']);
  });

  it('end at a limit', () => {
    const { reached, issues } = run(blocks(3n, 0n), luoSession, 0x1000n, { maxObjects: 2 });
    expect(reached).toHaveLength(2);
    expect(issues).toEqual(['0x0 pa 0x3000 .files#1: LIMIT: expected at most 2 things to visit, found more']);
  });
});

describe('scattered arrays', () => {
  const folio = (pfn: number, index: number): Uint8Array => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(0, pfn, true);
    bytes[8] = index;
    return bytes;
  };
  const page = (...folios: Uint8Array[]): Uint8Array => {
    const bytes = new Uint8Array(4096);
    for (const [index, each] of folios.entries()) bytes.set(each, index * 16);
    return bytes;
  };
  const chunks = (): FakeMemory =>
    new FakeMemory()
      .encode(0x10000n, khoVmallocChunk, { next: 0x11000n, phys: pages(0x20000n) })
      .encode(0x11000n, khoVmallocChunk, { next: 0n, phys: pages(0x22000n) })
      .put(0x20000n, page(...Array.from({ length: 256 }, (_, index) => folio(index, index))))
      .put(0x22000n, page(folio(77, 256)).fill(1, 9, 10));

  it('are put together from their pages', () => {
    const { reached, issues } = run(chunks().encode(0x1000n, memfdV2, memfd(2, 257n)), memfdV2, 0x1000n);
    expect(issues).toEqual([]);
    const whole = reached.at(-1);
    expect(whole).toMatchObject({ address: 0x20000n, length: 257 * 16, path: '.folios.elements' });
    expect(whole?.pieces).toMatchObject([
      { address: 0x20000n, length: 4096 },
      { address: 0x22000n, length: 4096 },
    ]);
    expect(reached.map((each) => each.path)).toEqual([
      '',
      '.folios.chunk[0]',
      '.folios.chunk[1]',
      '.folios.page',
      '.folios.page',
      '.folios.elements',
    ]);
  });

  it('must have the pages that were promised', () => {
    expect(run(chunks().encode(0x1000n, memfdV2, memfd(3, 257n)), memfdV2, 0x1000n).issues).toEqual([
      '0x0 .folios: BAD_COUNT: expected 3 pages in all, found 2',
    ]);
    expect(run(chunks().encode(0x1000n, memfdV2, memfd(1, 2n)), memfdV2, 0x1000n).issues).toEqual([
      '0x0 pa 0x22000 .folios: BAD_COUNT: expected 1 pages in all, found at least 2',
    ]);
  });

  it('must have room for their elements', () => {
    expect(run(chunks().encode(0x1000n, memfdV2, memfd(2, 1n << 50n)), memfdV2, 0x1000n).issues).toEqual([
      `0x0 .folios: BAD_COUNT: expected at most 8192 bytes of elements, found ${2 ** 54}`,
    ]);
  });

  it('may not use a page twice', () => {
    const memory = chunks().encode(0x11000n, khoVmallocChunk, { next: 0n, phys: pages(0x20000n) });
    expect(run(memory.encode(0x1000n, memfdV2, memfd(2, 257n)), memfdV2, 0x1000n).issues).toEqual([
      '0x0 pa 0x20000 .folios: LOOP: expected a page not seen before, found 0x20000',
    ]);
  });

  it('may not have chunks in a circle', () => {
    const memory = chunks().encode(0x11000n, khoVmallocChunk, { next: 0x10000n, phys: pages() });
    expect(run(memory.encode(0x1000n, memfdV2, memfd(2, 257n)), memfdV2, 0x1000n).issues).toEqual([
      '0x0 pa 0x10000 .folios: LOOP: expected another chunk, found 0x10000',
    ]);
  });
});

describe('radix trees', () => {
  it('that lead back end there', () => {
    const table = (first: bigint) => ({ table: [first, ...Array<bigint>(511).fill(0n)] });
    const memory = new FakeMemory();
    // Level 5 leads to level 4, and so on down to level 2, which leads to the root.
    for (let level = 0; level < 4; level++) {
      memory.encode(
        BigInt(0x1000 * (level + 1)),
        khoRadixNode,
        table(BigInt(0x1000 * (level === 3 ? 1 : level + 2))),
      );
    }
    memory.encode(0x8000n, khoRootV4, {
      compatible: 'kho-v4',
      'preserved-memory-map': 0x1000n,
      subtrees: [],
    });
    const { reached, issues } = run(memory, khoRootV4, 0x8000n, { length: 152 });
    expect(reached.filter(({ layout }) => layout === khoRadixNode)).toHaveLength(4);
    expect(reached.filter(({ layout }) => layout === khoRadixLeaf)).toHaveLength(0);
    expect(issues).toEqual([
      expect.stringContaining('LOOP: expected an address not visited before, found 0x1000'),
    ]);
  });
});

describe('pointers', () => {
  it('lose their flags on the way', () => {
    const { reached } = run(
      new FakeMemory().encode(0x1000n, khoMem, { addr: 0x40001n, len: 0x3000n }),
      khoMem,
      0x1000n,
    );
    expect(reached.at(-1)).toEqual({ from: 0x1000n, address: 0x40000n, length: 0x3000, path: '.addr' });
  });

  it('to FDTs take the size from the header there', () => {
    const memory = new FakeMemory()
      .encode(0x2000n, memblockV1, { compatible: 'memblock-v1', regions: [] })
      .encode(0x1000n, khoRootV1A, {
        compatible: 'kho-v1',
        'preserved-memory-map': 0n,
        subtrees: [
          { $name: 'memblock', fdt: 0x2000n },
          { $name: 'other', fdt: 0x3000n },
        ],
      });
    const length = memory.read(0x1000n, 8)?.[7] ?? 0;
    const { reached, issues } = run(memory, khoRootV1A, 0x1000n, { length });
    expect(reached.map(({ path, layout }) => [path, layout])).toContainEqual(['/memblock/fdt', memblockV1]);
    expect(issues).toEqual([
      '0x0 pa 0x3000 /other/fdt: ABSENT: expected an FDT, found 0x3000',
      '0x0 pa 0x3000 /other/fdt: NO_LAYOUT: expected a known kho-subtree, found "other"',
    ]);
  });
});

const second = openSecondCapture();

describe('a handover that the next kernel has partly overwritten', () => {
  it.skipIf(second === undefined)('is reported, not misread', () => {
    if (second === undefined) return;
    const oracle = readOracle();
    const issues: SchemaIssue[] = [];
    const start = { layout: khoRootV4, address: BigInt(oracle.fdt_phys), length: 345 };
    const reached = [
      ...follow(start, memoryOf(second), registryLookup(), { issue: (issue) => issues.push(issue) }),
    ];
    // The root, memblock and metadata blobs are intact, the radix tree and the LUO blob are not.
    expect(reached.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['', '/memblock/preserved-data', '/kexec-metadata/preserved-data']),
    );
    expect(issues.some(({ path }) => path?.startsWith('/preserved-memory-map'))).toBe(true);
    expect(issues.some(({ code, path }) => code === 'NO_LAYOUT' && path === '/LUO/preserved-data')).toBe(
      true,
    );
    expect(reached.some(({ layout }) => layout === luoV5)).toBe(false);
  });
});
