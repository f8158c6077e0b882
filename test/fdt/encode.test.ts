// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type EncodeFdtOptions, encodeFdt } from '../../src/fdt/encode.js';
import { FdtError } from '../../src/fdt/error.js';
import { openFdt } from '../../src/fdt/fdt.js';
import { fdtSegments } from '../../src/fdt/segments.js';
import { type FdtTree, type FdtTreeNode, readTree } from '../../src/fdt/tree.js';
import { fixturePaths, readFixture } from '../fixtures.js';
import { scaled } from '../random.js';
import { expectSameBytes } from '../same-bytes.js';
import { dtcFixtures } from './dtc-fixtures.js';

function treeOf(root: Partial<FdtTreeNode>): FdtTree {
  return { reservations: [], bootCpuid: 0, root: { name: '', properties: [], children: [], ...root } };
}

function thrown(tree: FdtTree, options?: EncodeFdtOptions): FdtError {
  try {
    encodeFdt(tree, options);
  } catch (error) {
    if (error instanceof FdtError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('encodeFdt', () => {
  it('finds the fixtures', () => {
    expect(dtcFixtures.length).toBeGreaterThan(60);
  });

  it.each(dtcFixtures)('gives $name back after opening and reading it', ({ blob, options }) => {
    expectSameBytes(encodeFdt(readTree(openFdt(blob, { tolerant: true })), options), blob);
  });

  it('keeps what a kernel handed over, though its layout becomes dtc’s', () => {
    for (const path of fixturePaths('.dtb', 'kernel-7.3.4')) {
      const tree = readTree(openFdt(readFixture(path.slice(path.indexOf('kernel-7.3.4')))));
      expect(readTree(openFdt(encodeFdt(tree)))).toEqual(tree);
    }
  });

  it('writes a tree of a million levels', () => {
    let node: FdtTreeNode = { name: 'n', properties: [], children: [] };
    const levels = scaled(1_000_000);
    for (let level = 0; level < levels; level++) {
      node = { name: level === levels - 1 ? '' : 'n', properties: [], children: [node] };
    }
    const blob = encodeFdt({ reservations: [], bootCpuid: 0, root: node });
    expect(blob.length).toBe(56 + (levels + 1) * 12 + 4);
    expect(openFdt(blob).nodes.count).toBe(levels + 1);
  });

  it.each<[string, EncodeFdtOptions]>([
    ['reserveSlots', { reserveSlots: -1 }],
    ['minSize', { minSize: 1.5 }],
    ['padding', { padding: 2 ** 31 }],
    ['align', { align: 3 }],
    ['exclude each other', { minSize: 1, padding: 1 }],
    ['bootCpuid', { bootCpuid: 2 ** 32 }],
  ])('refuses options out of range: %s', (word, options) => {
    const error = thrown(treeOf({}), options);
    expect(error.code).toBe('BADVALUE');
    expect(error.message).toContain(word);
  });

  it('refuses a blob that would be too large', () => {
    expect(thrown(treeOf({}), { padding: 0x7fffffff }).code).toBe('NOSPACE');
  });

  it.each(['a\0b', 'Ω'])('refuses the name %j, which cannot be stored', (name) => {
    const property = { name, value: new Uint8Array(0) };
    expect(thrown(treeOf({ properties: [property] })).code).toBe('BADVALUE');
    expect(thrown(treeOf({ children: [{ name, properties: [], children: [] }] })).code).toBe('BADVALUE');
  });

  it('refuses a slash in a name only where paths are stored', () => {
    const tree = treeOf({ children: [{ name: 'a/b', properties: [], children: [] }] });
    expect(thrown(tree, { version: 3 }).code).toBe('BADVALUE');
    expect(readTree(openFdt(encodeFdt(tree)))).toEqual(tree);
  });

  it('refuses what no blob can say, at the limit', () => {
    expect(thrown(treeOf({}), { bootCpuid: -1 }).message).toBe(
      'BADVALUE: bootCpuid: expected a u32, found -1',
    );
    expect(thrown(treeOf({}), { bootCpuid: 0.5 }).message).toContain('found 0.5');
    expect(openFdt(encodeFdt(treeOf({}), { bootCpuid: 0xffffffff })).header.boot_cpuid_phys).toBe(0xffffffff);
    const most = 0x7fffffff - encodeFdt(treeOf({})).length;
    expect(thrown(treeOf({}), { padding: most + 1 }).message).toBe(
      'NOSPACE: the blob would take 2147483648 bytes, 2147483647 is the limit',
    );
    expect(thrown(treeOf({}), { align: 6 }).message).toBe(
      'BADVALUE: align: expected a power of two, found 6',
    );
    expect(thrown(treeOf({}), { minSize: -1 }).message).toBe(
      'BADVALUE: minSize: expected a whole number from 0 to 2147483647, found -1',
    );
  });

  it('stores paths below version 16', () => {
    const leaf = (name: string): FdtTreeNode => ({ name, properties: [], children: [] });
    const tree = treeOf({
      children: [{ ...leaf('a'), children: [leaf('b'), leaf('cc')] }, leaf('d')],
    });
    const blob = encodeFdt(tree, { version: 3 });
    const names = [...fdtSegments(openFdt(blob, { tolerant: true }))].filter(
      ({ label }) => label === 'node name',
    );
    expect(names.map(({ value }) => value)).toEqual(['/', '/a', '/a/b', '/a/cc', '/d']);
    expect(readTree(openFdt(blob)).root.children.map(({ name }) => name)).toEqual(['a', 'd']);
  });
});
