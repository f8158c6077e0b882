// SPDX-License-Identifier: Apache-2.0
// LUO before luo-v5, memfd before memfd-v2 and KHO's test module, against a handover that a C program made
// (fixtures/luo-older).
import { describe, expect, it } from 'vitest';
import {
  check,
  decode,
  encode,
  encodeUnchecked,
  follow,
  identify,
  khoTest,
  khoTestV1,
  khoTestV1Inline,
  type Layout,
  luo,
  luoArraySessionBlock,
  luoFileArray,
  luoFlbPage,
  luoSessionArray,
  luoSessionArrayUnnamed,
  luoV1,
  luoV1Plain,
  luoV2,
  luoV2State,
  luoV3,
  luoV4,
  type Memory,
  memfd,
  memfdDraftFolio,
  memfdFolio,
  memfdV1,
  memfdV1Fdt,
  memfdV1Inline,
  memfdV2,
  memfdV2Draft,
  type Reached,
  registryLookup,
  type SchemaIssue,
  spansOf,
  versionName,
} from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';
import { BLOB, olderFixture, olderMemory } from './luo-older.js';

/** Everything that a blob leads to. */
function reach(layout: Layout, name: string, lookup = registryLookup()): Reached[] {
  const issues: SchemaIssue[] = [];
  const blob = olderFixture(name);
  const start = { layout, address: BLOB, length: blob.length };
  const options = { issue: (issue: SchemaIssue) => issues.push(issue) };
  const reached = [...follow(start, olderMemory(name), lookup, options)];
  expect(issues).toEqual([]);
  return reached;
}

const summary = (reached: readonly Reached[]): unknown[] =>
  reached.map(({ path, address, length }) => [path, Number(address), length]);

describe.each([
  ['luo-v1-plain.dtb', luoV1Plain, 'luo-v1=plain'],
  ['luo-v1-flb.dtb', luoV1, 'luo-v1=flb'],
  ['luo-v2.dtb', luoV2, 'luo-v2'],
  ['luo-v3.bin', luoV3, 'luo-v3'],
  ['luo-v4.bin', luoV4, 'luo-v4'],
] as const)('%s', (name, layout, version) => {
  const blob = readFixture(`luo-older/${name}`);

  it('is told by its string and members', () => {
    const found = identify(luo, blob);
    expect(found && versionName(found.version)).toBe(version);
  });

  it('and all that it leads to break no rule and encode to the same bytes', () => {
    const reached = reach(layout, name);
    expect(reached.length).toBeGreaterThan(7);
    for (const { layout, value, bytes, path } of reached) {
      if (layout === undefined || bytes === undefined) continue;
      expect(Buffer.from(encodeUnchecked(layout, value)).equals(bytes), path).toBe(true);
      expect(
        spansOf(layout, bytes).filter((span) => span.unknown),
        path,
      ).toEqual([]);
    }
  });
});

