// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffFdt, encodingDiffers, type FdtChange } from '../../src/fdt/diff.js';
import { encodeFdt } from '../../src/fdt/encode.js';
import { openFdt } from '../../src/fdt/fdt.js';
import type { FdtTree, FdtTreeNode } from '../../src/fdt/tree.js';
import { scaled } from '../random.js';
import { handMade } from './hand-made.js';

const demo = join(import.meta.dirname, '..', '..', 'fixtures', 'demo');
const blob = (path: string) => openFdt(readFileSync(join(demo, path)));

/** A change in few words. */
function words(change: FdtChange): string {
  const times = 'occurrence' in change && change.occurrence > 1 ? `#${change.occurrence}` : '';
  const moved =
    change.kind.endsWith('moved') && 'before' in change ? ` ${change.before}->${change.after}` : '';
  if ('property' in change) return `${change.kind} ${change.property.path}${times}${moved}`;
  if (change.kind === 'property-changed') return `${change.kind} ${change.after.path}${times}`;
  if ('node' in change) return `${change.kind} ${change.node.path}${times}${moved}`;
  if ('reservation' in change)
    return `${change.kind} ${change.reservation.address}+${change.reservation.size}`;
  if (change.kind === 'reservation-changed')
    return `${change.kind} ${change.before.address} ${change.before.size}->${change.after.size}`;
  return `${change.kind} ${change.before}->${change.after}`;
}

const between = (a: FdtTree, b: FdtTree): string[] =>
  Array.from(diffFdt(openFdt(encodeFdt(a)), openFdt(encodeFdt(b))), words);

const tree = (root: FdtTreeNode, more: Partial<FdtTree> = {}): FdtTree => ({
  reservations: [],
  bootCpuid: 0,
  root,
  ...more,
});
/** `a=1 b=2` and children as a node. */
function node(name: string, properties: string, ...children: FdtTreeNode[]): FdtTreeNode {
  const list = properties.split(' ').filter((word) => word !== '');
  return {
    name,
    properties: list.map((word) => {
      const [property = '', value = ''] = word.split('=');
      return { name: property, value: Buffer.from(`${value}\0`) };
    }),
    children,
  };
}

describe('diffFdt on the blobs of a real kernel', () => {
  it('finds what fdtput changed', () => {
    expect(
      Array.from(diffFdt(blob('out/sub_fdts/memblock'), blob('edited/sub_fdts/memblock')), words),
    ).toEqual(['node-added /trace1', 'property-changed /trace0/size']);
    expect(Array.from(diffFdt(blob('out/fdt'), blob('edited/fdt')), words)).toEqual([
      'node-removed /kexec-metadata',
      'property-changed /memblock/blob-size',
    ]);
  });
});

