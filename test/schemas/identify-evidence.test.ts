// SPDX-License-Identifier: Apache-2.0
// What speaks for and against layouts of one string: families made up so that each kind of evidence stands alone.
import { describe, expect, it } from 'vitest';
import { encodeFdt, FdtWriter, openFdt } from '../../src/fdt/index.js';
import { compatibleStrings, familyOfCompatible } from '../../src/schemas/identify-blob.js';
import {
  encodeUnchecked,
  type Family,
  family,
  identify,
  identifyAs,
  identifyFdt,
  khoRoot,
  khoRootV1A,
  type Layout,
  link,
  luo,
  memfd,
  node,
  optional,
  pointer,
  registryLookup,
  struct,
  u8,
  u32,
  u64,
  version,
  versionKeys,
  versionName,
  versionsOf,
} from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';
import { FakeMemory } from './fake-memory.js';

/** A family whose versions all have the string `s`, named a, b, c … in the order given. */
const oneString = (...layouts: readonly Layout[]): Family =>
  family({
    name: 'made-up',
    doc: '',
    key: { by: 'name' },
    mismatch: 'ignored',
    versions: layouts.map((layout, index) =>
      version({ key: 's', variant: 'abc'[index] ?? '', layout, status: 'list', source: '' }),
    ),
  });

/** What is found, in one line a test can be read by. */
function found(of: Family, bytes: Uint8Array, options = {}): string {
  const result = identify(of, bytes, options, 's');
  if (result === undefined) return 'nothing';
  const { version, confidence, because, alternatives } = result;
  return `${versionName(version)} ${confidence} [${alternatives}] ${because}`;
}

const rootless = new FdtWriter();
rootless.finishReservations();
const noRoot = rootless.finish();
const treeOf = (properties: Readonly<Record<string, string>>): Uint8Array =>
  encodeFdt({
    reservations: [],
    bootCpuid: 0,
    root: {
      name: '',
      properties: Object.entries(properties).map(([name, text]) => ({ name, value: Buffer.from(text) })),
      children: [],
    },
  });

describe('the version that bytes say they have', () => {
  it('is none where there is no room for it, or nothing that holds it', () => {
    expect(versionKeys(luo, Buffer.from('luo-v5'))).toEqual([]);
    expect(versionKeys(luo, Buffer.from('luo\0v5\0\0'))).toEqual(['luo']);
    expect(versionKeys(memfd, Buffer.from('memfd-v1'))).toEqual([]);
    for (const bytes of [noRoot, treeOf({}), new Uint8Array(40), Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed)])
      expect(versionKeys(khoRoot, bytes)).toEqual([]);
    expect(versionKeys(khoRoot, treeOf({ compatible: '\0kho-v1\0\0kho-v2\0' }))).toEqual([
      'kho-v1',
      'kho-v2',
    ]);
  });

  it('is that of an FDT where the bytes begin like one', () => {
    const short: Family = { ...luo, key: { by: 'chars', offset: 0, length: 4, orCompatible: true } };
    expect(versionKeys(short, Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed))).toEqual([]);
    expect(versionKeys(short, Buffer.from('abcd'))).toEqual(['abcd']);
    expect(versionKeys(luo, treeOf({ compatible: 'luo-v1\0' }))).toEqual(['luo-v1']);
  });

  it('names one layout, and that is said', () => {
    expect(identify(khoRoot, readFixture('kernel-7.3.4/kho-fdt.dtb'))).toMatchObject({
      because: 'the string kho-v4 names one layout',
    });
  });
});

