// SPDX-License-Identifier: Apache-2.0
// Steps between versions: a real handover of Linux 7.3.4 carried back to luo-v1 and forth again; the pieces that a C
// program made of each version (fixtures/luo-older); and what does not fit.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  check,
  convertAlong,
  decode,
  encodeUnchecked,
  families,
  follow,
  type KnownStep,
  type Layout,
  luoArraySessionBlock,
  type luoFile,
  luoFileArray,
  luoFileBlock,
  luoSessionArray,
  luoSessionBlock,
  luoV1,
  luoV1Plain,
  luoV2,
  luoV3,
  luoV4,
  luoV5,
  type Memory,
  memfdV1,
  memfdV2,
  memfdV2Draft,
  registryLookup,
  type SchemaIssue,
  type StepMemory,
  stepMemory,
  steps,
  stepsBetween,
  type Value,
  versionName,
} from '../../src/schemas/index.js';
import { scaled } from '../random.js';
import { memoryOf, openCapture, readOracle } from './captured.js';
import { olderFixture, olderMemory } from './luo-older.js';

const FRESH = 0x7000_0000_0000n;

/** Memory over `below` whose fresh pieces lie from FRESH on, or where `at` says, in turn. */
function withRoom(below: Memory, at: readonly bigint[] = []) {
  const pieces: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];
  let next = FRESH;
  const memory: Memory = (address, length) => {
    const found = pieces.find(
      (piece) =>
        address >= piece.address && address + BigInt(length) <= piece.address + BigInt(piece.bytes.length),
    );
    if (found === undefined) return below(address, length);
    const start = Number(address - found.address);
    return found.bytes.subarray(start, start + length);
  };
  const place = (bytes: Uint8Array): bigint => {
    const address = at[pieces.length] ?? next;
    next += BigInt(Math.ceil(bytes.length / 4096)) * 4096n;
    pieces.push({ address, bytes });
    return address;
  };
  return { memory, pieces, room: stepMemory(memory, place) };
}

const nothing: Memory = () => undefined;

function way(from: string, to: string): readonly KnownStep[] {
  const found = stepsBetween(from, to);
  if (found === undefined) throw new Error(`no way from ${from} to ${to}`);
  return found;
}

const names = (from: string, to: string): string[] =>
  way(from, to).map((step) => `${versionName(step.from)} > ${versionName(step.to)}`);

/** Sessions and files that a LUO blob leads to, without addresses of lists. */
function contents(layout: Layout, bytes: Uint8Array, memory: Memory) {
  const issues: SchemaIssue[] = [];
  const top = 0x6000_0000_0000n;
  const all: Memory = (address, length) =>
    address === top ? bytes.subarray(0, length) : memory(address, length);
  const start = { layout, address: top, length: bytes.length };
  const sessions: unknown[] = [];
  const files: Value<typeof luoFile>[] = [];
  for (const { layout, bytes = new Uint8Array() } of follow(start, all, registryLookup(), {
    issue: (issue) => issues.push(issue),
  })) {
    if (layout === luoFileArray) files.push(...decode(luoFileArray, bytes));
    if (layout === luoFileBlock) files.push(...decode(luoFileBlock, bytes).files);
    for (const list of [luoSessionBlock, luoArraySessionBlock, luoSessionArray])
      if (layout === list)
        sessions.push(...decode(list, bytes).sessions.map(({ name, count }) => ({ name, count })));
  }
  return { issues, sessions, files };
}

describe('a captured handover of Linux 7.3.4', () => {
  const capture = memoryOf(openCapture());
  const oracle = readOracle();
  const address = BigInt(oracle.subtrees.find(({ name }) => name === 'LUO')?.phys ?? 0);
  const blob = capture(address, 32) ?? new Uint8Array();
  const found = contents(luoV5, blob, capture);
  const { memory, room } = withRoom(capture);

  it('has something to lose', () => {
    expect(found.issues).toEqual([]);
    expect(found.sessions).toHaveLength(oracle.luo.sessions.length);
    expect(found.files.length).toBeGreaterThan(70);
  });

  it('carries every session and file to luo-v1, and back to luo-v5', () => {
    const down = convertAlong(way('luo-v5', 'luo-v1=flb'), decode(luoV5, blob), room);
    const older = encodeUnchecked(luoV1, down);
    expect(contents(luoV1, older, memory)).toEqual(found);
    const up = convertAlong(way('luo-v1=flb', 'luo-v5'), decode(luoV1, older), room);
    expect(contents(luoV5, encodeUnchecked(luoV5, up), memory)).toEqual(found);
    expect(down).toMatchObject({ 'liveupdate-number': BigInt(oracle.luo.liveupdate_num) });
  });

  it('loses the seals of its memfds on the way to memfd-v1, and nothing else', () => {
    const pointers = found.files.map(({ data }) => data);
    const sealed = pointers.map((data) => decode(memfdV2, capture(data, 48) ?? new Uint8Array()));
    expect(sealed.some(({ seals }) => seals !== 0)).toBe(true);
    for (const value of sealed) {
      const older = decode(
        memfdV1,
        encodeUnchecked(memfdV1, convertAlong(way('memfd-v2', 'memfd-v1'), value, room)),
      );
      const { seals: _, flags: __, ...kept } = value;
      expect(older).toEqual(kept);
      expect(convertAlong(way('memfd-v1', 'memfd-v2'), older, room)).toEqual({ ...value, seals: 0 });
    }
  });
});

