// SPDX-License-Identifier: Apache-2.0
// Where pointers lead in small layouts that each have one thing that matters: the order in which things come, where the
// pointer to each lies, how large each is taken to be.
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/fdt/index.js';
import {
  array,
  chars,
  type FollowOptions,
  follow,
  khoRadixLeaf,
  khoRadixNode,
  khoRadixTree,
  khoRootV4,
  khoVmallocChunk,
  type Layout,
  type Lookup,
  link,
  memblockV1,
  node,
  pointer,
  type SchemaIssue,
  stepMemory,
  struct,
  u8,
  u16,
  u32,
  u64,
  unused,
  vmallocOf,
} from '../../src/schemas/index.js';
import { gather } from '../../src/schemas/lang/struct.js';
import { readFixture } from '../fixtures.js';
import { FakeMemory } from './fake-memory.js';

const START = 0x1000n;

/** What is reached from {@link START}, one line each: path, address, length, and where the pointer lies. */
function run(
  memory: FakeMemory,
  layout: Layout,
  { length, lookup = () => undefined, ...options }: FollowOptions & { length?: number; lookup?: Lookup } = {},
): { readonly lines: string[]; readonly issues: string[] } {
  const found: SchemaIssue[] = [];
  const start = { layout, address: START, length };
  const reached = follow(start, memory.read, lookup, { ...options, issue: (issue) => found.push(issue) });
  const lines = [...reached].map(
    ({ path, address, length: size, from }) =>
      `${path} ${address.toString(16)}+${size} from ${from?.toString(16) ?? 'nowhere'}`,
  );
  return { lines, issues: found.map(formatIssue) };
}

const byte = struct('byte', { x: u8() });
const toByte = pointer({ to: 'layout', layout: byte });

describe('what is reached', () => {
  it('comes with the address of its pointer', () => {
    const layout = struct('s', { a: u32(), one: toByte, some: array(toByte, 2) });
    const memory = new FakeMemory()
      .encode(START, layout, { a: 0, one: 0x2000n, some: [0n, 0x3000n] })
      .put(0x2000n, Uint8Array.of(1))
      .put(0x3000n, Uint8Array.of(2));
    expect(run(memory, layout)).toEqual({
      lines: [' 1000+28 from nowhere', '.one 2000+1 from 1004', '.some[1] 3000+1 from 1014'],
      issues: [],
    });
    const root = node({ properties: { to: toByte } });
    const tree = new FakeMemory().encode(START, root, { to: 0x2000n }).put(0x2000n, Uint8Array.of(1));
    const length = tree.read(START, 8)?.[7] ?? 0;
    expect(run(tree, root, { length }).lines[1]).toBe('/to 2000+1 from 1000');
  });

  it('comes block by block, what a block leads to before the next one', () => {
    const block = struct('block', { next: link(), to: toByte });
    const memory = new FakeMemory()
      .encode(START, block, { next: 0x2000n, to: 0x5000n })
      .encode(0x2000n, block, { next: 0x3000n, to: 0x6000n })
      .encode(0x3000n, block, { next: 0n, to: 0n })
      .put(0x5000n, Uint8Array.of(1))
      .put(0x6000n, Uint8Array.of(2));
    expect(run(memory, block)).toEqual({
      lines: [
        ' 1000+16 from nowhere',
        '.to 5000+1 from 1008',
        '#1 2000+16 from 1000',
        '.to 6000+1 from 2008',
        '#2 3000+16 from 2000',
      ].map((line) => line.replace('.to 6000', '#1.to 6000')),
      issues: [],
    });
  });

  it('is read in the byte order of the machine', () => {
    const layout = struct('s', { to: toByte });
    const memory = new FakeMemory()
      .put(START, Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0))
      .put(0x2000n, Uint8Array.of(1));
    expect(run(memory, layout, { byteOrder: 'big' }).lines).toHaveLength(2);
    expect(run(memory, layout, { byteOrder: 'little' }).issues).toHaveLength(1);
  });

  it('is counted by the list that a count is of', () => {
    const block = struct(
      'block',
      {
        next: link(),
        fixed: array(u8(), 2),
        count: u32(),
        list: array(u16(), { field: 'count' }),
        rest: unused('rest'),
      },
      { size: 32 },
    );
    const head = struct('head', {
      total: u64(),
      first: pointer({ to: 'layout', layout: block, total: 'total' }),
    });
    const rest = (list: number) => new Uint8Array(32 - 14 - 2 * list);
    const memory = (total: bigint) =>
      new FakeMemory()
        .encode(START, head, { total, first: 0x2000n })
        .encode(0x2000n, block, { next: 0x3000n, fixed: [0, 0], count: 3, list: [1, 2, 3], rest: rest(3) })
        .encode(0x3000n, block, { next: 0n, fixed: [0, 0], count: 1, list: [4], rest: rest(1) });
    expect(run(memory(4n), head).issues).toEqual([]);
    expect(run(memory(5n), head).issues).toEqual([
      '0x0 .first: BAD_COUNT: expected 5 elements in the list, found 4',
    ]);
  });

  it('is nothing where an FDT is not sound', () => {
    const blob = readFixture('kernel-7.3.4/memblock-fdt.dtb').slice();
    blob.fill(9, blob.length - 60);
    const { lines, issues } = run(new FakeMemory().put(START, blob), memblockV1, { length: blob.length });
    expect(lines).toEqual([]);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(/^0x0 pa 0x1000: BAD_VALUE: expected a sound FDT, found 0x/);
  });
});