describe('of several layouts', () => {
  const even = struct('even', { x: u8({ multipleOf: 2n }), y: u8({ max: 9n }) });
  const small = struct('small', { x: u8({ max: 9n }), y: u8() });
  const long = struct('long', { x: u64() });

  it('the one that breaks no rule is taken, and what the others break is said', () => {
    const all = oneString(even, small, long);
    expect(found(all, Uint8Array.of(7, 1))).toBe(
      's=b evidence [] not s=a: .x expected a multiple of 0x2, found 7; not s=c: expected 8 bytes, found 2',
    );
    expect(found(all, Uint8Array.of(20, 1, 99))).toBe(
      's=a evidence [] not s=b: .x expected at most 9, found 20; not s=c: expected 8 bytes, found 3',
    );
  });

  it('of which none fits the one that breaks fewest rules is taken, the later of two', () => {
    const bytes = Uint8Array.of(11, 11);
    const against = (first: string, second: string): string =>
      `not s=${first}: .x expected a multiple of 0x2, found 11; not s=${second}: .x expected at most 9, found 11`;
    expect(found(oneString(even, small), bytes)).toBe(`s=b poor [] ${against('a', 'b')}`);
    expect(found(oneString(small, even), bytes)).toBe(
      's=a poor [] not s=a: .x expected at most 9, found 11; not s=b: .x expected a multiple of 0x2, found 11',
    );
    const odd = struct('odd', { x: u8({ oneOf: [1n] }), y: u8() });
    expect(found(oneString(small, odd), bytes)).toMatch(/^s=b poor/);
    expect(found(oneString(odd, small), bytes)).toMatch(/^s=b poor/);
  });

  it('the one that knows every member is taken', () => {
    const knows = node({ properties: { x: u8(), y: optional(u8()), z: optional(u8()) } });
    const knowsY = node({ properties: { x: u8(), y: optional(u8()) } });
    const knowsX = node({ properties: { x: u8() } });
    const bytes = treeOf({ x: 'x', y: 'y', z: 'z' });
    const said = 'not s=a: it leaves 1 members unknown; not s=b: it leaves 2 members unknown';
    expect(found(oneString(knowsY, knowsX, knows), bytes)).toBe(`s=c evidence [] ${said}`);
    expect(found(oneString(knows, knowsY), bytes)).toBe(
      's=a evidence [] not s=b: it leaves 1 members unknown',
    );
    expect(found(oneString(knows, knowsY), treeOf({ x: 'x', y: 'y' }))).toBe(
      's=b likely [s=a] s=b and s=a fit the data',
    );
    const memory = new FakeMemory().put(0x1000n, bytes).read;
    const { because } = identify(oneString(knows, knowsY), bytes, { memory, address: 0x1000n }, 's') ?? {};
    expect(because).toBe('not s=b: it leaves 1 members unknown');
  });

  it('those that are FDTs need one that is sound', () => {
    const both = oneString(node({ properties: { x: u8() } }), even);
    expect(found(both, Uint8Array.of(2, 2))).toBe(
      's=b evidence [] not s=a: / expected an FDT, found something else',
    );
    const damaged = treeOf({ x: 'x' });
    damaged.fill(9, 60, 64);
    expect(found(both, damaged)).toMatch(
      /^s=b poor \[\] not s=a: \/ expected a sound FDT, found 0x38 \/: BADSTRUCTURE: .*; not s=b: .y expected at most 9, found 13$/,
    );
  });

  it('the one that the user says is taken without looking', () => {
    const variants = new Map([['s', 'a']]);
    expect(found(oneString(even, small), Uint8Array.of(7), { variants })).toBe('s=a certain [] you said so');
    expect(found(oneString(even, small), Uint8Array.of(8, 1), { variants: new Map([['s', 'z']]) })).toBe(
      's=b likely [s=a] s=b and s=a fit the data',
    );
  });

  it('the byte order is known', () => {
    const high = struct('high', { x: u32({ max: 1n }), y: u32() });
    const low = struct('low', { x: u32({ multipleOf: 0x100n }), y: u32() });
    const bytes = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0);
    expect(found(oneString(high, low), bytes)).toMatch(/^s=b evidence/);
    expect(found(oneString(high, low), bytes, { byteOrder: 'big' })).toMatch(/^s=a evidence/);
    const memory = new FakeMemory().put(0x1000n, bytes).read;
    const there = { memory, address: 0x1000n };
    expect(found(oneString(high, low), new Uint8Array(), { ...there, byteOrder: 'big' })).toMatch(
      /^s=a evidence/,
    );
  });
});

describe('memory as evidence', () => {
  const target = struct('target', { x: u8({ oneOf: [1n] }), more: u8() });
  const leads = struct('leads', { to: pointer({ to: 'layout', layout: target }) });
  const plain = struct('plain', { to: u64() });
  const pointing = encodeUnchecked(plain, { to: 0x2000n });

  it('is what pointers lead to', () => {
    const both = oneString(plain, leads);
    const memory = new FakeMemory().put(0x1000n, pointing).put(0x2000n, Uint8Array.of(3, 0)).read;
    expect(found(both, pointing, { memory, address: 0x1000n })).toBe(
      's=a evidence [] not s=b: .to.x expected 1, found 3',
    );
    expect(found(both, new Uint8Array(), { memory, address: 0x1000n })).toMatch(/^s=a evidence/);
    // Without memory, or without the place of the bytes in it, the bytes alone count.
    for (const options of [{}, { memory }, { address: 0x1000n }])
      expect(found(both, pointing, options)).toBe('s=b likely [s=a] s=b and s=a fit the data');
  });

  it('is not how many things there are, nor what subsystems there are', () => {
    const chain = struct('chain', { next: link({ limit: 2 }) });
    const named = struct('named', { to: pointer({ to: 'lookup', group: 'things' }) });
    const memory = new FakeMemory()
      .put(0x1000n, pointing)
      .encode(0x2000n, plain, { to: 0x3000n })
      .encode(0x3000n, plain, { to: 0n }).read;
    expect(found(oneString(chain, plain), new Uint8Array(), { memory, address: 0x1000n })).toBe(
      's=b likely [s=a] s=b and s=a fit the data',
    );
    expect(found(oneString(named, plain), new Uint8Array(), { memory, address: 0x1000n })).toBe(
      's=b likely [s=a] s=b and s=a fit the data',
    );
  });

  it('is an FDT as long as its header says', () => {
    const knows = node({ properties: { x: u8(), y: optional(u8({ max: 1n })) } });
    const wants = node({ properties: { x: u8(), z: u8() } });
    const both = oneString(wants, knows);
    const blob = treeOf({ x: 'x' });
    const at = (address: bigint, bytes: Uint8Array) =>
      found(both, new Uint8Array(), { memory: new FakeMemory().put(address, bytes).read, address: 0x1000n });
    expect(at(0x1000n, Uint8Array.of(...blob, 1, 2, 3))).toBe(
      's=b evidence [] not s=a: expected property z, found none',
    );
    const none = ['a', 'b']
      .map((name) => `not s=${name}: / expected an FDT, found something else`)
      .join('; ');
    expect(at(0x3000n, blob)).toBe(`s=b poor [] ${none}`);
    expect(at(0x1000n, blob.subarray(0, 20))).toBe(`s=b poor [] ${none}`);
    expect(at(0x1000n, new Uint8Array(100))).toBe(`s=b poor [] ${none}`);
    for (const options of [{}, { address: 0x1000n }, { memory: new FakeMemory().put(0n, blob).read }])
      expect(found(both, new Uint8Array(), options)).toBe(`s=b poor [] ${none}`);
  });
});