describe('what the C program made', () => {
  const blobs: Readonly<Record<string, readonly [Layout, string]>> = {
    'luo-v1=plain': [luoV1Plain, 'luo-v1-plain.dtb'],
    'luo-v1=flb': [luoV1, 'luo-v1-flb.dtb'],
    'luo-v2': [luoV2, 'luo-v2.dtb'],
    'luo-v3': [luoV3, 'luo-v3.bin'],
    'luo-v4': [luoV4, 'luo-v4.bin'],
  };

  it.each([
    ['luo-v1=flb', 'luo-v1=plain', []],
    ['luo-v1=flb', 'luo-v2', [[0x130000n, 'luo-v2-state.bin']]],
    ['luo-v2', 'luo-v1=flb', []],
    ['luo-v2', 'luo-v3', []],
    ['luo-v3', 'luo-v2', [[0x130000n, 'luo-v2-state.bin']]],
    ['luo-v3', 'luo-v4', [[0x140000n, 'session-block.bin']]],
    ['luo-v4', 'luo-v3', [[0x100000n, 'sessions.bin']]],
  ] as const)('of %s becomes that of %s, byte for byte', (from, to, made) => {
    const [layout, name] = blobs[from] ?? [luoV1, ''];
    const [target, expected] = blobs[to] ?? [luoV1, ''];
    const { room, pieces } = withRoom(
      olderMemory(name),
      made.map(([address]) => address),
    );
    expect(way(from, to)).toHaveLength(1);
    const value = convertAlong(way(from, to), decode<Layout>(layout, olderFixture(name)), room);
    expect(Buffer.from(encodeUnchecked(target, value)).equals(olderFixture(expected))).toBe(true);
    expect(pieces).toHaveLength(made.length);
    for (const [index, [, piece]] of made.entries())
      expect(Buffer.from(pieces[index]?.bytes ?? []).equals(olderFixture(piece)), piece).toBe(true);
  });

  it('of luo-v4 comes back from luo-v5, two pages of files included', () => {
    const below = olderMemory('luo-v4.bin');
    const up = withRoom(below);
    const v5 = convertAlong(way('luo-v4', 'luo-v5'), decode(luoV4, olderFixture('luo-v4.bin')), up.room);
    const down = withRoom(up.memory, [0x200000n, 0x140000n]);
    const v4 = convertAlong(way('luo-v5', 'luo-v4'), v5, down.room);
    expect(Buffer.from(encodeUnchecked(luoV4, v4)).equals(olderFixture('luo-v4.bin'))).toBe(true);
    expect(down.pieces.map(({ bytes }) => Buffer.from(bytes))).toEqual(
      ['files.bin', 'session-block.bin'].map((name) => Buffer.from(olderFixture(name))),
    );
  });

  it('of Linux 6.19 gets an empty page of objects', () => {
    const { room, pieces } = withRoom(nothing, [0x120000n]);
    const plain = decode(luoV1Plain, olderFixture('luo-v1-plain.dtb'));
    const value = convertAlong(way('luo-v1=plain', 'luo-v1=flb'), plain, room);
    expect(Buffer.from(encodeUnchecked(luoV1, value)).equals(olderFixture('luo-v1-flb.dtb'))).toBe(true);
    const page = new Uint8Array(4096);
    page[0] = 1;
    expect(pieces).toEqual([{ address: 0x120000n, bytes: page }]);
  });

  it('of the draft of memfd-v2 is that of memfd-v2', () => {
    const blob = olderFixture('memfd-v2-draft.bin');
    const { room } = withRoom(nothing);
    const released = convertAlong(way('memfd-v2=draft', 'memfd-v2'), decode(memfdV2Draft, blob), room);
    expect(Buffer.from(encodeUnchecked(memfdV2, released)).equals(blob)).toBe(true);
    const draft = convertAlong(way('memfd-v2', 'memfd-v2=draft'), released, room);
    expect(Buffer.from(encodeUnchecked(memfdV2Draft, draft)).equals(blob)).toBe(true);
    const older = convertAlong(way('memfd-v2', 'memfd-v1'), released, room);
    expect(Buffer.from(encodeUnchecked(memfdV1, older)).equals(olderFixture('memfd-v1.bin'))).toBe(true);
  });
});

