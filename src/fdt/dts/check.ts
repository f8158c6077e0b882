// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { type DtsErrorCode, dtsErrorAt } from './error.js';
import { type SourceTree, shorten } from './merge.js';
import { badNodeName, badPropertyName } from './name.js';
import type { SourceNode, SourceProperty } from './source.js';

/** A node that is in the result, with what of its properties is. */
export interface LiveNode {
  readonly node: SourceNode;
  /** Index of the parent, -1 for the root. */
  readonly parent: number;
  properties: readonly SourceProperty[];
}

/** Up to this many names are compared one with another. */
const SHORT_LIST = 8;

/** The nodes and properties that have not been deleted, parents before children, in the order of the source. */
export function liveNodes(root: SourceNode): LiveNode[] {
  const list: LiveNode[] = [];
  const pending: { node: SourceNode; parent: number }[] = [{ node: root, parent: -1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, parent } = next;
    const row = list.length;
    const { items: all } = node.properties;
    const isWhole = all.every((property) => !property.deleted);
    list.push({ node, parent, properties: isWhole ? all : all.filter((property) => !property.deleted) });
    const { items } = node.children;
    for (let index = items.length - 1; index >= 0; index--) {
      const child = items[index];
      if (child !== undefined && !child.deleted) pending.push({ node: child, parent: row });
    }
  }
  return list;
}

/**
 * Applies the checks that dtc 1.6.1 makes before it writes anything and takes for errors (`checks.c`), and drops
 * `name` properties that say what the node is called anyway.
 *
 * @returns the phandles that the source gives itself, with their nodes
 * @throws DtsError
 */
export function checkSource(
  source: Uint8Array,
  tree: SourceTree,
  nodes: readonly LiveNode[],
): Map<number, SourceNode> {
  const fail = (code: DtsErrorCode, at: number, message: string): never => {
    throw dtsErrorAt(source, at, { code, message });
  };
  for (const live of nodes) {
    const { node, properties } = live;
    const badNode = badNodeName(node.name);
    if (badNode !== undefined) fail('BAD_NAME', node.at, `node name "${shorten(node.name)}" has ${badNode}`);
    const child = firstRepeated(node.children.items);
    if (child !== undefined) {
      fail('DUPLICATE_NODE', child.at, `a second node "${shorten(child.name)}" in one node`);
    }
    const repeated = firstRepeated(properties);
    if (repeated !== undefined) {
      fail('DUPLICATE_PROPERTY', repeated.at, `a second property "${shorten(repeated.name)}" in one node`);
    }
    for (const { name, at } of properties) {
      const bad = badPropertyName(name);
      if (bad !== undefined) fail('BAD_NAME', at, `property name "${shorten(name)}" has ${bad}`);
    }
    // dtc looks at a deleted one too.
    const named = node.properties.find('name');
    if (named === undefined) continue;
    if (!isBaseName(named.value.bytes, node.name)) {
      fail('NAME_PROPERTY', named.at, `"name" must be the node's name without a unit address`);
    }
    live.properties = properties.filter((property) => property !== named);
  }
  checkLabels(nodes, fail);
  return explicitPhandles(tree, nodes, fail);
}

type Fail = (code: DtsErrorCode, at: number, message: string) => never;

function isBaseName(value: Uint8Array, name: string): boolean {
  const at = name.indexOf('@');
  const length = at < 0 ? name.length : at;
  if (value.length !== length + 1 || value[length] !== 0) return false;
  for (let index = 0; index < length; index++) if (value[index] !== name.charCodeAt(index)) return false;
  return true;
}

/** The first item with the name of a live one before it; as in dtc a `/delete-node/` after its node counts too. */
function firstRepeated<Item extends { readonly name: string; readonly deleted: boolean }>(
  items: readonly Item[],
): Item | undefined {
  if (items.length <= SHORT_LIST) {
    return items.find((item, index) =>
      items.some((other, before) => before < index && !other.deleted && other.name === item.name),
    );
  }
  const names = new Set<string>();
  return items.find(({ name, deleted }) => names.has(name) || !(deleted || names.add(name)));
}

function checkLabels(nodes: readonly LiveNode[], fail: Fail): void {
  const labels = new Set<string>();
  const add = (label: string, at: number): void => {
    if (labels.has(label)) fail('DUPLICATE_LABEL', at, `a second label "${shorten(label)}"`);
    labels.add(label);
  };
  for (const { node, properties } of nodes) {
    for (const [label, { at, live }] of node.labels ?? []) if (live) add(label, at);
    for (const property of properties) {
      for (const [label, { at, live }] of property.labels ?? []) if (live) add(label, at);
      for (const { kind, text, at } of property.value.markers) if (kind === 'label') add(text, at);
    }
  }
}

function explicitPhandles(tree: SourceTree, nodes: readonly LiveNode[], fail: Fail): Map<number, SourceNode> {
  const phandles = new Map<number, SourceNode>();
  for (const { node, properties } of nodes) {
    let phandle = 0;
    let linux = 0;
    for (const property of properties) {
      if (property.name === 'phandle') phandle = explicitPhandle(tree, node, property, fail);
      else if (property.name === 'linux,phandle') linux = explicitPhandle(tree, node, property, fail);
    }
    if (phandle && linux && phandle !== linux) {
      fail('PHANDLE', node.at, '"phandle" and "linux,phandle" of one node differ');
    }
    const value = phandle || linux;
    if (!value) continue;
    if (phandles.has(value)) fail('PHANDLE', node.at, `phandle ${formatHex(value)} is taken by another node`);
    phandles.set(value, node);
    node.phandle = value;
  }
  return phandles;
}

/** The value of a `phandle` property; 0 when it refers to its own node, which asks for an automatic one. */
function explicitPhandle(tree: SourceTree, node: SourceNode, property: SourceProperty, fail: Fail): number {
  const { bytes, markers } = property.value;
  const { name, at } = property;
  if (bytes.length !== 4) fail('PHANDLE', at, `"${name}" must be one cell, found ${bytes.length} bytes`);
  const reference = markers.find(({ kind }) => kind === 'phandle');
  if (reference !== undefined) {
    if (tree.resolve(reference.text, reference.at) !== node) {
      fail('PHANDLE', reference.at, `"${name}" refers to another node`);
    }
    return 0;
  }
  const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (value === 0 || value === 0xffffffff) fail('PHANDLE', at, `"${name}" must not be ${formatHex(value)}`);
  return value;
}
