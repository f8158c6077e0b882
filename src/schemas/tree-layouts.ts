// SPDX-License-Identifier: Apache-2.0
// Which declared node each node of a tree is: for whoever shows a tree as it stands, damaged or not, without decoding it.
import { type Fdt, FdtNode } from '../fdt/fdt.js';
import { compatibleStrings, familyOfCompatible } from './identify-blob.js';
import { parseNodeName, requiredType } from './lang/read-node.js';
import type { MemoryType, NodeType } from './lang/type.js';

/** No layout goes deeper. */
const MAX_DEPTH = 16;

/** What is declared of a node. */
export interface NodePlace {
  readonly layout: NodeType | undefined;
  /** Whether the node stands in one whose layout does not know it. */
  readonly isUnknown: boolean;
}

const NOWHERE: NodePlace = { layout: undefined, isUnknown: false };

/** Gives the nodes of a tree their layouts, by row. */
export class TreeLayouts {
  readonly #fdt: Fdt;
  readonly #root: NodeType | undefined;
  // Rows are asked for in order: the parent is nearly always that of the row before.
  #parent = -1;
  #parentLayout: NodeType | undefined;

  /** @param root - layout of the root; `undefined` when none is known, and no node has one then */
  constructor(fdt: Fdt, root: NodeType | undefined) {
    this.#fdt = fdt;
    this.#root = root;
  }

  /** What is declared of the node in `row`. Takes bounded time, except for the lengths of names. */
  of(row: number): NodePlace {
    if (this.#root === undefined) return NOWHERE;
    const parent = this.#parentOf(row);
    if (parent < 0) return row === 0 ? { layout: this.#root, isUnknown: false } : NOWHERE;
    if (parent !== this.#parent) {
      this.#parentLayout = this.#layoutOf(parent);
      this.#parent = parent;
    }
    const above = this.#parentLayout;
    if (above === undefined) return NOWHERE;
    const layout = this.#below(above, row);
    return { layout, isUnknown: layout === undefined };
  }

  #layoutOf(row: number): NodeType | undefined {
    const path: number[] = [];
    let at = row;
    for (; this.#parentOf(at) >= 0; at = this.#parentOf(at)) {
      if (path.push(at) > MAX_DEPTH) return undefined;
    }
    let layout = at === 0 ? this.#root : undefined;
    for (const below of path.reverse()) layout = layout && this.#below(layout, below);
    return layout;
  }

  #below(layout: NodeType, row: number): NodeType | undefined {
    const node = new FdtNode(this.#fdt, row);
    const { name } = node;
    const fixed = Object.hasOwn(layout.children, name) ? layout.children[name] : undefined;
    if (fixed !== undefined) return requiredType(fixed);
    if (layout.each !== undefined && parseNodeName(layout.each.name, name) !== undefined)
      return layout.each.node;
    return this.#parentOf(row) === 0 ? ownLayout(node) : undefined;
  }

  #parentOf(row: number): number {
    return this.#fdt.nodes.parent[row] ?? -1;
  }
}

/** The layout of a subsystem's node in a tree that holds all of them, by its own `compatible`. */
function ownLayout(node: FdtNode): NodeType | undefined {
  const found = familyOfCompatible(compatibleStrings(node));
  const layout = found?.family.versions.findLast(({ key }) => key === found.key)?.layout;
  return layout?.kind === 'node' ? layout : undefined;
}

/** The declared type of a node's property. */
export function propertyType(layout: NodeType | undefined, name: string): MemoryType | undefined {
  const member =
    layout !== undefined && Object.hasOwn(layout.properties, name) ? layout.properties[name] : undefined;
  return member === undefined ? undefined : requiredType(member);
}

/** The properties that a node must have by its layout and does not. */
export function missingProperties(layout: NodeType | undefined, node: FdtNode): readonly string[] {
  if (layout === undefined) return [];
  return Object.entries(layout.properties)
    .filter(([name, member]) => member.kind !== 'optional' && node.property(name) === undefined)
    .map(([name]) => name);
}
