// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import { type Fdt, openFdt } from '../../src/fdt/fdt.js';
import type { FdtTreeNode } from '../../src/fdt/tree.js';
import { FdtWriter } from '../../src/fdt/writer.js';
import {
  decimal,
  each,
  identifyFdt,
  khoRoot,
  khoRootV1Tree,
  memblockV1,
  type NodeType,
  node as nodeOf,
  optional,
  TreeLayouts,
  u8,
  u32,
} from '../../src/schemas/index.js';
import { missingProperties, propertyType } from '../../src/schemas/tree-layouts.js';
import { readFixture } from '../fixtures.js';
import { scaled } from '../random.js';

const layoutsOf = (fdt: Fdt): TreeLayouts => {
  const layout = identifyFdt(fdt)?.version.layout;
  return new TreeLayouts(fdt, layout?.kind === 'node' ? layout : undefined);
};
const tree = (root: FdtTreeNode): Fdt => openFdt(encodeFdt({ reservations: [], bootCpuid: 0, root }));
const node = (name: string, children: FdtTreeNode[] = [], compatible?: string): FdtTreeNode => ({
  name,
  properties: compatible === undefined ? [] : [{ name: 'compatible', value: Buffer.from(`${compatible}\0`) }],
  children,
});

describe('TreeLayouts', () => {
  it('gives the areas of the RFC their layout, in whatever order rows are asked for', () => {
    const fdt = openFdt(readFixture('rfc-2024/hundred-areas.dtb'));
    const layouts = layoutsOf(fdt);
    const area = (row: number): boolean =>
      Object.hasOwn(layouts.of(row).layout?.properties ?? {}, 'iova-start');
    const rows = Array.from({ length: fdt.nodes.count }, (_, row) => row);
    const found = rows.filter(area);
    expect(found).toHaveLength(100);
    expect(rows.toReversed().filter(area).toReversed()).toEqual(found);
    expect(rows.filter((row) => layouts.of(row).isUnknown)).toEqual([]);
  });

  it('tells the first unknown node of a branch, and nothing of trees that no layout is declared for', () => {
    const fdt = tree(node('', [node('x', [node('y', [node('z')])])], 'memblock-v1'));
    const kinds = [0, 1, 2, 3].map((row) => layoutsOf(fdt).of(row));
    expect(kinds.map(({ isUnknown }) => isUnknown)).toEqual([false, false, true, false]);
    expect(kinds.map(({ layout }) => layout !== undefined)).toEqual([true, true, false, false]);
    const other = tree(node('', [node('x')], 'acme,board'));
    expect(layoutsOf(other).of(1)).toEqual({ layout: undefined, isUnknown: false });
  });

  it('knows the node of a subsystem below a root that holds all of them, by its own string', () => {
    const below = [
      node('trace', [], 'reserve-mem-v1'),
      node('a', [node('inside', [], 'memblock-v1')], 'memblock-v1'),
      node('b', [], 'luo-v5'),
      node('c', [], 'nobody-v1'),
      node('d', [], 'kho-v1'),
    ];
    const fdt = tree(node('', below, 'kho-v1'));
    const layouts = new TreeLayouts(fdt, khoRootV1Tree);
    const found = Array.from({ length: fdt.nodes.count }, (_, row) => layouts.of(row));
    expect(found.map(({ layout }) => layout)).toEqual([
      khoRootV1Tree,
      undefined,
      memblockV1,
      memblockV1.each?.node,
      // A struct, and what nobody knows.
      undefined,
      undefined,
      khoRoot.versions.findLast(({ key }) => key === 'kho-v1')?.layout,
    ]);
    expect(found.map(({ isUnknown }) => isUnknown)).toEqual([false, true, false, false, true, true, false]);
  });

  it('knows nodes by names that fit, not below a second root', () => {
    const layout = nodeOf({
      each: each('all', decimal({ max: 5 }), nodeOf({ children: { in: nodeOf({}) } })),
    });
    const two = new FdtWriter();
    two.finishReservations();
    for (let root = 0; root < 2; root++) {
      for (const name of ['', '5', 'in']) two.beginNode(name);
      for (const name of ['out']) {
        two.beginNode(name);
        two.endNode();
      }
      for (let open = 0; open < 2; open++) two.endNode();
      two.beginNode('6');
      two.endNode();
      two.endNode();
    }
    const fdt = openFdt(two.finish(), { tolerant: true });
    expect(fdt.nodes.count).toBe(10);
    const layouts = new TreeLayouts(fdt, layout);
    const kinds = Array.from({ length: 10 }, (_, row) => {
      const { layout: found, isUnknown } = layouts.of(row);
      return isUnknown ? 'unknown' : found === undefined ? 'none' : 'known';
    });
    expect(kinds.slice(0, 5)).toEqual(['known', 'known', 'known', 'unknown', 'unknown']);
    expect(kinds.slice(5)).toEqual(['none', 'none', 'none', 'none', 'none']);
  });

  it('knows nodes as deep as any layout goes', () => {
    const chainOf = (levels: number): [NodeType, FdtTreeNode] => {
      let layout: NodeType = nodeOf({});
      let found = node('n');
      for (let level = 1; level < levels; level++) {
        layout = nodeOf({ children: { n: layout } });
        found = node(level === levels - 1 ? '' : 'n', [found]);
      }
      return [layout, found];
    };
    const [layout, found] = chainOf(20);
    const layouts = new TreeLayouts(tree(found), layout);
    // A node is looked up from its parent, which lies 16 nodes below the root at most.
    expect([16, 17, 18].map((row) => layouts.of(row).layout !== undefined)).toEqual([true, true, false]);
  });

  it('takes bounded time for a node however deep it lies', () => {
    let deep = node('bottom');
    for (let level = 0; level < scaled(50_000); level++) deep = node('n', [deep]);
    const layout: NodeType | undefined = undefined;
    const fdt = tree(node('', [deep], 'memblock-v1'));
    const layouts = layoutsOf(fdt);
    for (let row = 0; row < fdt.nodes.count; row++) layouts.of(row);
    expect(layouts.of(fdt.nodes.count - 1)).toEqual({ layout, isUnknown: false });
  });

  it('tells the declared type of a property, and which properties a node lacks', () => {
    const layout = nodeOf({ properties: { must: u32(), may: optional(u8()) } });
    expect(propertyType(layout, 'must')?.kind).toBe('integer');
    expect(propertyType(layout, 'may')?.kind).toBe('integer');
    expect(propertyType(layout, 'toString')).toBeUndefined();
    expect(propertyType(undefined, 'must')).toBeUndefined();
    const { root } = tree(node('', [], 'x'));
    if (root === undefined) throw new Error('there is a root');
    expect(missingProperties(layout, root)).toEqual(['must']);
    expect(missingProperties(nodeOf({ properties: { compatible: u32(), other: u8() } }), root)).toEqual([
      'other',
    ]);
    expect(missingProperties(undefined, root)).toEqual([]);
  });
});
