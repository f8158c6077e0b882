// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DescribedSpaces } from '../../src/fuzz/device-contexts.js';
import { openImage, PageStore } from '../../src/image/index.js';
import { HandoverBuilder } from '../../src/kho/build.js';
import { givenSpacesFromJson } from '../../src/kho/given-spaces.js';
import { Handover } from '../../src/kho/handover.js';
import { RULES } from '../../src/kho/rules/table.js';
import { verifyHandover } from '../../src/kho/verify.js';
import { fixturesFolder } from '../fixtures.js';
import { GUESTS } from '../vtd/truth.js';
import { describeSpaces } from './vfio-truth.js';

const ADDRESS = 0xf_ffff_ffff_f000n;

/** Rules that fired in these tests. */
const fired = new Set<string>();

describe.each(GUESTS)('the address spaces of %s', (guest) => {
  const image = openImage(join(fixturesFolder, `kernel-7.3.4/${guest}.trimmed.elf`));

  /** Verifies the capture after some change; the rules that fired with how often. */
  function verify(
    change: {
      readonly say?: (spaces: DescribedSpaces) => void;
      readonly write?: (memory: PageStore, handover: Handover) => void;
    } = {},
  ): Record<string, number> {
    const description = describeSpaces(guest);
    change.say?.(description);
    const given = givenSpacesFromJson(description);
    const memory = new PageStore(image);
    change.write?.(memory, Handover.open(image, { given }));
    const { counts } = verifyHandover(Handover.open(memory, { given }));
    for (const rule of counts.keys()) fired.add(rule);
    return Object.fromEntries(counts);
  }

  /** Physical address of the leaf entry that maps an IOVA of the first 2 MiB in the first address space. */
  function leafOf(handover: Handover, iova: bigint): bigint {
    const top = handover.given.spaces[0]?.domain.topTable ?? 0n;
    const below = (table: bigint): bigint => image.u64(table) & ADDRESS;
    return below(below(below(top))) + (iova >> 12n) * 8n;
  }

  const area = (spaces: DescribedSpaces, iova: string) =>
    spaces.ioases[0]?.areas.find((each) => each.iova === iova) ?? expect.fail(`no area at ${iova}`);

  it('are just what their tables map, and their devices lead there', () => {
    expect(verify()).toEqual({});
  });

  it('fail the right rule when an area is a page larger or smaller, or says another permission', () => {
    expect(verify({ say: (spaces) => Object.assign(area(spaces, '0x3000'), { length: '0x3000' }) })).toEqual({
      'ioas-mapped': 1,
    });
    expect(verify({ say: (spaces) => Object.assign(area(spaces, '0x3000'), { length: '0x1000' }) })).toEqual({
      'ioas-outside': 1,
    });
    expect(verify({ say: (spaces) => Object.assign(area(spaces, '0x3000'), { perm: 'rw' }) })).toEqual({
      'ioas-permissions': 1,
    });
    expect(verify({ say: (spaces) => Object.assign(area(spaces, '0x3000'), { length: '0x2800' }) })).toEqual({
      'ioas-alignment': 1,
      'ioas-mapped': 1,
    });
  });

  it('fail the right rule when a leaf leads elsewhere, or its permission was changed', () => {
    const flip =
      (bits: bigint) =>
      (memory: PageStore, handover: Handover): void => {
        const leaf = leafOf(handover, 0x1000n);
        memory.writeU64(leaf, image.u64(leaf) ^ bits);
      };
    expect(verify({ write: flip(0x8000n) })).toEqual({ 'ioas-memory': 1 });
    expect(verify({ write: flip(2n) })).toEqual({ 'ioas-permissions': 1 });
    expect(verify({ write: flip(3n) })).toEqual({ 'ioas-mapped': 1, 'domain-tables': 1 });
  });

  it('fail the right rule when a table is gone', () => {
    const counts = verify({
      write: (memory, handover) => memory.drop(Number(leafOf(handover, 0n) >> 12n)),
    });
    expect(Object.keys(counts).sort()).toEqual(['domain-tables', 'ioas-mapped']);
  });

  it('fail the right rule when a device is elsewhere', () => {
    expect(verify({ say: ({ ioases }) => ioases[0]?.devices.push('00:05.0') })).toEqual({
      'given-spaces': 1,
    });
    expect(verify({ say: ({ ioases }) => ioases[0]?.devices.push('00:17.0') })).toEqual({
      'given-spaces': 1,
    });
    const moved = verify({
      say: (spaces) => {
        const [first] = spaces.ioases;
        const { domain } = Handover.open(image, { given: givenSpacesFromJson(spaces) }).given.spaces[0] ?? {};
        Object.assign(first ?? {}, { pgd: `0x${domain?.topTable.toString(16)}`, devices: ['00:05.0'] });
      },
    });
    expect(moved).toEqual({ 'device-context': 1 });
  });

  it('fail the right rule when a context entry is damaged', () => {
    const reserved = (memory: PageStore, handover: Handover): void => {
      const entry = handover.given.contexts?.devices[0]?.contextEntry ?? 0n;
      memory.writeU64(entry + 8n, image.u64(entry + 8n) | (1n << 40n));
    };
    expect(verify({ write: reserved })).toEqual({ 'context-tables': 1 });
  });

  it('name both addresses', () => {
    const given = givenSpacesFromJson(describeSpaces(guest));
    const memory = new PageStore(image);
    const leaf = leafOf(Handover.open(image, { given }), 0x1000n);
    const entry = image.u64(leaf);
    memory.writeU64(leaf, entry ^ 0x8000n);
    const [finding] = verifyHandover(Handover.open(memory, { given })).findings;
    expect(finding?.at).toEqual({
      path: 'given/ioases/1/0',
      address: (entry ^ 0x8000n) & ADDRESS,
      other: entry & ADDRESS,
    });
  });
});

