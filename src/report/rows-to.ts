// SPDX-License-Identifier: Apache-2.0
// The way to an object: which rows of the tree have to be opened to see it.
import { offsetIn, type ShownObject } from './shown-object.js';
import type { TreeNode } from './tree-node.js';

/** What the tree is made of. */
export interface ObjectTree {
  readonly top: readonly TreeNode[];
  /** All objects, each after what leads to it. */
  readonly objects: readonly ShownObject[];
  /** What objects lie below that no pointer leads to. */
  readonly looseBelow: ReadonlyMap<ShownObject, ShownObject>;
}

/** The rows that lead to a place, from the top: the last is the innermost row that has it. */
export function rowsTo(tree: ObjectTree, object: ShownObject, offset: number): readonly TreeNode[] {
  const { path, rows } = rowsOf(tree, object);
  return [...path, ...rowsDownTo(rows, object, offset)];
}

/** The rows of what is in an object, and those that lead to them. */
function rowsOf(
  within: ObjectTree,
  object: ShownObject,
): { readonly path: readonly TreeNode[]; readonly rows: readonly TreeNode[] } {
  // Lists of blocks are as long as there is memory: up to the top first, then down row by row.
  const chain: { readonly object: ShownObject; readonly above: Above }[] = [];
  let first: ShownObject = object;
  for (let above = aboveOf(within, first); above !== undefined; above = aboveOf(within, first)) {
    chain.push({ object: first, above });
    first = above.object;
  }
  const top = within.top.find(({ place }) => place?.object === first);
  const path = top === undefined ? [] : [top];
  let rows = top?.children() ?? [];
  for (const { object: below, above } of chain.reverse()) {
    const { object: parent, offset } = above;
    const found =
      offset === undefined
        ? rows.filter(({ place, role }) => place?.object === below && role === 'object').slice(0, 1)
        : // A pointer in a property is known only by its tree: there it is the one that has the address.
          parent.fdt === undefined
          ? rowsDownTo(rows, parent, offset)
          : pathInTree(rows, parent, below);
    path.push(...found);
    rows = found.at(-1)?.children() ?? [];
  }
  return { path, rows };
}

/** What leads to an object. It was reached before: objects that overlap each other do not lead around in circles. */
function aboveOf({ top, objects, looseBelow }: ObjectTree, object: ShownObject): Above | undefined {
  if (top.some(({ place }) => place?.object === object)) return undefined;
  const parent = looseBelow.get(object);
  if (parent !== undefined) return { object: parent, offset: undefined };
  const { from } = object;
  if (from === undefined) return undefined;
  let best: Above | undefined;
  let bestBytes = Number.POSITIVE_INFINITY;
  for (const each of objects) {
    if (each === object) break;
    const offset = offsetIn(each, from);
    if (offset === undefined) continue;
    // Of several the smallest, and one whose path goes on to the object before any other.
    const bytes = each.bytes.length + (object.path.startsWith(each.path) ? 0 : 2 ** 40);
    if (bytes >= bestBytes) continue;
    best = { object: each, offset };
    bestBytes = bytes;
  }
  return best;
}

/** What leads to an object: its pointer there, or no offset where none does. */
interface Above {
  readonly object: ShownObject;
  readonly offset: number | undefined;
}

/** From these rows on down those that have a place. */
function rowsDownTo(from: readonly TreeNode[], object: ShownObject, offset: number): TreeNode[] {
  const path: TreeNode[] = [];
  for (let rows = from; ; ) {
    const next = rows.find(({ place }) => holds(place, object, offset));
    if (next === undefined) return path;
    path.push(next);
    rows = next.isBranch ? next.children() : [];
  }
}

function pathInTree(from: readonly TreeNode[], tree: ShownObject, target: ShownObject): readonly TreeNode[] {
  const search = (rows: readonly TreeNode[], depth: number): readonly TreeNode[] | undefined => {
    for (const row of rows) {
      if (row.pointer !== undefined && row.place?.object === tree && row.pointer === target.address)
        return [row];
      if (depth === 0 || row.role !== 'node') continue;
      const found = search(row.children(), depth - 1);
      if (found !== undefined) return [row, ...found];
    }
    return undefined;
  };
  return search(from, 3) ?? [];
}

function holds(place: TreeNode['place'], object: ShownObject, offset: number): boolean {
  return (
    place !== undefined &&
    place.object === object &&
    place.offset <= offset &&
    offset < place.offset + Math.max(1, place.length)
  );
}