describe('the handover of luo-v1', () => {
  it('is reached whole', () => {
    expect(summary(reach(luoV1, 'luo-v1-flb.dtb'))).toEqual([
      ['', 0x1000, 311],
      ['/luo-session/luo-session-header', 0x100000, 65536],
      ['/luo-session/luo-session-header.sessions[0].files', 0x200000, 128],
      ['/luo-session/luo-session-header.sessions[0].files[0].data', 0x300000, 40],
      ['/luo-session/luo-session-header.sessions[0].files[0].data.folios.chunk[0]', 0x310000, 4096],
      ['/luo-session/luo-session-header.sessions[0].files[0].data.folios.page', 0x320000, 4096],
      ['/luo-session/luo-session-header.sessions[0].files[0].data.folios.elements', 0x320000, 32],
      ['/luo-session/luo-session-header.sessions[0].files[1].data', 0x301000, 40],
      ['/luo-flb/luo-flb-header', 0x120000, 4096],
    ]);
  });

  it('decodes to what went in', () => {
    expect(decode(luoV1, olderFixture('luo-v1-flb.dtb'))).toEqual({
      compatible: 'luo-v1',
      'liveupdate-number': 3n,
      'luo-session': { compatible: 'luo-session-v2', 'luo-session-header': 0x100000n },
      'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': 0x120000n },
    });
    const sessions = [
      { name: 'vm-1', files: 0x200000n, count: 2n },
      { name: 'empty', files: 0n, count: 0n },
    ];
    expect(decode(luoSessionArray, olderFixture('sessions.bin'))).toEqual({ count: 2n, sessions });
    expect(decode(luoArraySessionBlock, olderFixture('session-block.bin'))).toEqual({
      next: 0n,
      count: 2n,
      sessions,
    });
    expect(decode(luoFileArray, olderFixture('files.bin').subarray(0, 128))).toEqual([
      { compatible: 'memfd-v1', data: 0x300000n, token: 5n },
      { compatible: 'memfd-v1', data: 0x301000n, token: 0xffff_ffff_ffff_ffffn },
    ]);
    expect(decode(luoFlbPage, olderFixture('flbs.bin'))).toEqual({
      pgcnt: 1n,
      count: 1n,
      flbs: [{ name: 'liveupdate-test-flb-v0', data: 0xfeed_f00d_cafe_bee0n, count: 2n }],
    });
  });

  it('has the addresses of luo-v2, v3 and v4', () => {
    const state = { liveupdate_num: 3n, sessions_pa: 0x100000n, flbs_pa: 0x120000n };
    expect(decode(luoV2, olderFixture('luo-v2.dtb'))).toEqual({
      compatible: 'luo-v2',
      'luo-abi-header': 0x130000n,
    });
    expect(decode(luoV2State, olderFixture('luo-v2-state.bin'))).toEqual(state);
    expect(decode(luoV3, olderFixture('luo-v3.bin'))).toEqual({ compatible: 'luo-v3', ...state });
    expect(decode(luoV4, olderFixture('luo-v4.bin'))).toEqual({
      compatible: 'luo-v4',
      ...state,
      sessions_pa: 0x140000n,
    });
  });

  it('may have room for files where there are none', () => {
    const sessions = olderFixture('sessions.bin').slice();
    new DataView(sessions.buffer).setBigUint64(80, 0n, true);
    const memory = olderMemory('luo-v3.bin');
    const issues: SchemaIssue[] = [];
    const there: Memory = (address, length) =>
      address === 0x100000n
        ? sessions.subarray(0, length)
        : address < 0x200000n
          ? memory(address, length)
          : undefined;
    const start = { layout: luoV3, address: BLOB, length: 32 };
    const reached = [...follow(start, there, registryLookup(), { issue: (issue) => issues.push(issue) })];
    expect(issues).toEqual([]);
    expect(reached.map(({ address }) => address)).toEqual([BLOB, 0x100000n, 0x120000n]);
  });

  it('is followed into FDT memfds where the user says that they are', () => {
    const fdts = new Map([
      ['memfd-v1.bin', 'memfd-v1-fdt.dtb'],
      ['memfd-v1-empty.bin', 'memfd-v1-fdt-empty.dtb'],
    ]);
    const memory = olderMemory('luo-v1-flb.dtb', (name) => fdts.get(name) ?? name);
    const lookup = registryLookup({ variants: new Map([['memfd-v1', 'fdt']]) });
    const start = { layout: luoV1, address: BLOB, length: 311 };
    const reached = [...follow(start, memory, lookup)];
    const blobs = reached.filter(({ layout }) => layout === memfdV1Fdt);
    expect(blobs.map(({ bytes }) => bytes)).toEqual([...fdts.values()].map(olderFixture));
    expect(reached.filter(({ pieces }) => pieces !== undefined)).toHaveLength(1);
  });
});

describe('memfd', () => {
  const folios = { first: 0x310000n, total_pages: 1, flags: 1, order: 0 };
  const none = { first: 0n, total_pages: 0, flags: 0, order: 0 };
  const foliodescs = [
    { foliodesc: { pfn: 0x12345, flags: 3 }, index: 0n },
    { foliodesc: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n },
  ];

  it.each([
    ['memfd-v1.bin', memfdV1, { pos: 7n, size: 0x201000n, nr_folios: 2n, folios }],
    ['memfd-v1-empty.bin', memfdV1, { pos: 0n, size: 0n, nr_folios: 0n, folios: none }],
    [
      'memfd-v2-draft.bin',
      memfdV2Draft,
      { pos: 7n, size: 0x201000n, seals: { seals: 0x2f, pad: 0n }, nr_folios: 2n, folios },
    ],
    [
      'memfd-v2-draft.bin',
      memfdV2,
      { pos: 7n, size: 0x201000n, seals: 0x2f, flags: 0, nr_folios: 2n, folios },
    ],
    ['memfd-v1-inline.dtb', memfdV1Inline, { pos: 7n, size: 0x201000n, folios: foliodescs }],
    ['memfd-v1-fdt.dtb', memfdV1Fdt, { pos: 7n, size: 0x201000n, nr_folios: 2n, folios }],
    ['memfd-v1-fdt-empty.dtb', memfdV1Fdt, { pos: 7n, size: 0n }],
  ] as const)('%s decodes to what went in, and back', (name, layout: Layout, value) => {
    const blob = olderFixture(name);
    expect(check(layout, blob)).toEqual({ value, issues: [], unknown: [] });
    expect(Buffer.from(encodeUnchecked(layout, value)).equals(blob)).toBe(true);
  });

  it.each([
    ['memfd-v1.bin', 'memfd-v1', 'memfd-v1', 'evidence'],
    ['memfd-v1-inline.dtb', 'memfd-v1', 'memfd-v1=fdt-inline', 'evidence'],
    ['memfd-v1-fdt.dtb', 'memfd-v1', 'memfd-v1=fdt', 'evidence'],
    ['memfd-v2-draft.bin', 'memfd-v2', 'memfd-v2', 'likely'],
  ] as const)('%s under the string %s is %s', (name, key, version, confidence) => {
    const found = identify(memfd, olderFixture(name), {}, key);
    expect(found && [versionName(found.version), found.confidence]).toEqual([version, confidence]);
  });

  it('swapped flags and page frame number in folios', () => {
    const released = decode(memfdFolio, olderFixture('folios.bin').subarray(16, 32));
    expect(released).toEqual({ folio: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n });
    const bytes = encode(memfdDraftFolio, { foliodesc: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n });
    expect(Buffer.from(bytes).toString('hex')).toBe('02f0ffffffffffff0002000000000000');
  });
});