describe('diffFdt', () => {
  it('tells what is in one tree only, changed and moved', () => {
    const a = tree(node('', 'p=1 q=2 r=3', node('x', ''), node('y', 'k=1'), node('z', '')));
    const b = tree(node('', 'q=2 p=1 s=4', node('z', ''), node('x', ''), node('y', 'k=2'), node('w', '')));
    expect(between(a, b)).toEqual([
      'property-removed /r',
      'property-added /s',
      'property-moved /q 1->0',
      'node-added /w',
      'node-moved /z 2->0',
      'property-changed /y/k',
    ]);
  });

  it('pairs equal names in their order', () => {
    const a = tree(node('', 'p=1 p=2', node('n', 'v=1'), node('n', 'v=2')));
    const b = tree(node('', 'p=1 p=3', node('n', 'v=1'), node('n', 'v=9'), node('n', '')));
    expect(between(a, b)).toEqual(['property-changed /p#2', 'node-added /n#3', 'property-changed /n/v']);
  });

  it('compares reservations and the boot CPU', () => {
    const root = node('', '');
    const a = tree(root, {
      reservations: [
        { address: 1n, size: 2n },
        { address: 8n, size: 8n },
      ],
    });
    const b = tree(root, {
      reservations: [
        { address: 1n, size: 3n },
        { address: 9n, size: 8n },
      ],
      bootCpuid: 4,
    });
    expect(between(a, b)).toEqual([
      'boot-cpuid 0->4',
      'reservation-removed 8+8',
      'reservation-added 9+8',
      'reservation-changed 1 2->3',
    ]);
  });

  it('calls as few siblings moved as can be', () => {
    const list = (names: string) => tree(node('', '', ...names.split('').map((name) => node(name, ''))));
    expect(between(list('abcdef'), list('fabcde'))).toEqual(['node-moved /f 5->0']);
    expect(between(list('abcdef'), list('bcdefa'))).toEqual(['node-moved /a 0->5']);
    expect(between(list('abcd'), list('dcba')).length).toBe(3);
  });

  const names = fc.constantFrom('a', 'b', 'c', 'd@1', 'e');
  const properties = fc.array(fc.record({ name: names, value: fc.uint8Array({ maxLength: 9 }) }), {
    maxLength: 4,
  });
  const above = (children: fc.Arbitrary<FdtTreeNode>): fc.Arbitrary<FdtTreeNode> =>
    fc.record({ name: names, properties, children: fc.array(children, { maxLength: 4 }) });
  const leaves = fc.record({ name: names, properties, children: fc.constant([]) });
  const trees = above(above(above(leaves)));
  const roots = trees.map((root): FdtTree => tree({ ...root, name: '' }));

  it('finds nothing between any two encodings of a tree', () => {
    fc.assert(
      fc.property(roots, (any) => {
        const a = openFdt(encodeFdt(any));
        const b = openFdt(encodeFdt(any, { version: 16, padding: 8 }));
        expect([...diffFdt(a, b)]).toEqual([]);
        expect(encodingDiffers(a, b)).toBe(true);
        expect(encodingDiffers(a, a)).toBe(false);
      }),
    );
  });

  it('is empty exactly for equal trees, and mirrors when the sides change places', () => {
    const mirrored = (text: string): string =>
      text.replace(
        /^(\S+)-(added|removed)/,
        (_, what, how) => `${what}-${how === 'added' ? 'removed' : 'added'}`,
      );
    const lone = (text: string): boolean => /-(added|removed) /.test(text);
    fc.assert(
      fc.property(roots, roots, (a, b) => {
        const forth = between(a, b);
        const back = between(b, a);
        expect(forth.length === 0).toBe(Buffer.compare(encodeFdt(a), encodeFdt(b)) === 0);
        expect(forth.filter(lone).sort()).toEqual(back.filter(lone).map(mirrored).sort());
        const count = (list: string[], kind: string) => list.filter((text) => text.startsWith(kind)).length;
        for (const kind of ['property-changed', 'property-moved', 'node-moved'])
          expect(count(forth, kind)).toBe(count(back, kind));
      }),
    );
  });

  it('takes a tree of any depth and a node of any width', () => {
    let deep = node('n', 'v=1');
    let other = node('n', 'v=2');
    for (let depth = 0; depth < scaled(20_000); depth++) {
      deep = node('n', '', deep);
      other = node('n', '', other);
    }
    const blobOf = (root: FdtTreeNode) => openFdt(encodeFdt(tree({ ...root, name: '' })));
    expect(Array.from(diffFdt(blobOf(deep), blobOf(other)), ({ kind }) => kind)).toEqual([
      'property-changed',
    ]);
    const wide = Array.from({ length: scaled(50_000) }, (_, index) => node(`n${index}`, ''));
    const reversed = tree(node('', '', ...wide.toReversed()));
    expect(between(tree(node('', '', ...wide)), reversed).length).toBe(scaled(50_000) - 1);
  });

  it('compares reservations that changed places, trees without a root, and what lies before totalsize', () => {
    const first = { address: 1n, size: 2n };
    const second = { address: 8n, size: 8n };
    const root = node('', 'p=1');
    const a = tree(root, { reservations: [first, second] });
    const b = tree(root, { reservations: [second, first] });
    expect(between(a, b)).toEqual(['reservation-moved 8+8']);
    const none = openFdt(handMade([9], ''));
    const some = openFdt(handMade([1, 0, 2, 9], ''));
    expect(Array.from(diffFdt(none, some), words)).toEqual(['node-added /']);
    expect(Array.from(diffFdt(some, none), words)).toEqual(['node-removed /']);
    expect([...diffFdt(none, none)]).toEqual([]);
    const blob = encodeFdt(a);
    const longer = new Uint8Array(blob.length + 3).fill(1);
    longer.set(blob);
    expect(encodingDiffers(openFdt(blob), openFdt(longer))).toBe(false);
    expect(encodingDiffers(openFdt(longer), openFdt(blob))).toBe(false);
    expect(encodingDiffers(openFdt(blob), openFdt(encodeFdt(a, { padding: 1 })))).toBe(true);
    expect(encodingDiffers(openFdt(blob), openFdt(encodeFdt(b)))).toBe(true);
  });

  it('compares values byte for byte', () => {
    const of = (...value: number[]) =>
      tree({ ...node('', ''), properties: [{ name: 'v', value: Uint8Array.from(value) }] });
    expect(between(of(1, 2), of(1, 2))).toEqual([]);
    for (const other of [of(1), of(1, 2, 3), of(1, 3), of(2, 2), of()])
      expect(between(of(1, 2), other)).toEqual(['property-changed /v']);
  });
});
