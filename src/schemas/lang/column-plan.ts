// SPDX-License-Identifier: Apache-2.0
import type { NodeName, NodeType } from './type.js';

/** A property that becomes a column. */
export interface ColumnProperty {
  readonly name: string;
  /** Length of the value: 1, 2, 4 or 8. */
  readonly length: number;
  readonly signed: boolean;
  readonly index: number;
}

/** One step from a root towards the nodes that are read: a node of this name, or any whose name fits. */
export type RouteStep = { readonly child: string } | { readonly each: NodeName; readonly key: string };

/** What is read into columns, compiled from a layout once. */
export interface ColumnPlan {
  /** From the root to the parents of the nodes. */
  readonly route: readonly RouteStep[];
  readonly names: NodeName;
  readonly properties: readonly ColumnProperty[];
  /** Bytes of a structure block that such a node takes at least. */
  readonly smallest: number;
}

/**
 * Compiles the way to patterned nodes and what is in them.
 *
 * @param path - keys of the members that lead there, the last that of the patterned nodes
 * @throws TypeError when the path leads elsewhere, or to nodes with anything but integers and decimal names
 */
export function planColumns(root: NodeType, path: readonly string[]): ColumnPlan {
  const route: RouteStep[] = [];
  let at = root;
  for (const [index, key] of path.entries()) {
    const child = at.children[key];
    if (child !== undefined) {
      route.push({ child: key });
      at = child.kind === 'optional' ? child.of : child;
    } else if (at.each?.key === key) {
      if (index === path.length - 1) return planLeaf(route, at.each.name, at.each.node);
      route.push({ each: at.each.name, key });
      at = at.each.node;
    } else {
      throw new TypeError(`there is no member ${key} at ${path.slice(0, index).join('/')}`);
    }
  }
  throw new TypeError(`${path.join('/')} is not the key of patterned nodes`);
}

function planLeaf(route: readonly RouteStep[], names: NodeName, leaf: NodeType): ColumnPlan {
  if (names.kind !== 'decimal') throw new TypeError('columns need nodes with decimal names');
  const properties = Object.entries(leaf.properties).map(([name, type], index) => {
    if ((type.kind !== 'integer' && type.kind !== 'pointer') || type.bigEndian)
      throw new TypeError(`property ${name} is no integer of native byte order`);
    return { name, length: type.bits / 8, signed: type.kind === 'integer' && type.signed, index };
  });
  // FDT_BEGIN_NODE, a name, FDT_END_NODE; each property's token, length, name and value.
  const smallest = properties.reduce((sum, { length }) => sum + 12 + (length > 4 ? 8 : 4), 12);
  return { route, names, properties, smallest };
}
