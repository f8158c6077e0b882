// SPDX-License-Identifier: Apache-2.0
// LUO before luo-v5, against a handover that a C program made (fixtures/luo-older).
import { describe, expect, it } from 'vitest';
import {
  decode,
  encodeUnchecked,
  follow,
  identify,
  type Layout,
  luo,
  luoArraySessionBlock,
  luoFileArray,
  luoFlbPage,
  luoSessionArray,
  luoV1,
  luoV1Plain,
  luoV2,
  luoV2State,
  luoV3,
  luoV4,
  type Memory,
  memfdV1Fdt,
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
