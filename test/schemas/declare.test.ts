// SPDX-License-Identifier: Apache-2.0
// Declarations that cannot be right are refused where they are made.
import { describe, expect, it } from 'vitest';
import {
  array,
  compileColumns,
  decimal,
  each,
  encodeUnchecked,
  family,
  fieldOffsets,
  khoRootV4,
  luoV5,
  memblockV1,
  node,
  reserved,
  sizeOf,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  union,
  unused,
  version,
} from '../../src/schemas/index.js';

describe('declaring a struct', () => {
  it('without packing needs its padding', () => {
    expect(() => struct('s', { a: u8(), b: u32() }, { packed: false })).toThrow(
      's.b lies at 1, C aligns it to 4: declare the padding',
    );
    expect(() => struct('s', { a: u64(), b: u8() }, { packed: false })).toThrow(
      's is 9 bytes long, C pads it to 8',
    );
    const whole = struct('s', { a: u8(), pad: reserved(3), b: u32() }, { packed: false });
    expect(sizeOf(whole)).toBe(8);
    expect([...fieldOffsets(whole)]).toEqual([
      ['a', 0],
      ['pad', 1],
      ['b', 4],
    ]);
  });

  it('needs counts and selectors before what they are for', () => {
    expect(() => struct('s', { list: array(u8(), { field: 'n' }), n: u8() })).toThrow(
      's.list needs n before it',
    );
    const one = struct('one', { a: u8() });
    expect(() => struct('s', { data: union('type', { one: { when: 1, type: one } }) })).toThrow(
      's.data needs type before it',
    );
  });

  it('cannot go on behind a field whose size is not fixed, but for what is left of a page', () => {
    expect(() => struct('s', { n: u8(), list: array(u8(), { field: 'n' }), after: u8() })).toThrow(
      's.after follows s.list',
    );
    expect(() =>
      struct('s', { n: u8(), list: array(u8(), { field: 'n' }), rest: unused('rest') }, { size: 16 }),
    ).not.toThrow();
    expect(() => array(text(), 2)).toThrow('fixed size');
  });

  it('cannot exceed its size', () => {
    expect(() => struct('s', { a: u64() }, { size: 4 })).toThrow('fields of 8 bytes, declared are 4');
    expect(() => struct('s', { a: u8() }, { size: 4 })).toThrow('fields of 1 bytes, declared are 4');
    expect(() => union('t', { one: { when: 1, type: struct('one', { a: u16() }) } }, { size: 1 })).toThrow(
      'exceeds',
    );
  });
});

describe('declaring nodes, families and columns', () => {
  it('refuses two members of one name', () => {
    expect(() => node({ properties: { a: u8() }, children: { a: node({}) } })).toThrow(
      'two members of one name',
    );
  });

  it('refuses two versions of one name', () => {
    const one = version({ key: 'x-v1', layout: u8(), status: 'list', source: 'a test' });
    const declared = { name: 'x', doc: 'x', key: { by: 'name' }, mismatch: 'ignored' } as const;
    expect(() => family({ ...declared, versions: [one, one] })).toThrow('two versions of one name');
  });

  it('refuses columns of what is not there, or is no integer', () => {
    expect(() => compileColumns(khoRootV4, ['nobody'])).toThrow('there is no member nobody');
    expect(() => compileColumns(memblockV1, ['regions'])).toThrow('decimal names');
    expect(() => compileColumns(node({ children: { a: node({}) } }), ['a'])).toThrow(
      'not the key of patterned nodes',
    );
    const leaf = node({ properties: { label: text() } });
    expect(() => compileColumns(node({ each: each('leaves', decimal(), leaf) }), ['leaves'])).toThrow(
      'property label is no integer',
    );
  });
});

describe('values that cannot be encoded', () => {
  const luo = { compatible: 'luo-v5', liveupdate_num: 1n, sessions_pa: 0n, flbs_pa: 0n };
  const region = { $name: 'trace', compatible: 'reserve-mem-v1', start: 0n, size: 0n };

  it.each<[string, Parameters<typeof encodeUnchecked>[0], unknown, string]>([
    [
      'a missing field',
      luoV5,
      { ...luo, flbs_pa: undefined },
      '0x18 .flbs_pa: MISSING: expected an unsigned integer of 64 bits, found nothing',
    ],
    [
      'a number out of range',
      luoV5,
      { ...luo, flbs_pa: -1n },
      '0x18 .flbs_pa: BAD_TYPE: expected an unsigned integer of 64 bits, found -1',
    ],
    ['a fraction', luoV5, { ...luo, flbs_pa: 0.5 }, 'found 0.5'],
    [
      'text that is too long',
      luoV5,
      { ...luo, compatible: 'luo-v5000' },
      '0x0 .compatible: BAD_TYPE: expected text of at most 8 characters',
    ],
    [
      'a name that no node can have',
      memblockV1,
      { compatible: 'memblock-v1', regions: [{ ...region, $name: 'x'.repeat(16) }] },
      '/.regions[0]: BAD_NAME: expected $name, a name of at most 15 characters',
    ],
    [
      'nodes that are no array',
      memblockV1,
      { compatible: 'memblock-v1', regions: 3 },
      '/.regions: BAD_TYPE: expected an array of nodes, found 3',
    ],
    [
      'a value inside a node',
      memblockV1,
      { compatible: 'memblock-v1', regions: [{ ...region, size: 'big' }] },
      '/trace/size: BAD_TYPE: expected an unsigned integer of 64 bits, found "big"',
    ],
  ])('%s', (_, layout, value, expected) => {
    expect(() => encodeUnchecked(layout, value)).toThrow(expected);
  });
});
