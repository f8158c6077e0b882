// SPDX-License-Identifier: Apache-2.0
// FDT blobs made small as trees: nodes, properties, and values go.
import { KhoError } from '../bytes/issue.js';
import { quoteName } from '../bytes/printable.js';
import { encodeFdt, type FdtVersion } from '../fdt/encode.js';
import { openFdt } from '../fdt/fdt.js';
import { type FdtTree, type FdtTreeNode, readTree } from '../fdt/tree.js';
import { cutList } from './cut.js';
import type { Candidate, Shrinker } from './shrink.js';
import { cutOutOf, zeroIn } from './shrink-bytes.js';

const VERSIONS: readonly FdtVersion[] = [1, 2, 3, 16, 17];
/** Shorter stretches of a value than a cell are not left out: its size is part of what it means. */
const CELL = 4;

/** Positions of children, from the root down. */
type Place = readonly number[];

/** Leaves out reservations, nodes and properties of an FDT, then makes values short and zero. Passes over what is no FDT. */
export function* shrinkTree(input: Uint8Array): Shrinker {
  const read = treeIn(input);
  if (read === undefined) return;
  let { tree } = read;
  const candidate = (changed: FdtTree, step: string): Candidate | undefined => {
    const bytes = orUndefined(() => encodeFdt(changed, { version: read.version }));
    return bytes && { bytes, step };
  };
  const anew = candidate(tree, 'write the tree anew');
  // A failure that lies in how the blocks are laid out is none of the tree.
  if (anew === undefined || !(yield anew)) return;
  const reservations = yield* cutList(tree.reservations, (left) =>
    candidate({ ...tree, reservations: left }, 'drop reservations'),
  );
  tree = { ...tree, reservations };
  const withNode = (place: Place, change: Partial<FdtTreeNode>): FdtTree => ({
    ...tree,
    root: replaceNode(tree.root, place, change),
  });
  const isThere = (place: Place): FdtTreeNode => nodeAt(tree.root, place) ?? tree.root;
  // Level by level: what goes early takes most with it.
  const places: Place[] = [[]];
  for (const place of places) {
    const children = yield* cutList(isThere(place).children, (left, { size }) =>
      candidate(
        withNode(place, { children: left }),
        `drop ${nodesText(size)} of ${pathOf(tree.root, place)}`,
      ),
    );
    tree = withNode(place, { children });
    for (const index of children.keys()) places.push([...place, index]);
  }
  for (const place of places) {
    const properties = yield* cutList(isThere(place).properties, (left, { size }) =>
      candidate(
        withNode(place, { properties: left }),
        `drop ${propertiesText(size)} of ${pathOf(tree.root, place)}`,
      ),
    );
    tree = withNode(place, { properties });
  }
  for (const place of places) {
    for (const [index, { name, value }] of isThere(place).properties.entries()) {
      const where = `${pathOf(tree.root, place)}:${quoteName(name)}`;
      const withValue = (changed: Uint8Array): FdtTree => {
        const properties = isThere(place).properties.with(index, { name, value: changed });
        return withNode(place, { properties });
      };
      // The name is kept, so a value can always be encoded.
      const make =
        (what: string) =>
        (changed: Uint8Array): Candidate =>
          candidate(withValue(changed), `${what} ${where}:`) ?? { bytes: input, step: what };
      tree = withValue(yield* cutOutOf(value, CELL, make('shorten')));
      const short = isThere(place).properties[index]?.value ?? value;
      tree = withValue(yield* zeroIn(short, 0, make('zero')));
    }
  }
}

function treeIn(input: Uint8Array): { readonly tree: FdtTree; readonly version: FdtVersion } | undefined {
  return orUndefined(() => {
    const fdt = openFdt(input);
    const version = VERSIONS.find((each) => each === fdt.header.version);
    return version === undefined || fdt.root === undefined ? undefined : { tree: readTree(fdt), version };
  });
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

function nodeAt(root: FdtTreeNode, place: Place): FdtTreeNode | undefined {
  let node: FdtTreeNode | undefined = root;
  for (const index of place) node = node?.children[index];
  return node;
}

function replaceNode(root: FdtTreeNode, place: Place, change: Partial<FdtTreeNode>): FdtTreeNode {
  const path: FdtTreeNode[] = [root];
  for (const index of place) {
    const child = path.at(-1)?.children[index];
    if (child === undefined) return root;
    path.push(child);
  }
  let changed: FdtTreeNode = { ...(path.at(-1) ?? root), ...change };
  for (let depth = place.length - 1; depth >= 0; depth--) {
    const parent = path[depth] ?? root;
    changed = { ...parent, children: parent.children.with(place[depth] ?? 0, changed) };
  }
  return changed;
}

function pathOf(root: FdtTreeNode, place: Place): string {
  let node: FdtTreeNode | undefined = root;
  let path = '';
  for (const index of place) {
    node = node?.children[index];
    path += `/${quoteName(node?.name ?? '')}`;
  }
  return path === '' ? '/' : path;
}

function nodesText(count: number): string {
  return count === 1 ? 'a node' : `${count} nodes`;
}

function propertiesText(count: number): string {
  return count === 1 ? 'a property' : `${count} properties`;
}
