// SPDX-License-Identifier: Apache-2.0
// Each rule of LUO before luo-v5, memfd before memfd-v2 and KHO's test module broken once, the place of it worked out by
// hand.
import { describe, expect, it } from 'vitest';
import {
  check,
  encodeUnchecked,
  khoTestV1Inline,
  type Layout,
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
  memfdDraftFolio,
  memfdV1,
  memfdV1Fdt,
  memfdV1Inline,
  memfdV2Draft,
} from '../../src/schemas/index.js';
import { olderFixture } from './luo-older.js';

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
