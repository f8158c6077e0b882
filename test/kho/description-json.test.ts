// SPDX-License-Identifier: Apache-2.0
// Descriptions of handovers as JSON: what they mean, and what is said of wrong ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../src/kho/build-error.js';
import { buildHandover } from '../../src/kho/build-handover.js';
import { makeContents } from '../../src/kho/contents.js';
import { descriptionFromJson } from '../../src/kho/description-json.js';
import { Handover } from '../../src/kho/handover.js';
import { verifyHandover } from '../../src/kho/verify.js';
import { walkTable } from '../../src/vtd/walk.js';
import { runSeed } from '../random.js';

const small = { memory: '64M', scratch: ['8M'] };

describe('a description in JSON', () => {
  it('has sizes in words, seals by name, contents', () => {
    const { memory, root } = buildHandover(
      descriptionFromJson({
        kernel: '7.3',
        ...small,
        sessions: [
          {
            name: 'vm',
            files: [
              {
                token: '0xffffffffffffffff',
                size: '8K',
                seals: ['SHRINK', 'WRITE'],
                contents: { text: 'guest' },
                holes: [{ start: 1, length: 2 }],
              },
            ],
          },
        ],
        objects: [{ name: 'liveupdate-test-flb-v0', data: '0xfeedf00dcafebee0' }],
        preserve: [
          { start: '32M', size: '4M' },
          { order: 10, count: 2 },
        ],
        subtrees: [{ name: 'mine', hex: 'c0ffee'.repeat(4) }],
      }),
    );
    const handover = Handover.open(memory, { root });
    // Nobody has declared a layout for `mine`.
    expect(handover.issues.map(({ code }) => code)).toEqual(['NO_LAYOUT']);
    const [file] = handover.sessions[0]?.files ?? [];
    expect([file?.token, file?.size, file?.memfd?.seals]).toEqual([0xffff_ffff_ffff_ffffn, 8192n, 10]);
    const [folio] = file === undefined ? [] : [...handover.fileRuns(file)];
    expect(Buffer.from(memory.read(BigInt(folio?.pfn ?? 0) << 12n, 6)).toString('latin1')).toBe('g\0\0st\0');
    expect(handover.luo?.flbs).toMatchObject([{ data: 0xfeed_f00d_cafe_bee0n, dependents: 1n }]);
    expect(handover.preserved?.find(0x2000)).toMatchObject({ start: 0x2000, order: 10 });
    expect(handover.preserved?.byOrder().at(-1)).toEqual({ order: 10, blocks: 3 });
    expect(handover.consumer('mine')?.bytes).toEqual(new Uint8Array(Buffer.from('c0ffee'.repeat(4), 'hex')));
  });

  it('has page tables for the domains of the RFC of 2024', () => {
    const areas = [
      { iova: '0x100000', length: '2M' },
      { iova: '4G', length: '6M', prot: 5 },
    ];
    const { memory, root, scratch } = buildHandover(
      descriptionFromJson({
        kernel: 'rfc-2024',
        ...small,
        iommufds: [{ id: 1, ioases: [{ id: 3, areas }] }],
        domains: [{ id: 1, largestLeaf: 2, devices: [{ bus: 3, devfn: 8 }] }],
      }),
    );
    const regions = scratch.map(({ start, size }) => ({ address: start, size }));
    const handover = Handover.open(memory, { root, scratch: regions });
    expect(handover.issues).toEqual([]);
    // In the form of 2023 kexec has put the tree into scratch.
    expect(verifyHandover(handover, { ignore: ['reachable-scratch'] }).findings).toEqual([]);
    const [domain] = handover.iommu.domains;
    const { extents } = walkTable(memory, { stage: 'second', table: domain?.topTable ?? 0n, levels: 4 });
    const mapped = Array.from({ length: extents.length }, (_, row) => [
      (extents.iovaFrame[row] ?? 0) * 4096,
      (extents.frames[row] ?? 0) * 4096,
    ]);
    const total = mapped.reduce((sum, [, length = 0]) => sum + length, 0);
    expect(total).toBe(8 << 20);
    expect(mapped[0]?.[0]).toBe(0x100000);
    // Tables: top, level 3, two of level 2, and level 1 where the range of 2 MiB is not aligned.
    expect(domain?.mem?.count).toBe(6);
    for (const address of domain?.mem?.addresses ?? [])
      expect(handover.preserved?.find(Number(address >> 12n))).toBeDefined();
  });
});