describe("KHO's test module", () => {
  const value = (folios_info: unknown) => ({
    compatible: 'kho-test-v1',
    magic: 0x4b484f21,
    data: { nr_folios: 3, folios_info, csum: 0x89abcdef },
  });
  const inline = [
    { order: 9, pfn: 0x10000 },
    { order: 0, pfn: 0x20000 },
    { order: 10, pfn: 0x123456789 },
  ];
  const descriptor = { first: 0x310000n, total_pages: 1, flags: 1, order: 0 };

  it.each([
    ['kho-test-inline.dtb', khoTestV1Inline, inline, 'kho-test-v1=inline'],
    ['kho-test-vmalloc.dtb', khoTestV1, descriptor, 'kho-test-v1=vmalloc'],
  ] as const)('%s decodes to what went in, and back', (name, layout: Layout, folios_info, version) => {
    const blob = olderFixture(name);
    expect(check(layout, blob)).toEqual({ value: value(folios_info), issues: [], unknown: [] });
    expect(Buffer.from(encodeUnchecked(layout, value(folios_info))).equals(blob)).toBe(true);
    const found = identify(khoTest, blob);
    expect(found && versionName(found.version)).toBe(version);
  });
});

describe('rules', () => {
  const session = (change = {}) => ({ name: 'a', files: 0x1000n, count: 1n, ...change });
  const sessions = (...list: unknown[]) => ({ count: BigInt(list.length), sessions: list });
  const file = (change = {}) => ({ compatible: 'memfd-v1', data: 0x1000n, token: 1n, ...change });
  const state = { liveupdate_num: 1n, sessions_pa: 0n, flbs_pa: 0n };
  const v1 = {
    compatible: 'luo-v1',
    'liveupdate-number': 1n,
    'luo-session': { compatible: 'luo-session-v2', 'luo-session-header': 0x1000n },
    'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': 0x2000n },
  };
  const objects = (...flbs: unknown[]) => ({ pgcnt: 1n, count: BigInt(flbs.length), flbs });
  const object = { name: 'x', data: 1n, count: 1n };
  const empty = {
    pos: 0n,
    size: 0n,
    nr_folios: 0n,
    folios: { first: 0n, total_pages: 0, flags: 0, order: 0 },
  };
  const test = {
    compatible: 'kho-test-v1',
    magic: 0x4b484f21,
    data: { nr_folios: 0, folios_info: [], csum: 0 },
  };
  const broken: readonly (readonly [string, Layout, unknown, number, string, string, string])[] = [
    [
      'a session without a name',
      luoSessionArray,
      sessions(session({ name: '' })),
      8,
      '.sessions[0].name',
      'text',
      'nothing',
    ],
    [
      'two sessions of a name',
      luoSessionArray,
      sessions(session(), session()),
      88,
      '.sessions[1].name',
      'a value that [0] does not have',
      '"a"',
    ],
    [
      'files at no page',
      luoSessionArray,
      sessions(session({ files: 0x1001n })),
      72,
      '.sessions[0].files',
      'a multiple of 0x1000',
      '0x1001',
    ],
    [
      '129 files',
      luoSessionArray,
      sessions(session({ count: 129n })),
      80,
      '.sessions[0].count',
      'at most 128',
      '0x81',
    ],
    [
      'a file at 0',
      luoSessionArray,
      sessions(session({ files: 0n })),
      8,
      '.sessions[0]',
      'count is 0 where files is',
      'count 0x1',
    ],
    [
      'a next block at no page',
      luoArraySessionBlock,
      { next: 8n, ...sessions(session()) },
      0,
      '.next',
      'a multiple of 0x1000',
      '0x8',
    ],
    ['an empty block', luoArraySessionBlock, { next: 0n, ...sessions() }, 8, '.count', 'at least 1', '0x0'],
    [
      'a file of no handler',
      luoFileArray,
      [file({ compatible: '' })],
      0,
      '[0].compatible',
      'text',
      'nothing',
    ],
    [
      'two files of a token',
      luoFileArray,
      [file(), file()],
      120,
      '[1].token',
      'a value that [0] does not have',
      '0x1',
    ],
    ['objects of two pages', luoFlbPage, { ...objects(), pgcnt: 2n }, 0, '.pgcnt', '1', '0x2'],
    [
      'an object without a name',
      luoFlbPage,
      objects({ ...object, name: '' }),
      16,
      '.flbs[0].name',
      'text',
      'nothing',
    ],
    [
      'an object that nothing needs',
      luoFlbPage,
      objects({ ...object, count: 0n }),
      72,
      '.flbs[0].count',
      'at least 1',
      '0x0',
    ],
    [
      'two objects of a name',
      luoFlbPage,
      objects(object, object),
      80,
      '.flbs[1].name',
      'a value that [0] does not have',
      '"x"',
    ],
    [
      'a live update before the first',
      luoV2State,
      { ...state, liveupdate_num: 0n },
      0,
      '.liveupdate_num',
      'at least 1',
      '0x0',
    ],
    [
      'sessions at no page',
      luoV3,
      { compatible: 'luo-v3', ...state, sessions_pa: 1n },
      16,
      '.sessions_pa',
      'a multiple of 0x1000',
      '0x1',
    ],
    [
      'objects at no page',
      luoV4,
      { compatible: 'luo-v4', ...state, flbs_pa: 1n },
      24,
      '.flbs_pa',
      'a multiple of 0x1000',
      '0x1',
    ],
    ['luo-v3 as luo-v4', luoV4, { compatible: 'luo-v3', ...state }, 0, '.compatible', '"luo-v4"', '"luo-v3"'],
    ['luo-v4 as luo-v3', luoV3, { compatible: 'luo-v4', ...state }, 0, '.compatible', '"luo-v3"', '"luo-v4"'],
    ['number 0', luoV1, { ...v1, 'liveupdate-number': 0n }, 104, '/liveupdate-number', 'at least 1', '0x0'],
    ['another string', luoV1, { ...v1, compatible: 'luo-v2' }, 84, '/compatible', '"luo-v1"', '"luo-v2"'],
    [
      'no sessions',
      luoV1,
      { ...v1, 'luo-session': { compatible: 'luo-session-v2', 'luo-session-header': 0n } },
      168,
      '/luo-session/luo-session-header',
      'at least 1',
      '0x0',
    ],
    [
      'luo-session-v1',
      luoV1Plain,
      { ...v1, 'luo-session': { compatible: 'luo-session-v1', 'luo-session-header': 0x1000n } },
      140,
      '/luo-session/compatible',
      '"luo-session-v2"',
      '"luo-session-v1"',
    ],
    [
      'no objects',
      luoV1,
      { ...v1, 'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': 0n } },
      228,
      '/luo-flb/luo-flb-header',
      'at least 1',
      '0x0',
    ],
    [
      'luo-flb-v2',
      luoV1,
      { ...v1, 'luo-flb': { compatible: 'luo-flb-v2', 'luo-flb-header': 0x1000n } },
      204,
      '/luo-flb/compatible',
      '"luo-flb-v1"',
      '"luo-flb-v2"',
    ],
    [
      'no state',
      luoV2,
      { compatible: 'luo-v2', 'luo-abi-header': 0n },
      104,
      '/luo-abi-header',
      'at least 1',
      '0x0',
    ],
    [
      'folios of nothing',
      memfdV1,
      { ...empty, nr_folios: 1n },
      0,
      '',
      'folios exactly when the file is not empty',
      'size 0x0, nr_folios 0x1',
    ],
    [
      'bytes without folios',
      memfdV1Fdt,
      { pos: 0n, size: 1n },
      64,
      '/',
      'folios exactly when the file is not empty',
      'size 0x1, nr_folios nothing',
    ],
    [
      'a seal that is none',
      memfdV2Draft,
      { ...empty, seals: { seals: 0x40, pad: 0n } },
      16,
      '.seals.seals',
      'no bits but 0x3f',
      '64',
    ],
    [
      'seals above 8 bits',
      memfdV2Draft,
      { ...empty, seals: { seals: 0, pad: 1n } },
      16,
      '.seals.pad',
      'at most 0',
      '0x1',
    ],
    [
      'a state of folios that is none',
      memfdDraftFolio,
      { foliodesc: { flags: 4, pfn: 0 }, index: 0n },
      0,
      '.foliodesc.flags',
      'no bits but 0x3',
      '4',
    ],
    [
      'folios in disorder',
      memfdV1Inline,
      {
        pos: 0n,
        size: 1n,
        folios: [
          { foliodesc: { flags: 0, pfn: 0 }, index: 1n },
          { foliodesc: { flags: 0, pfn: 0 }, index: 1n },
        ],
      },
      148,
      '/folios[1].index',
      'more than 1, as in [0]',
      '1',
    ],
    ['another magic', khoTestV1Inline, { ...test, magic: 1 }, 108, '/magic', '1263030049', '1'],
    [
      'an order of 53',
      khoTestV1Inline,
      { ...test, data: { ...test.data, folios_info: [{ order: 53, pfn: 0 }] } },
      152,
      '/data/folios_info[0].order',
      'at most 52',
      '53',
    ],
  ];

  it.each(broken)('refuse %s', (_, layout, value, offset, path, expected, found) => {
    const { issues } = check<Layout>(layout, encodeUnchecked(layout, value));
    expect(issues).toMatchObject([
      { code: 'BAD_VALUE', offset, ...(path === '' ? {} : { path }), expected, found },
    ]);
  });

  /** What does not fit, or is not ended by a NUL. */
  const long: readonly (readonly [string, Layout, unknown, number, string])[] = [
    [
      'a session name of 64 characters',
      luoSessionArray,
      sessions(session({ name: 'a'.repeat(64) })),
      8,
      'a NUL within 64 bytes',
    ],
    [
      'a handler of 48 characters',
      luoFileArray,
      [file({ compatible: 'a'.repeat(48) })],
      0,
      'a NUL within 48 bytes',
    ],
    [
      'an object name of 48 characters',
      luoFlbPage,
      objects({ ...object, name: 'a'.repeat(48) }),
      16,
      'a NUL within 48 bytes',
    ],
    [
      'a header at no page',
      luoV1,
      { ...v1, 'luo-session': { compatible: 'luo-session-v2', 'luo-session-header': 0x1001n } },
      168,
      'a multiple of 0x1000',
    ],
    [
      'objects of luo-v1 at no page',
      luoV1,
      { ...v1, 'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': 0x1001n } },
      228,
      'a multiple of 0x1000',
    ],
  ];

  it.each(long)('refuse %s', (_, layout, value, offset, expected) => {
    const { issues } = check<Layout>(layout, encodeUnchecked(layout, value));
    expect(issues).toMatchObject([{ code: 'BAD_VALUE', offset, expected }]);
  });

  it.each([
    ['sessions', luoArraySessionBlock, 52n, '.sessions'],
    ['objects', luoFlbPage, 64n, '.flbs'],
  ] as const)('refuse more %s than a page holds', (_, layout: Layout, count, path) => {
    const bytes = new Uint8Array(4096);
    new DataView(bytes.buffer).setBigUint64(8, count, true);
    expect(check(layout, bytes).issues).toMatchObject([{ code: 'BAD_COUNT', path, offset: 16 }]);
  });

  it('let Linux 6.19 have a session without a name', () => {
    const blob = encodeUnchecked(luoSessionArray, sessions(session({ name: '' })));
    expect(check(luoSessionArrayUnnamed, blob).issues).toEqual([]);
  });

  it('refuse more sessions than 16 pages hold', () => {
    const blob = olderFixture('sessions.bin').slice();
    new DataView(blob.buffer).setBigUint64(0, 820n, true);
    expect(check(luoSessionArray, blob).issues).toMatchObject([
      { code: 'BAD_COUNT', path: '.sessions', offset: 8 },
    ]);
  });

  it('miss luo-flb in what Linux 6.19 wrote', () => {
    const { issues } = check(luoV1, olderFixture('luo-v1-plain.dtb'));
    expect(issues).toMatchObject([{ code: 'MISSING', path: '/', expected: 'node luo-flb' }]);
  });
});
