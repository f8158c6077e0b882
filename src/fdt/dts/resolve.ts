// SPDX-License-Identifier: Apache-2.0
import { ByteBuffer } from '../../bytes/byte-buffer.js';
import type { FdtTreeNode, FdtTreeProperty } from '../tree.js';
import { checkSource, type LiveNode, liveNodes } from './check.js';
import { dtsErrorAt } from './error.js';
import type { SourceTree } from './merge.js';
import type { SourceNode, SourceProperty } from './source.js';

/** How many bytes all path references together may expand to; a source could ask for its square. */
const MAX_PATH_BYTES = 64 * 1024 * 1024;

/** dtc's guess of the boot CPU: `reg` of the first node in `/cpus`, when it is one cell. References count as all ones. */
export function bootCpuid(tree: SourceTree): number {
  const cpu = tree.root.liveChild('cpus')?.children.items[0];
  const reg = cpu?.properties.items.find(({ name, deleted }) => name === 'reg' && !deleted);
  const bytes = reg?.value.bytes;
  if (bytes?.length !== 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/**
 * Turns a merged source into plain values: checks it, gives phandles to nodes that are referred to, fills in
 * references and leaves out what `/omit-if-no-ref/` asks to.
 *
 * @throws DtsError for what dtc rejects; LIMIT for path references of more than 64 MiB
 */
export function resolveSource(source: Uint8Array, tree: SourceTree): FdtTreeNode {
  const nodes = liveNodes(tree.root);
  const phandles = checkSource(source, tree, nodes);
  const given = resolvePhandles(tree, nodes, phandles);
  resolvePaths(source, tree, nodes);
  for (const { node } of nodes) {
    if (node.omitIfUnreferenced && !node.isReferenced && !node.deleted) node.delete();
  }
  return buildTree(nodes, given);
}

/**
 * Fills in the cells that refer to nodes. A node without a phandle gets the lowest free one when the first reference
 * to it is met, parents before children.
 *
 * @returns the nodes that need a new `phandle` property at their end
 */
function resolvePhandles(
  tree: SourceTree,
  nodes: readonly LiveNode[],
  phandles: Map<number, SourceNode>,
): Map<SourceNode, FdtTreeProperty> {
  const given = new Map<SourceNode, FdtTreeProperty>();
  let free = 1;
  for (const { properties } of nodes) {
    for (const { value } of properties) {
      for (const { kind, offset, text, at } of value.markers) {
        if (kind !== 'phandle') continue;
        const target = tree.resolve(text, at);
        target.isReferenced = true;
        if (target.phandle === 0) {
          while (phandles.has(free)) free++;
          target.phandle = free;
          phandles.set(free, target);
          if (!target.properties.items.some(({ name, deleted }) => name === 'phandle' && !deleted)) {
            given.set(target, { name: 'phandle', value: cell(free) });
          }
        }
        value.bytes.set(cell(target.phandle), offset);
      }
    }
  }
  return given;
}

function cell(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Inserts the paths that references outside of `<>` stand for. */
function resolvePaths(source: Uint8Array, tree: SourceTree, nodes: readonly LiveNode[]): void {
  let left = MAX_PATH_BYTES;
  for (const { properties } of nodes) {
    for (const property of properties) {
      if (!property.value.markers.some(({ kind }) => kind === 'path')) continue;
      const spend = (length: number, at: number): void => {
        left -= length;
        if (left >= 0) return;
        const message = `path references expand to more than ${MAX_PATH_BYTES} bytes`;
        throw dtsErrorAt(source, at, { code: 'LIMIT', message });
      };
      insertPaths(tree, property, spend);
    }
  }
}

function insertPaths(
  tree: SourceTree,
  property: SourceProperty,
  spend: (length: number, at: number) => void,
): void {
  const { bytes, markers } = property.value;
  const whole = new ByteBuffer(bytes.length + 64);
  let done = 0;
  for (const { kind, offset, text, at } of markers) {
    if (kind !== 'path') continue;
    const target = tree.resolve(text, at);
    target.isReferenced = true;
    whole.appendBytes(bytes.subarray(done, offset));
    appendPath(target, whole, (length) => spend(length, at));
    done = offset;
  }
  whole.appendBytes(bytes.subarray(done));
  property.value = { bytes: whole.bytes.slice(), markers: [] };
}

/** Appends the path of `node` and a NUL. */
function appendPath(node: SourceNode, out: ByteBuffer, spend: (length: number) => void): void {
  const names: string[] = [];
  let length = 1;
  for (let at = node; at.parent !== undefined; at = at.parent) {
    names.push(at.name);
    length += at.name.length + 1;
  }
  spend(length);
  if (names.length === 0) out.appendLatin1('/');
  for (const name of names.reverse()) {
    out.appendLatin1('/');
    out.appendLatin1(name);
  }
  out.appendByte(0);
}

function buildTree(nodes: readonly LiveNode[], given: ReadonlyMap<SourceNode, FdtTreeProperty>): FdtTreeNode {
  interface Result extends FdtTreeNode {
    readonly children: Result[];
  }
  const results: Result[] = [];
  for (const { node, parent, properties: live } of nodes) {
    const properties: FdtTreeProperty[] = live.map(({ name, value }) => ({ name, value: value.bytes }));
    const phandle = given.get(node);
    if (phandle !== undefined) properties.push(phandle);
    const result: Result = { name: node.name, properties, children: [] };
    results.push(result);
    if (!node.deleted) results[parent]?.children.push(result);
  }
  return results[0] ?? { name: '', properties: [], children: [] };
}
