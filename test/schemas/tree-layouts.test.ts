// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import { type Fdt, openFdt } from '../../src/fdt/fdt.js';
import type { FdtTreeNode } from '../../src/fdt/tree.js';
import {
  identifyFdt,
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
