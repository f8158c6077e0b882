// SPDX-License-Identifier: Apache-2.0
// The nodes and properties of a device tree as rows.
import { escapeText, quoteName } from '../bytes/printable.js';
import { type Fdt, FdtNode, type FdtProperty } from '../fdt/fdt.js';
import { isU64, littleU64 } from '../render/value-kind.js';
import { writeValue } from '../render/value-text.js';
import { propertyType, TreeLayouts } from '../schemas/tree-layouts.js';
import { VALUE_STYLE } from './object-fields.js';
import type { ShownObject } from './shown-object.js';
import { lineOf, type TextRun } from './text-run.js';
import { inGroups, once, type Targets, type TreeNode } from './tree-node.js';

/** The rows of a tree's root node, or of several roots. */
export function fdtRows(object: ShownObject, fdt: Fdt, targets: Targets): readonly TreeNode[] {
  if (fdt.root === undefined) return [];
  return new FdtRows(object, fdt, targets).inside(0);
}

class FdtRows {
  readonly #object: ShownObject;
  readonly #fdt: Fdt;
  readonly #targets: Targets;
  readonly #layouts: TreeLayouts;

  constructor(object: ShownObject, fdt: Fdt, targets: Targets) {
    this.#object = object;
    this.#fdt = fdt;
    this.#targets = targets;
    this.#layouts = new TreeLayouts(fdt, object.layout?.kind === 'node' ? object.layout : undefined);
  }

  /** Properties and nodes of the node in `row`. */
  inside(row: number): readonly TreeNode[] {
    const { nodes } = this.#fdt;
    const properties = [...new FdtNode(this.#fdt, row).properties()].map((each) => this.#property(row, each));
    const rows: number[] = [];
    for (let at = row + 1; at < (nodes.next[row] ?? 0); at = nodes.next[at] ?? nodes.count) rows.push(at);
    const children = inGroups(
      rows.length,
      (from, to) => rows.slice(from, to).map((each) => this.#node(each)),
      (from, to) => {
        const offset = nodes.offset[rows[from] ?? 0] ?? 0;
        return { object: this.#object, offset, length: this.#end(rows[to - 1] ?? 0) - offset };
      },
    );
    return [...properties, ...children];
  }

  #end(row: number): number {
    const { nodes, bytes } = this.#fdt;
    return nodes.end[row] ?? bytes.length;
  }

  #node(row: number): TreeNode {
    const node = new FdtNode(this.#fdt, row);
    const { isUnknown } = this.#layouts.of(row);
    const offset = node.offset;
    const { nodes } = this.#fdt;
    const inside = once(() => this.inside(row));
    const first = node.properties()[Symbol.iterator]().next();
    return {
      label: quoteName(node.name) || '(no name)',
      role: 'node',
      value: () => (isUnknown ? [{ role: 'note', text: 'unknown node' }] : this.#preview(node)),
      place: { object: this.#object, offset, length: this.#end(row) - offset },
      isBranch: first.done !== true || (nodes.next[row] ?? 0) > row + 1,
      children: inside,
    };
  }

  /** The first values of a node on one line. */
  #preview(node: FdtNode): TextRun[] {
    const { layout } = this.#layouts.of(node.row);
    const runs: TextRun[] = [];
    for (const property of node.properties()) {
      if (property.name === 'compatible' && layout !== undefined) continue;
      if (runs.length > 12) break;
      if (runs.length > 0) runs.push({ role: '', text: '  ' });
      runs.push({ role: 'note', text: `${escapeText(property.name)} ` }, ...this.#text(property, layout));
    }
    return runs;
  }

  #text(property: FdtProperty, layout: Parameters<typeof propertyType>[0]): TextRun[] {
    const type = propertyType(layout, property.name);
    return lineOf((out) => writeValue(out, property, type, VALUE_STYLE));
  }

  #property(row: number, property: FdtProperty): TreeNode {
    const { layout } = this.#layouts.of(row);
    const { value, valueOffset } = property;
    const type = propertyType(layout, property.name);
    const isStrange = layout !== undefined && type === undefined;
    const pointer =
      isU64(type) && type?.kind === 'pointer' && value.length === 8 ? littleU64(value) : undefined;
    const target = pointer === undefined ? undefined : this.#targets.of(pointer, this.#object.address);
    return {
      label: quoteName(property.name),
      role: 'property',
      value: () => [
        ...this.#text(property, layout),
        ...(isStrange ? [{ role: 'note', text: ' (unknown property)' } as const] : []),
      ],
      place: { object: this.#object, offset: valueOffset, length: value.length },
      pointer: pointer === 0n ? undefined : pointer,
      isBranch: target !== undefined,
      children: once(() => (target === undefined ? [] : this.#targets.rows(target))),
    };
  }
}