describe('lists', () => {
  const file = (index: number) => ({ compatible: 'x', data: BigInt(index), token: BigInt(index) });

  /** luo-v5 state with sessions of so many files. */
  function make(counts: readonly number[], room: StepMemory): Value<typeof luoV5> {
    const blocks = <E>(
      all: readonly E[],
      size: number,
      write: (some: readonly E[], next: bigint) => bigint,
    ) => {
      const starts = Array.from({ length: Math.ceil(all.length / size) }, (_, index) => index * size);
      return starts.reduceRight((next, start) => write(all.slice(start, start + size), next), 0n);
    };
    const sessions = counts.map((count, index) => ({
      name: `s${index}`,
      files: blocks(
        Array.from({ length: count }, (_, each) => file(each)),
        63,
        (files, next) => room.write(luoFileBlock, { next, count: BigInt(files.length), files }),
      ),
      count: BigInt(count),
    }));
    const sessions_pa = blocks(sessions, 51, (some, next) =>
      room.write(luoSessionBlock, { next, count: BigInt(some.length), sessions: some }),
    );
    return { compatible: 'luo-v5', liveupdate_num: 1n, sessions_pa, flbs_pa: 0n };
  }

  it('of any length that fits survive the way to luo-v1 and back', () => {
    const counts = fc.array(
      fc.oneof(fc.constantFrom(0, 1, 63, 64, 127, 128), fc.integer({ min: 0, max: 128 })),
      {
        maxLength: 110,
      },
    );
    fc.assert(
      fc.property(counts, (files) => {
        const { memory, room } = withRoom(nothing);
        const value = make(files, room);
        const before = contents(luoV5, encodeUnchecked(luoV5, value), memory);
        const down = convertAlong(way('luo-v5', 'luo-v1=flb'), value, room);
        const older = encodeUnchecked(luoV1, down);
        expect(check(luoV1, older).issues).toEqual([]);
        const up = convertAlong(way('luo-v1=flb', 'luo-v5'), down, room);
        const after = contents(luoV5, encodeUnchecked(luoV5, up), memory);
        expect({ ...after, issues: [] }).toEqual({ ...before, issues: [] });
        expect(after.sessions).toHaveLength(files.length);
        // Data of these files is nowhere; nothing else is wrong.
        expect(after.issues.filter(({ code }) => code !== 'NO_LAYOUT')).toEqual([]);
      }),
      { numRuns: scaled(20) },
    );
  });

  it.each([
    ['819 sessions', Array(819).fill(0), 'luo-v3', undefined],
    ['820 sessions', Array(820).fill(0), 'luo-v3', '0x0 sessions_pa: LIMIT: expected at most 819, found 820'],
    ['128 files', [128], 'luo-v4', undefined],
    ['129 files', [129], 'luo-v4', '0x0 s0.files: LIMIT: expected at most 128, found 129'],
  ] as const)('%s %#', (_, counts: readonly number[], to, message) => {
    const { room } = withRoom(nothing);
    const value = make(counts, room);
    const convert = () => convertAlong(way('luo-v5', to), value, room);
    if (message === undefined) expect(convert).not.toThrow();
    else expect(convert).toThrow(message);
  });

  const state = { compatible: 'luo-v5', liveupdate_num: 1n, sessions_pa: FRESH, flbs_pa: 0n };
  const one = { name: 'a', files: 0n, count: 0n };
  const AT = '0x700000000000';
  const NOT_THERE = '0x0 pa 0x5000: ABSENT: expected 4096 bytes at 0x5000, found no such memory';

  it.each([
    [
      'a list that comes back',
      { next: FRESH, count: 1n, sessions: [one] },
      `0x0 pa ${AT}: LOOP: expected a block not seen before, found ${AT}`,
    ],
    ['a list that leads to nowhere', { next: 0x5000n, count: 1n, sessions: [one] }, NOT_THERE],
    [
      'files that are not there',
      { next: 0n, count: 1n, sessions: [{ ...one, files: 0x5000n, count: 1n }] },
      NOT_THERE,
    ],
    [
      'files that are fewer',
      { next: 0n, count: 1n, sessions: [{ ...one, count: 1n }] },
      '0x0 a.count: BAD_COUNT: expected 1 files, found 0',
    ],
  ] as const)('refuse %s', (_, block, said) => {
    const { room } = withRoom(nothing);
    room.write(luoSessionBlock, block);
    expect(() => convertAlong(way('luo-v5', 'luo-v4'), state, room)).toThrow(said);
  });

  it('refuse an array of files that cannot be one', () => {
    const { room } = withRoom(nothing);
    const sessions = [{ ...one, files: 0x5000n, count: 129n }];
    const sessions_pa = room.write(luoArraySessionBlock, { next: 0n, count: 1n, sessions });
    const v4 = { compatible: 'luo-v4', liveupdate_num: 1n, sessions_pa, flbs_pa: 0n };
    expect(() => convertAlong(way('luo-v4', 'luo-v5'), v4, room)).toThrow(
      '0x0 a.count: LIMIT: expected at most 128, found 129',
    );
  });

  it('of no sessions become lists of no sessions', () => {
    const { room, pieces } = withRoom(nothing);
    const v3 = { compatible: 'luo-v3', liveupdate_num: 1n, sessions_pa: 0n, flbs_pa: 0n };
    const v4 = { ...v3, compatible: 'luo-v4' };
    expect(convertAlong(way('luo-v3', 'luo-v4'), v3, room)).toEqual(v4);
    expect(pieces).toEqual([]);
  });

  it('refuse more blocks than the kernel takes', () => {
    const { room } = withRoom((address, length) => {
      const block = encodeUnchecked(luoSessionBlock, { next: address + 0x1000n, count: 1n, sessions: [one] });
      return block.subarray(0, length);
    });
    expect(() => convertAlong(way('luo-v5', 'luo-v4'), state, room)).toThrow(
      /^0x0 pa 0x[0-9a-f]+: LIMIT: expected at most 10000 blocks, found more$/,
    );
  });
});

