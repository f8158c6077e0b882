// SPDX-License-Identifier: Apache-2.0
// Every value rule of every layout has a value that breaks it and is reported where it is; and rules in plain examples.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { violationsOf } from '../../src/fuzz/violations.js';
import {
  check,
  decode,
  encode,
  encodeUnchecked,
  families,
  type Layout,
  luoFileBlock,
  luoSessionBlock,
  luoV5,
  memblockV1,
  memfdV2,
  relatedLayouts,
  versionName,
} from '../../src/schemas/index.js';
import { ruleSites } from './rule-sites.js';

const layouts = new Map<Layout, string>();
for (const { versions } of families) {
  for (const version of versions) {
    for (const layout of relatedLayouts(version.layout)) layouts.set(layout, versionName(version));
  }
}

describe.each(
  [...layouts].map(
    ([layout, name]) => [`${name} ${layout.kind === 'struct' ? layout.name : layout.kind}`, layout] as const,
  ),
)('%s', (_, layout) => {
  const sites = ruleSites(layout);

  it.skipIf(sites.size === 0)('reports each of its rules where it is broken', () => {
    const left = new Set(sites);
    const samples = fc.sample(arbitraryOf(layout), { numRuns: 300, seed: 1 });
    for (const sample of samples) {
      for (const { site, path, value } of violationsOf(layout, sample)) {
        if (!left.has(site)) continue;
        const { issues } = check<Layout>(layout, encodeUnchecked(layout, value), { base: 0x1000n });
        const found = issues.find(
          (issue) => issue.path === path || (path === '' && issue.path === undefined),
        );
        expect(found, `${site} at ${path}: ${issues.map(formatIssue).join('; ')}`).toBeDefined();
        expect(found?.address).toBe(0x1000n + BigInt(found?.offset ?? -1));
        expect(`${found?.expected}|${found?.found}`).not.toMatch(/^\||\|$/);
        left.delete(site);
      }
      if (left.size === 0) break;
    }
    expect([...left]).toEqual([]);
  });
});

describe('what is said about a broken rule', () => {
  const issuesOf = (layout: Layout, value: unknown): string[] =>
    check(layout, encodeUnchecked(layout, value), { base: 0x680000n }).issues.map(formatIssue);
  const session = { name: 'vm', files: 0n, count: 0n };
  const block = { next: 0n, count: 2n, sessions: [session, { ...session, name: 'b' }] };

  it.each<[string, Layout, unknown, string]>([
    [
      'alignment',
      luoV5,
      { compatible: 'luo-v5', liveupdate_num: 1n, sessions_pa: 0x6a5008n, flbs_pa: 0n },
      '0x10 pa 0x680010 .sessions_pa: BAD_VALUE: expected a multiple of 0x1000, found 0x6a5008',
    ],
    [
      'another version string',
      luoV5,
      { compatible: 'luo-v4', liveupdate_num: 1n, sessions_pa: 0n, flbs_pa: 0n },
      '0x0 pa 0x680000 .compatible: BAD_VALUE: expected "luo-v5", found "luo-v4"',
    ],
    [
      'a name twice',
      luoSessionBlock,
      { ...block, sessions: [session, session] },
      '0x60 pa 0x680060 .sessions[1].name: BAD_VALUE: expected a value that [0] does not have, found "vm"',
    ],
    [
      'a count without files',
      luoSessionBlock,
      { ...block, sessions: [session, { ...session, name: 'b', count: 3n }] },
      '0x60 pa 0x680060 .sessions[1]: BAD_VALUE: expected files exactly when count is not 0, found files 0x0, count 0x3',
    ],
    [
      'an empty block',
      luoSessionBlock,
      { next: 0n, count: 0n, sessions: [] },
      '0x8 pa 0x680008 .count: BAD_VALUE: expected at least 1, found 0x0',
    ],
    [
      'a token twice',
      luoFileBlock,
      {
        next: 0n,
        count: 2n,
        files: [0, 1].map(() => ({ compatible: 'memfd-v2', data: 0x1000n, token: 7n })),
      },
      '0x88 pa 0x680088 .files[1].token: BAD_VALUE: expected a value that [0] does not have, found 0x7',
    ],
    [
      'seals that there are not',
      memfdV2,
      {
        pos: 0n,
        size: 0n,
        seals: 0x40,
        flags: 0,
        nr_folios: 0n,
        folios: { first: 0n, total_pages: 0, flags: 0, order: 0 },
      },
      '0x10 pa 0x680010 .seals: BAD_VALUE: expected no bits but 0x3f, found 64',
    ],
    [
      'a property of an FDT',
      memblockV1,
      {
        compatible: 'memblock-v1',
        regions: [{ $name: 'trace', compatible: 'reserve-mem-v1', start: 0x1000n, size: 0n }],
      },
      '0xa8 pa 0x6800a8 /trace/size: BAD_VALUE: expected at least 1, found 0x0',
    ],
  ])('%s', (_, layout, value, expected) => {
    expect(issuesOf(layout, value)).toContain(expected);
  });

  it('names bytes that are missing, too many, or in the wrong number', () => {
    expect(() => decode(luoV5, new Uint8Array(31))).toThrow('TRUNCATED: expected 32 bytes, found 31');
    expect(() => decode(luoV5, new Uint8Array(33))).toThrow('BAD_LENGTH: expected 32 bytes, found 33');
    const page = encode(luoSessionBlock, block);
    page[8] = 52;
    expect(() => decode(luoSessionBlock, page)).toThrow(
      '0x10 .sessions: BAD_COUNT: expected at most 51 elements, found 52',
    );
  });
});