describe('the size of what is reached', () => {
  const open = struct('open', { count: u32(), items: array(u16(), { field: 'count' }) });

  it('may be too large only where it is counted in the thing itself', () => {
    const layout = struct('s', {
      count: u64(),
      many: pointer({ to: 'layout', layout: array(u16(), 'rest'), elements: 'count' }),
    });
    const memory = new FakeMemory().encode(START, layout, { count: 0x400_0000n, many: 0x2000n });
    expect(run(memory, layout).issues).toEqual([
      '0x0 pa 0x2000 .many: ABSENT: expected 134217728 bytes at 0x2000, found no such memory',
    ]);
    const counted = (count: number) =>
      run(
        new FakeMemory().put(
          START,
          Uint8Array.of(count & 255, (count >> 8) & 255, (count >> 16) & 255, count >> 24),
        ),
        open,
      ).issues;
    // 64 MiB, the count included, and two bytes more.
    const most = (0x400_0000 - 4) / 2;
    expect(counted(most)[0]).toContain('ABSENT: expected 67108864 bytes');
    expect(counted(most + 1)[0]).toContain(
      'BAD_COUNT: expected at most 67108864 bytes of counted elements, found 67108866',
    );
  });

  it('may be nothing: an array of no elements is anywhere, one of no bytes is there', () => {
    const list = array(u16(), 'rest');
    const layout = struct('s', {
      none: u64(),
      elements: pointer({ to: 'layout', layout: list, elements: 'none' }),
      bytes: pointer({ to: 'layout', layout: list, length: 'none' }),
    });
    const memory = new FakeMemory()
      .encode(START, layout, { none: 0n, elements: 0x5000n, bytes: 0x2000n })
      .put(0x2000n, new Uint8Array(2));
    expect(run(memory, layout)).toEqual({
      lines: [' 1000+24 from nowhere', '.bytes 2000+0 from 1010'],
      issues: [],
    });
  });

  it('is what the pointer says for an FDT, where it says so', () => {
    const blob = readFixture('kernel-7.3.4/memblock-fdt.dtb');
    const layout = struct('s', {
      length: u64(),
      sized: pointer({ to: 'lookup', group: 'g', length: 'length' }),
      open: pointer({ to: 'lookup', group: 'g' }),
    });
    const page = (more: number) => Uint8Array.of(...blob, ...new Uint8Array(more));
    const memory = new FakeMemory()
      .encode(START, layout, { length: BigInt(blob.length + 8), sized: 0x2000n, open: 0x3000n })
      .put(0x2000n, page(8))
      .put(0x3000n, page(8));
    expect(run(memory, layout, { lookup: () => memblockV1 }).lines.slice(1, 3)).toEqual([
      `.sized 2000+${blob.length + 8} from 1008`,
      expect.stringMatching(/^\.sized\//),
    ]);
    expect(run(memory, layout, { lookup: () => memblockV1 }).lines).toContain(
      `.open 3000+${blob.length} from 1010`,
    );
  });

  it('and what it is are looked up by a name up to its NUL, or none', () => {
    const layout = struct('s', {
      name: chars(8),
      named: pointer({ to: 'lookup', group: 'g', key: 'name' }),
      plain: pointer({ to: 'lookup', group: 'h' }),
    });
    const asked: string[] = [];
    const lookup: Lookup = (group, key) => {
      asked.push(`${group} "${key}"`);
      return group === 'g' ? byte : undefined;
    };
    const memory = new FakeMemory()
      .encode(START, layout, { name: 'ab\0cd', named: 0x2000n, plain: 0x3000n })
      .put(0x2000n, Uint8Array.of(1));
    const { issues } = run(memory, layout, { lookup });
    expect(asked).toEqual(['g "ab"', 'h ""']);
    expect(issues).toContain('0x0 pa 0x3000 .plain: NO_LAYOUT: expected a known h, found ""');
  });
});

describe('radix trees', () => {
  const table = (first: bigint) => ({ table: [first, ...Array<bigint>(511).fill(0n)] });

  it.each([
    [4096, 5],
    [16384, 4],
    [65536, 3],
  ])('on machines with pages of %i bytes have %i tables above a leaf', (pageSize, levels) => {
    const root = node({ properties: { map: pointer({ to: 'radix', tree: khoRadixTree }) } });
    const memory = new FakeMemory().encode(0x100000n, root, { map: 0x10000n });
    for (let level = 0; level < 6; level++)
      memory.encode(BigInt(0x10000 * (level + 1)), khoRadixNode, table(BigInt(0x10000 * (level + 2))));
    const start = { layout: root, address: 0x100000n, length: memory.read(0x100000n, 8)?.[7] ?? 0 };
    const reached = [...follow(start, memory.read, () => undefined, { pageSize })].slice(1);
    expect(reached.map(({ layout }) => layout)).toEqual([
      ...Array<Layout>(levels).fill(khoRadixNode),
      khoRadixLeaf,
    ]);
    expect(reached.map(({ address }) => Number(address))).toEqual(
      reached.map((_, level) => 0x10000 * (level + 1)),
    );
  });

  it('may be a leaf and nothing above', () => {
    const tree = { ...khoRadixTree, depth: { 12: 1, 14: 2, 16: 1 } };
    const layout = struct('s', { map: pointer({ to: 'radix', tree }) });
    const memory = new FakeMemory()
      .encode(START, layout, { map: 0x2000n })
      .put(0x2000n, new Uint8Array(4096));
    const last = (pageSize: number) =>
      [...follow({ layout, address: START }, memory.read, () => undefined, { pageSize })].at(-1)?.layout;
    expect(last(4096)).toBe(khoRadixLeaf);
    expect(last(16384)).toBe(khoRadixNode);
    expect(last(65536)).toBe(khoRadixLeaf);
  });
});

describe('scattered arrays', () => {
  const slots = (next: bigint, ...phys: bigint[]) => ({
    next,
    phys: [...phys, ...Array<bigint>(511 - phys.length).fill(0n)],
  });
  const descriptor = (first: bigint, total_pages: number, order = 0) => ({
    first,
    total_pages,
    flags: 0,
    order,
  });
  const layout = struct('s', {
    count: u64(),
    files: vmallocOf(u64(), 'count', { doc: '' }),
    more: vmallocOf(u64(), 'count', { doc: '' }),
    files2: toByte,
  });
  const value = (count: bigint, files: object, more: object = descriptor(0n, 0)) => ({
    count,
    files,
    more,
    files2: 0x9000n,
  });

  it('come with the address of each page in its chunk, and what lies behind them', () => {
    const memory = new FakeMemory()
      .encode(START, layout, value(600n, descriptor(0x2000n, 3)))
      .encode(0x2000n, khoVmallocChunk, slots(0x3000n, 0x4000n, 0n, 0x5000n))
      .encode(0x3000n, khoVmallocChunk, slots(0n, 0x6000n))
      .put(0x4000n, new Uint8Array(4096))
      .put(0x5000n, new Uint8Array(4096))
      .put(0x9000n, Uint8Array.of(1));
    const { lines, issues } = run(memory, layout);
    // The third page is not there, nor are its bytes needed: 600 elements take less than two pages.
    expect(issues).toEqual(['0x0 .more: BAD_COUNT: expected at most 0 bytes of elements, found 4800']);
    expect(lines).toEqual([
      ' 1000+48 from nowhere',
      '.files.chunk[0] 2000+4096 from 1008',
      '.files.chunk[1] 3000+4096 from 2000',
      '.files.page 4000+4096 from 2008',
      '.files.page 5000+4096 from 2018',
      '.files.page 6000+4096 from 3008',
      '.files.elements 4000+4800 from nowhere',
      '.files2 9000+1 from 1028',
    ]);
  });

  it('share no chunk, unless there is nothing in them', () => {
    const chunks = (count: bigint, first: bigint, second: bigint, pages: number) =>
      run(
        new FakeMemory()
          .encode(START, layout, value(count, descriptor(first, pages), descriptor(second, pages)))
          .encode(0x2000n, khoVmallocChunk, slots(0n, 0x4000n))
          .put(0x4000n, new Uint8Array(4096))
          .put(0x9000n, Uint8Array.of(1)),
        layout,
      ).issues;
    expect(chunks(2n, 0x2000n, 0x2000n, 1)).toEqual([
      '0x0 pa 0x2000 .more: LOOP: expected a chunk of no other array, found 0x2000',
    ]);
    expect(chunks(0n, 0x2000n, 0x2000n, 1)).toEqual([]);
    const none = ['files', 'more'].map(
      (each) => `0x0 .${each}: BAD_COUNT: expected at most 0 bytes of elements, found 16`,
    );
    expect(chunks(2n, 0n, 0n, 0)).toEqual(none);
  });

  it('say what is wrong with a chunk where it lies', () => {
    const memory = new FakeMemory()
      .encode(START, layout, value(2n, descriptor(0x2000n, 1)))
      .encode(0x2000n, khoVmallocChunk, slots(0n, 0x4008n))
      .put(0x4008n, new Uint8Array(4096))
      .put(0x9000n, Uint8Array.of(1));
    expect(run(memory, layout).issues[0]).toBe(
      '0x8 pa 0x2008 .files.chunk[0].phys[0]: BAD_VALUE: expected a multiple of 0x1000, found 0x4008',
    );
  });

  it('have pages of any order that addresses allow', () => {
    const issueOf = (order: number) =>
      run(new FakeMemory().encode(START, layout, value(2n, descriptor(0x2000n, 1, order))), layout).issues[0];
    expect(issueOf(52)).toContain('ABSENT: expected a chunk');
    expect(issueOf(53)).not.toContain('ABSENT');
  });

  it('may have the link at the end of a chunk', () => {
    const chunk = struct('chunk', { phys: array(pointer({ to: 'memory' }), 2), next: link() });
    const described = struct('described', { first: u64(), total_pages: u32(), order: u32() });
    const own = struct('own', { count: u64(), all: gather(described, chunk, array(u64(), 'rest'), 'count') });
    const memory = new FakeMemory()
      .encode(START, own, { count: 1n, all: { first: 0x2000n, total_pages: 2, order: 0 } })
      .encode(0x2000n, chunk, { phys: [0x4000n, 0n], next: 0x3000n })
      .encode(0x3000n, chunk, { phys: [0n, 0x5000n], next: 0n })
      .put(0x4000n, new Uint8Array(4096));
    expect(run(memory, own)).toEqual({
      issues: [],
      lines: [
        ' 1000+24 from nowhere',
        '.all.chunk[0] 2000+24 from 1008',
        '.all.chunk[1] 3000+24 from 2010',
        '.all.page 4000+4096 from 2000',
        '.all.page 5000+4096 from 3008',
        '.all.elements 4000+8 from nowhere',
      ],
    });
  });
});

describe('memory for steps', () => {
  it('says what is not there', () => {
    const { read } = stepMemory(
      () => undefined,
      () => 0n,
    );
    expect(() => read(byte, START)).toThrow(
      '0x0 pa 0x1000: ABSENT: expected 1 bytes at 0x1000, found no such memory',
    );
    expect(() => read(khoRootV4, START)).toThrow('ABSENT: expected some bytes at 0x1000');
    expect(() => read(khoRootV4, START, 9)).toThrow('ABSENT: expected 9 bytes at 0x1000');
  });

  it('is written and read in the byte order of the machine, and filled up', () => {
    const pieces: Uint8Array[] = [];
    const word = struct('word', { x: u32() });
    const place = (bytes: Uint8Array): bigint => BigInt(pieces.push(bytes));
    const { read, write } = stepMemory(() => pieces[0], place, 'big');
    expect(write(word, { x: 5 })).toBe(1n);
    expect(write(word, { x: 6 }, 4)).toBe(2n);
    expect(write(word, { x: 7 }, 6)).toBe(3n);
    expect(pieces).toEqual([
      Uint8Array.of(0, 0, 0, 5),
      Uint8Array.of(0, 0, 0, 6),
      Uint8Array.of(0, 0, 0, 7, 0, 0),
    ]);
    expect(read(word, START)).toEqual({ x: 5 });
    pieces[0] = new Uint8Array(3);
    expect(() => read(word, START)).toThrow('0x0 pa 0x1000: TRUNCATED: expected 4 bytes, found 3');
  });
});