describe('areas that a handover lists', () => {
  /** A handover of the RFC of 2024 with one address space of two areas. */
  function listed(): { memory: PageStore; root: bigint } {
    const builder = new HandoverBuilder({ kernel: 'rfc-2024' });
    const areas = [
      { iova: 0x1000n, length: 0x2000n, prot: 7 },
      { iova: 0x8000n, length: 0x1000n, prot: 5 },
    ];
    builder.iommufd({ id: 1, ioases: [{ id: 4, areas }] });
    return builder.finish();
  }

  /** Rules that told an error when these areas were described. */
  function verify(areas: readonly object[], id = 4): Record<string, number> {
    const { memory, root } = listed();
    const given = givenSpacesFromJson({ ioases: [{ id, areas }] });
    const { counts, findings } = verifyHandover(Handover.open(memory, { root, given }));
    for (const rule of counts.keys()) fired.add(rule);
    const isError = (rule: string) =>
      findings.some((each) => each.rule === rule && each.severity === 'error');
    return Object.fromEntries([...counts].filter(([rule]) => isError(rule)));
  }

  const first = { iova: '0x1000', length: '0x2000', perm: 'rw' };
  const second = { iova: '0x8000', length: '0x1000', perm: 'r-' };

  it('are those that are described, or each difference is told', () => {
    expect(verify([second, first])).toEqual({});
    expect(verify([first])).toEqual({ 'given-serialised': 1 });
    expect(verify([first, second, { ...second, iova: '0xa000' }])).toEqual({ 'given-serialised': 1 });
    expect(
      verify([
        { ...first, length: '0x1000' },
        { ...second, perm: 'rw' },
      ]),
    ).toEqual({
      'given-serialised': 2,
    });
    expect(verify([first, second], 5)).toEqual({ 'given-serialised': 1 });
  });
});

it('every rule about what is described was broken', () => {
  const own = RULES.filter(({ needs }) => needs.includes('given') || needs.includes('contexts'));
  expect([...fired]).toEqual(expect.arrayContaining(own.map(({ id }) => id)));
});

describe('a description of address spaces', () => {
  it('is refused with the place of what is wrong', () => {
    const bad =
      (json: unknown): (() => void) =>
      () =>
        givenSpacesFromJson(json);
    expect(bad({ ioases: [{ id: 1, areas: [{ iova: '0x0', length: 4096, perm: 'wr' }] }] })).toThrow(
      '.ioases[0].areas[0].perm',
    );
    expect(bad({ ioases: [{ id: 1, devices: ['1.2.3'], areas: [] }] })).toThrow('.ioases[0].devices[0]');
    expect(bad({ ioases: [{ id: 1, areas: [], colour: 1 }] })).toThrow('.ioases[0].colour');
    expect(bad({ ioases: [{ id: 1, areas: [{ iova: 0, length: 1, perm: 'rw', pages: [[1]] }] }] })).toThrow(
      'pages[0]',
    );
  });
});
