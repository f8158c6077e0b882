// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { layoutFit } from '../../src/kho/layout-fit.js';
import {
  each,
  families,
  name,
  node,
  optional,
  struct,
  u32,
  u64,
  versionName,
} from '../../src/schemas/index.js';

const layout = (wanted: string) => {
  const found = families.flatMap(({ versions }) => versions).find((each) => versionName(each) === wanted);
  if (found === undefined) throw new Error(`no version ${wanted}`);
  return found.layout;
};

describe('layoutFit', () => {
  it('fits every layout to itself', () => {
    for (const { versions } of families)
      for (const { layout: own } of versions) expect(layoutFit(own, own).kind).toBe('fits');
  });

  it('finds what is behind a pointer to be different', () => {
    for (const [reader, written] of [
      ['kho-v1=A', 'kho-v1=B'],
      ['kho-v1=B', 'kho-v1=A'],
    ] as const)
      expect(layoutFit(layout(reader), layout(written))).toMatchObject({
        kind: 'misread',
        path: '/preserved-memory-map',
      });
  });

  it('misses what must be there, and passes over what need not', () => {
    const flb = layout('luo-v1=flb');
    const plain = layout('luo-v1=plain');
    expect(layoutFit(flb, plain)).toMatchObject({ kind: 'missing', path: '/luo-flb' });
    expect(layoutFit(plain, flb)).toEqual({ kind: 'fits', path: '/', passedOver: ['/luo-flb'] });
    expect(layoutFit(layout('kho-v1=B'), layout('kho-v1=tree')).kind).toBe('missing');
  });

  it('looks into nodes below, and takes optional members as such', () => {
    const reader = node({
      properties: { a: optional(u64()) },
      each: each('list', name(), node({ properties: { x: u32() } })),
    });
    const wide = node({ each: each('list', name(), node({ properties: { x: u64() } })) });
    expect(layoutFit(reader, wide)).toMatchObject({ kind: 'misread', path: '/<list>/x' });
    expect(layoutFit(reader, node({ properties: { b: u32() } }))).toMatchObject({
      kind: 'fits',
      passedOver: ['/b'],
    });
  });

  it('takes structs that differ in a byte for misread', () => {
    expect(layoutFit(struct('s', { a: u32() }), struct('s', { a: u64() })).kind).toBe('misread');
  });
});
