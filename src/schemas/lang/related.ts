// SPDX-License-Identifier: Apache-2.0
import { requiredType } from './read-node.js';
import type { Layout, MemoryType, NodeType, StructType } from './type.js';

/** A layout and all layouts that its pointers name, each once, what is pointed to after what points there. */
export function relatedLayouts(layout: Layout): readonly Layout[] {
  const found = new Set<Layout>([layout]);
  // A set visits what is added while it is visited.
  for (const each of found) for (const other of directlyRelated(each)) found.add(other);
  return [...found];
}

/** The structs among {@link relatedLayouts} by their names; of several with one name the first. */
export function relatedStructs(layout: Layout): ReadonlyMap<string, StructType> {
  const structs = new Map<string, StructType>();
  for (const each of relatedLayouts(layout))
    if (each.kind === 'struct' && !structs.has(each.name)) structs.set(each.name, each);
  return structs;
}

function directlyRelated(layout: Layout): readonly Layout[] {
  if (layout.kind === 'node') return nodeRelations(layout);
  switch (layout.kind) {
    case 'pointer': {
      const { target } = layout;
      if (target.to === 'layout') return [target.layout];
      return target.to === 'radix' ? [target.tree.table, target.tree.leaf] : [];
    }
    case 'gather':
      return [layout.chunk, layout.contents, ...directlyRelated(layout.descriptor)];
    default:
      return partsOf(layout).flatMap(directlyRelated);
  }
}

function nodeRelations({ properties, children, each }: NodeType): readonly Layout[] {
  return [
    ...Object.values(properties).flatMap((member) => directlyRelated(requiredType(member))),
    ...Object.values(children).flatMap((member) => nodeRelations(requiredType(member))),
    ...(each === undefined ? [] : nodeRelations(each.node)),
  ];
}

/** The types that a type is made of. */
export function partsOf(type: MemoryType): readonly MemoryType[] {
  if (type.kind === 'struct') return Object.values(type.fields);
  if (type.kind === 'array') return [type.of];
  if (type.kind === 'gather') return [type.descriptor];
  return type.kind === 'union' ? Object.values(type.cases).map((each) => each.type) : [];
}