describe('what is wrong with a description', () => {
  it.each<[string, unknown, string]>([
    ['no object', [], '.: BAD_DESCRIPTION: expected an object, found []'],
    ['no kernel', {}, '.kernel: BAD_DESCRIPTION: expected text, found nothing'],
    [
      'another member',
      { kernel: '7.3', sesions: [] },
      '.sesions: BAD_DESCRIPTION: expected one of kernel, versions',
    ],
    ['an unknown kernel', { kernel: '5.10' }, 'kernel: BAD_DESCRIPTION: expected a release from 6.16 on'],
    ['an unknown version', { kernel: '7.3', versions: ['luo-v9'] }, 'versions[0]: BAD_DESCRIPTION'],
    [
      'no size',
      { kernel: '7.3', sessions: [{ name: 'a' }, { name: 'b', files: [{ size: '4X' }] }] },
      '.sessions[1].files[0].size: BAD_DESCRIPTION: expected a whole number up to 8589934592, or text as "0x1000" or "64K", found "4X"',
    ],
    [
      'an unknown seal',
      { kernel: '7.3', sessions: [{ name: 'a', files: [{ size: 1, seals: ['LOCK'] }] }] },
      '.sessions[0].files[0].seals[0]: BAD_DESCRIPTION: expected one of SEAL, SHRINK',
    ],
    [
      'two sessions of a name',
      { kernel: '7.3', sessions: [{ name: 'a' }, { name: 'a' }] },
      'sessions[1].name: BAD_DESCRIPTION: expected a name not used before, found "a"',
    ],
    [
      'two files of a token',
      {
        kernel: '7.3',
        sessions: [
          {
            name: 'a',
            files: [
              { size: 0, count: 2 },
              { size: 0, token: 1 },
            ],
          },
        ],
      },
      'sessions[0]: BAD_DESCRIPTION: expected tokens that differ',
    ],
    ['sessions before LUO', { kernel: '6.18', sessions: [{ name: 'a' }] }, 'sessions[0]: BAD_DESCRIPTION'],
    [
      'a long name',
      { kernel: '7.3', sessions: [{ name: 'n'.repeat(64) }] },
      'sessions[0].name: BAD_DESCRIPTION: expected 1 to 63 characters of one byte',
    ],
    ['an empty name', { kernel: '7.3', sessions: [{ name: '' }] }, 'sessions[0].name: BAD_DESCRIPTION'],
    [
      'a release of 65 characters',
      { kernel: '7.3', previousRelease: 'r'.repeat(65) },
      'previousRelease: BAD_DESCRIPTION',
    ],
    [
      'an object without files',
      { kernel: '7.3', objects: [{ name: 'o', data: 1 }] },
      'objects[0].count: BAD_DESC',
    ],
    [
      'seals that nobody knows',
      { kernel: '7.3', sessions: [{ name: 'a', files: [{ size: 1, seals: 64 }] }] },
      'sessions[0].files[0].seals: BAD_DESCRIPTION: expected no bits but 0x3f, found 0x40',
    ],
    [
      'memory in scratch',
      { kernel: '7.3', preserve: [{ start: '511M', size: '4K' }] },
      'pa 0x1ff00000: NO_ROOM',
    ],
    ['too little memory', { kernel: '7.3', memory: '16M' }, 'scratch[0]: NO_ROOM'],
    ['half a page', { kernel: '7.3', memory: [{ start: 5, size: 4096 }] }, 'memory[0]: BAD_DESCRIPTION'],
    [
      'an order of 11 in 6.16',
      { kernel: '6.16', preserve: [{ order: 11 }] },
      'preserve[0].order: BAD_DESCRIPTION: expected at most 10',
    ],
    ['a struct as subtree of 6.19', { kernel: '6.19', subtrees: [{ name: 'x', hex: '00' }] }, 'x: LIMIT'],
    [
      'an iommufd of 7.3',
      { kernel: '7.3', iommufds: [{ id: 1, ioases: [] }] },
      'iommufds[0]: BAD_DESCRIPTION',
    ],
  ])('is told with its place: %s', (_, json, message) => {
    expect(() => buildHandover(descriptionFromJson(json))).toThrow(message);
  });

  it('is always told by a BuildError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.constant('{"kernel":"7.3"}')), fc.jsonValue(), (text, value) => {
        for (const json of [
          JSON.parse(text),
          { kernel: '7.3', sessions: value },
          { kernel: '7.3', memory: value },
        ]) {
          try {
            descriptionFromJson(json);
          } catch (error) {
            expect(error).toBeInstanceOf(BuildError);
          }
        }
      }),
      { seed: runSeed, numRuns: 300 },
    );
  });
});

describe('a pattern', () => {
  it('is written to some pages, some words of them, up to the end of the file', () => {
    const bytes = makeContents({ pattern: 1, from: 1, every: 2, words: 2 }, 3 * 4096 + 12);
    const view = new DataView(bytes.buffer);
    const word = (page: bigint, index: bigint): bigint =>
      (0x9e3779b97f4a7c15n ^ (page << 20n) ^ index) & (2n ** 64n - 1n);
    expect(bytes).toHaveLength(4 * 4096);
    expect(view.getBigUint64(0, true)).toBe(0n);
    expect(view.getBigUint64(4096, true)).toBe(word(1n, 0n));
    expect(view.getBigUint64(4096 + 8, true)).toBe(word(1n, 1n));
    expect(view.getBigUint64(4096 + 16, true)).toBe(0n);
    // The last word reaches beyond the end.
    expect(view.getUint32(3 * 4096 + 8, true)).toBe(Number(word(3n, 1n) & 0xffff_ffffn));
    expect(view.getUint32(3 * 4096 + 12, true)).toBe(0);
  });
});