describe('the steps', () => {
  it('lead from every version of LUO and memfd to the next one, in both directions between releases', () => {
    for (const name of ['luo', 'memfd']) {
      const { versions = [] } = families.find((family) => family.name === name) ?? {};
      for (const [index, version] of versions.entries()) {
        const next = versions[index + 1];
        if (next !== undefined) way(versionName(version), versionName(next));
      }
      const merged = versions.filter(({ status }) => status === 'merged').map(versionName);
      for (const from of merged) for (const to of merged) way(from, to);
    }
    expect(names('luo-v5', 'luo-v1=plain')).toEqual([
      'luo-v5 > luo-v4',
      'luo-v4 > luo-v3',
      'luo-v3 > luo-v2',
      'luo-v2 > luo-v1=flb',
      'luo-v1=flb > luo-v1=plain',
    ]);
    expect(names('memfd-v1', 'memfd-v2')).toEqual(['memfd-v1 > memfd-v2']);
    expect(names('luo-v5', 'luo-v5')).toEqual([]);
    expect(stepsBetween('luo-v5', 'memfd-v2')).toBeUndefined();
  });

  it('say what they lose and what does not fit', () => {
    const named = ({ from, to }: KnownStep): string => `${versionName(from)} > ${versionName(to)}`;
    expect(steps.filter(({ step }) => !step.lossless).map(named)).toEqual([
      'luo-v1=flb > luo-v1=plain',
      'memfd-v2 > memfd-v1',
    ]);
    expect(
      steps.filter(({ step }) => step.limit !== undefined).map((each) => [named(each), each.step.limit]),
    ).toEqual([
      ['luo-v4 > luo-v3', 'at most 819 sessions'],
      ['luo-v5 > luo-v4', 'at most 128 files in a session'],
    ]);
  });

  it('without a conversion say so', () => {
    const { room } = withRoom(nothing);
    const convert = () => convertAlong(way('memfd-v1=fdt', 'memfd-v1'), {}, room);
    expect(convert).toThrow('expected a conversion from memfd-v1=fdt to memfd-v1, found none');
  });
});