describe('the registry', () => {
  const lookup = registryLookup();
  const layoutsOf = (key: string) => versionsOf(key).map(({ version: { layout } }) => layout);

  it('finds a subsystem by its name, not by bytes of another', () => {
    const bytes = Buffer.from('luo-v5\0\0');
    expect(lookup('kho-subtree', 'LUO', bytes)).toBeDefined();
    for (const name of ['memblock', 'kexec-metadata', 'nobody'])
      expect(lookup('kho-subtree', name, bytes), name).toBeUndefined();
    expect(lookup('kho-subtree', 'LUO', undefined)).toBeUndefined();
  });

  it('takes the layout declared last where memory is not known, or the place, unless the user says', () => {
    const variants = layoutsOf('memfd-v2');
    const released = variants.at(-1);
    const memory = () => undefined;
    expect(variants.length).toBeGreaterThan(0);
    expect(lookup('luo-file', 'memfd-v2', undefined, 0x1000n)).toBe(released);
    expect(registryLookup({ memory })('luo-file', 'memfd-v2', undefined)).toBe(released);
    const iommu = layoutsOf('iommu-v1');
    expect(iommu).toHaveLength(2);
    expect(lookup('luo-flb', 'iommu-v1', undefined)).toBe(iommu[1]);
    const forced = registryLookup({ variants: new Map([['iommu-v1', 'F0']]) });
    expect(forced('luo-flb', 'iommu-v1', undefined)).toBe(iommu[0]);
    expect(forced('luo-file', 'memfd-v2', undefined)).toBe(released);
  });
});

describe('compatible strings', () => {
  it('are those of a node that has them', () => {
    expect(compatibleStrings(undefined)).toEqual([]);
    expect(compatibleStrings(openFdt(treeOf({})).root)).toEqual([]);
    expect(compatibleStrings(openFdt(treeOf({ compatible: '\0a\0\0b\0' })).root)).toEqual(['a', 'b']);
    expect(identifyFdt(openFdt(noRoot))).toBeUndefined();
  });

  it('lead to families of trees that say so themselves', () => {
    expect(familyOfCompatible(['nobody', 'kho-v4'])).toEqual({ family: khoRoot, key: 'kho-v4' });
    // A string of LUO's file entries, and one of a struct.
    expect(familyOfCompatible(['memfd-v1'])).toBeUndefined();
    expect(familyOfCompatible(['luo-v5'])).toBeUndefined();
    expect(familyOfCompatible(['luo-v1'])?.family).toBe(luo);
    expect(familyOfCompatible([])).toBeUndefined();
  });

  it('that a user names are the layout of that name, before the variants that share it', () => {
    const memfds = versionsOf('memfd-v1');
    expect(memfds.map(({ version }) => versionName(version))).toEqual([
      'memfd-v1=fdt-inline',
      'memfd-v1=fdt',
      'memfd-v1',
    ]);
    const said = { confidence: 'certain', because: 'you said so' };
    expect(identifyAs('memfd-v1', new Uint8Array())).toMatchObject({ ...said, version: memfds[2]?.version });
    expect(identifyAs('memfd-v1=fdt', new Uint8Array())).toMatchObject({
      ...said,
      version: memfds[1]?.version,
    });
    const blob = encodeUnchecked(khoRootV1A, {
      compatible: 'kho-v1',
      'preserved-memory-map': 0n,
      subtrees: [],
    });
    expect(identifyAs('kho-v1', blob)?.because).not.toBe('you said so');
    expect(identifyAs('kexec-metadata-v1', new Uint8Array())).toMatchObject(said);
  });
});
