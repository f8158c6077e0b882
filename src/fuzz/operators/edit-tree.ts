// SPDX-License-Identifier: Apache-2.0
// Changes to FDTs of a handover that another value in place cannot make: members that come, go or change their size.
import { encodeFdt } from '../../fdt/encode.js';
import type { Fdt } from '../../fdt/fdt.js';
import { openFdt } from '../../fdt/fdt.js';
import { type FdtHeader, HEADER_FIELDS } from '../../fdt/header.js';
import { type FdtTreeNode, readTree } from '../../fdt/tree.js';
import { PAGE_SIZE } from '../../image/physical-memory.js';
import { type Change, put, type Site } from '../image-operator.js';

const SETUP = ['setup_data_kho'];

/** Changes a node; `undefined` where it has nothing that could be changed so. */
export type EditNode = (root: FdtTreeNode) => FdtTreeNode | undefined;

function edited(fdt: Fdt, edit: EditNode): Uint8Array | undefined {
  const tree = readTree(fdt);
  const root = edit(tree.root);
  return root && encodeFdt({ ...tree, root });
}

/** Writes the root anew. @returns false where there is nothing to change, or no room for it */
export function editRoot(site: Site, edit: EditNode): boolean {
  const { bench, store } = site;
  const { fdt, address, size } = bench.handover.root;
  const blob = fdt && edited(fdt, edit);
  const room = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
  if (blob === undefined) return false;
  if (blob.length > room) return relocate(site, blob);
  store.write(address, blob);
  return true;
}

/** Puts the tree of the form of 2023 where there is room: at the start of scratch, in which kexec had put it as well. */
function relocate(site: Site, blob: Uint8Array): boolean {
  const { root, scratch } = site.bench.handover;
  const [address] = site.bench.fields(SETUP, 'dt_addr');
  const [size] = site.bench.fields(SETUP, 'dt_size');
  const [region] = scratch.regions ?? [];
  if (address === undefined || size === undefined || region === undefined) return false;
  site.store.write(root.address, new Uint8Array(4));
  site.store.write(region.address, blob);
  put(site, address, region.address);
  put(site, size, BigInt(blob.length));
  return true;
}

/** Writes the blob of a consumer anew, which is an FDT, and its size in the root. */
export function editBlob(site: Site, name: string, edit: EditNode): boolean {
  const consumer = site.bench.handover.consumer(name);
  if (consumer?.bytes === undefined || consumer.identified?.version.layout.kind !== 'node') return false;
  const blob = edited(openFdt(consumer.bytes), edit);
  if (blob === undefined || blob.length > PAGE_SIZE) return false;
  site.store.write(consumer.address, blob);
  const size = site.bench.at(`/${name}/blob-size`);
  if (size !== undefined && blob.length > consumer.size) put(site, size, BigInt(blob.length));
  return true;
}

/** Sets a field of an FDT's header. */
export function setHeader(
  { store }: Site,
  { address, path }: { readonly address: bigint; readonly path: string },
  name: keyof FdtHeader,
  value: (old: number) => number,
): Change | undefined {
  const field = HEADER_FIELDS.find((each) => each.name === name);
  if (field === undefined) return undefined;
  const at = address + BigInt(field.offset);
  const bytes = store.read(at, 4).slice();
  const view = new DataView(bytes.buffer);
  const old = view.getUint32(0);
  view.setUint32(0, value(old) >>> 0);
  store.write(at, bytes);
  return { at: path, detail: `${name} was ${old}, is ${value(old) >>> 0}` };
}

/** A node with other properties. */
export function withProperties(node: FdtTreeNode, properties: FdtTreeNode['properties']): FdtTreeNode {
  return { ...node, properties };
}

/** A node in which the child of this name is changed; `undefined` without such a child. */
export function withChild(
  node: FdtTreeNode,
  name: string,
  change: (child: FdtTreeNode) => FdtTreeNode | undefined,
): FdtTreeNode | undefined {
  const index = node.children.findIndex((child) => child.name === name);
  const child = node.children[index];
  const changed = child && change(child);
  if (changed === undefined) return undefined;
  return { ...node, children: node.children.map((each, at) => (at === index ? changed : each)) };
}
