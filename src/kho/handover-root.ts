// SPDX-License-Identifier: Apache-2.0
// The FDT that a handover begins with: where it is, and what it says, damaged or not.
import { formatHex } from '../bytes/hex.js';
import { type Issue, KhoError } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';
import { type Fdt, type FdtNode, openFdt } from '../fdt/fdt.js';
import { PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import { khoRootV1Tree } from '../schemas/abi/kho-2023.js';
import { khoRoot } from '../schemas/abi/kho-root.js';
import { intelIommuV0 } from '../schemas/abi/rfc-intel-iommu.js';
import { type Identified, type IdentifyOptions, identify } from '../schemas/identify.js';
import { compatibleStrings } from '../schemas/identify-blob.js';
import { check } from '../schemas/lang/check.js';
import { node as nodeLayout, optional } from '../schemas/lang/node.js';
import { requiredType } from '../schemas/lang/read-node.js';
import { bytes as anyBytes } from '../schemas/lang/scalar.js';
import type { NodeType, PointerTarget } from '../schemas/lang/type.js';
import { looksLikeFdt, nativeU64 } from './debugfs-folder.js';
import type { HandoverIssue } from './handover-issue.js';
import { memoryOf } from './memory-of.js';

/** A root has a page; the RFC of 2024 had room for 10 MiB, and areas by the hundred thousand need more. */
const LARGEST_ROOT = 1 << 30;

/** What keeps a handover from being opened: NO_ROOT, nothing in the memory is one or says where one is. */
export type HandoverErrorCode = 'NO_ROOT';

/** Thrown where there is no handover to open. */
export class HandoverError extends KhoError<HandoverErrorCode> {
  declare readonly issue: Issue<HandoverErrorCode>;
}

/** A subsystem's node below the root, as it stands. */
export interface ConsumerNode {
  readonly node: FdtNode;
  /** One character a byte. */
  readonly name: string;
  /** Physical address of its blob; `undefined` where no property of eight bytes says it. */
  readonly address: bigint | undefined;
  /** Size in bytes by `blob-size`, since kho-v3. */
  readonly declaredSize: bigint | undefined;
}

/** The root of a handover, read as far as it can be. */
export interface HandoverRoot {
  /** Physical address of its FDT. */
  readonly address: bigint;
  /** Its totalsize in bytes, or how many of them are there; 0 where there is no FDT. */
  readonly size: number;
  /** `undefined` where there is no FDT. */
  readonly fdt: Fdt | undefined;
  /** The strings of its `compatible`, unescaped. */
  readonly compatible: readonly string[];
  /** The layout that it has; `undefined` for a version that is not known. */
  readonly identified: Identified | undefined;
  /** Subsystems, in the order of the tree; empty for the one tree of the RFC of 2024. */
  readonly consumers: readonly ConsumerNode[];
  /** The pointer to the map of preserved memory: its value, where the layout says that it leads, where it stands. */
  readonly map: { readonly address: bigint; readonly target: PointerTarget; readonly at: bigint } | undefined;
  /** What is wrong with it, all `part` root. */
  readonly issues: readonly HandoverIssue[];
}

/** The root of a memory without a handover. */
export const NO_ROOT: HandoverRoot = {
  address: 0n,
  size: 0,
  fdt: undefined,
  compatible: [],
  identified: undefined,
  consumers: [],
  map: undefined,
  issues: [],
};

const MAP_PROPERTY = 'preserved-memory-map';
const TREE_KEY = 'kho-v1';
const TREE = 'tree';

/**
 * The one tree of the RFC of 2024 without its lists, of which there may be hundreds of thousands of elements: areas, and
 * what domains list in `mem`. Whoever reads those as columns checks them.
 */
const TREE_WITHOUT_LISTS: NodeType = nodeLayout({
  compatible: 'kho-v1',
  children: { 'intel-iommu': optional(withoutMem(intelIommuV0)) },
});

/** A layout of nodes without what `mem` properties hold. */
function withoutMem(layout: NodeType): NodeType {
  const { each: list, properties, children } = layout;
  const mem = properties['mem'] === undefined ? {} : { mem: anyBytes('rest', 'a list') };
  return {
    ...layout,
    properties: { ...properties, ...mem },
    children: Object.fromEntries(
      Object.entries(children).map(([name, child]) => [name, withoutMem(requiredType(child))]),
    ),
    each: list && { ...list, node: withoutMem(list.node) },
  };
}

/**
 * Reads the root at physical address `address`. Nothing is thrown for what is wrong with it.
 *
 * @param variants - as of `identify`: which of the layouts of one string to take
 */
export function readRoot(
  image: PhysicalMemory,
  address: bigint,
  variants?: ReadonlyMap<string, string>,
): HandoverRoot {
  const memory = memoryOf(image);
  const issues: HandoverIssue[] = [];
  const complain = (issue: Issue): void => {
    issues.push({ ...issue, part: 'root', address: issue.address ?? address });
  };
  const nothing = { address, size: 0, fdt: undefined, compatible: [], identified: undefined, map: undefined };
  const header = memory(address, 40);
  if (header === undefined || !looksLikeFdt(header)) {
    const found = header === undefined ? 'no such memory' : 'something else';
    complain({ code: 'NO_FDT', message: `expected the root FDT at ${formatHex(address)}, found ${found}` });
    return { ...nothing, consumers: [], issues };
  }
  const declared = new DataView(header.buffer, header.byteOffset, 8).getUint32(4);
  const whole = declared > LARGEST_ROOT ? undefined : memory(address, declared);
  if (whole === undefined) {
    const message = `expected ${declared} bytes of root FDT at ${formatHex(address)}, found memory for fewer`;
    complain({ code: 'ABSENT', message });
  }
  // A kernel reads as far as it needs to, whatever the size is said to be: a page is what it maps.
  const bytes = whole ?? memory(address, PAGE_SIZE - Number(address % BigInt(PAGE_SIZE))) ?? header;
  const size = bytes.length;
  const fdt = openFdt(bytes, { tolerant: true });
  for (const { offset, ...issue } of fdt.issues)
    complain({ ...issue, code: `FDT_ERR_${issue.code}`, address: address + BigInt(offset ?? 0) });
  const compatible = compatibleStrings(fdt.root);
  const key = compatible.find((each) => khoRoot.versions.some((version) => version.key === each));
  const identified =
    key === undefined
      ? undefined
      : identifyRoot(bytes, key, hasMapOrBlobs(fdt), {
          memory,
          address,
          variants,
        });
  if (identified === undefined) {
    const strings = compatible.map((each) => `"${escapeText(each)}"`).join(', ');
    const message = `expected the compatible of a known root, found ${strings === '' ? 'none' : strings}`;
    complain({ code: 'NO_VERSION', path: '/compatible', message });
  }
  const layout = identified?.version.layout;
  if (layout?.kind === 'node' && fdt.issues.length === 0) {
    const checked = check(layout === khoRootV1Tree ? TREE_WITHOUT_LISTS : layout, bytes, { base: address });
    checked.issues.forEach(complain);
    for (const issue of checked.unknown)
      if (layout !== khoRootV1Tree) complain({ ...issue, code: 'UNKNOWN' });
  }
  const children = fdt.root === undefined ? [] : [...fdt.root.children()];
  const names = new Map<string, FdtNode>();
  for (const child of children) {
    const first = names.get(child.name);
    names.set(child.name, first ?? child);
    if (first === undefined) continue;
    issues.push({
      part: 'root',
      code: 'DUPLICATE',
      path: child.path,
      message: `expected one node of this name, found another at ${formatHex(address + BigInt(first.offset))}: kernels see only the first`,
      address: address + BigInt(child.offset),
      otherAddress: address + BigInt(first.offset),
    });
  }
  return {
    address,
    size,
    fdt,
    compatible,
    identified,
    consumers: layout === khoRootV1Tree ? [] : children.map(consumerNode),
    map: mapPointer(fdt, layout?.kind === 'node' ? layout : undefined, address),
    issues,
  };
}

/** Whether a root leads to a map or to blobs, as all have but the form of 2023: one that lost its map is none of those. */
function hasMapOrBlobs({ root }: Fdt): boolean {
  if (root === undefined) return false;
  if (root.property(MAP_PROPERTY) !== undefined) return true;
  for (const child of root.children()) if (child.property('fdt') !== undefined) return true;
  return false;
}

/**
 * Of the layouts of kho-v1 only the form of 2023 is without a map. It is told by that: its nodes may be very many, and
 * nothing in it is evidence for or against the others.
 */
function identifyRoot(
  bytes: Uint8Array,
  key: string,
  hasMap: boolean,
  options: IdentifyOptions,
): Identified | undefined {
  const versions = khoRoot.versions.filter((version) => {
    const isTree = version.variant === TREE;
    return options.variants?.has(key) === true || version.key !== TREE_KEY || isTree !== hasMap;
  });
  const found = identify({ ...khoRoot, versions }, bytes, options, key);
  return found && { ...found, family: khoRoot };
}

function consumerNode(node: FdtNode): ConsumerNode {
  return {
    node,
    name: node.name,
    address: nativeU64(node, 'preserved-data') ?? nativeU64(node, 'fdt'),
    declaredSize: nativeU64(node, 'blob-size'),
  };
}

function mapPointer(fdt: Fdt, layout: NodeType | undefined, base: bigint): HandoverRoot['map'] {
  const member = layout?.properties[MAP_PROPERTY];
  const type = member === undefined ? undefined : requiredType(member);
  const property = fdt.root?.property(MAP_PROPERTY);
  const address = fdt.root === undefined ? undefined : nativeU64(fdt.root, MAP_PROPERTY);
  if (type?.kind !== 'pointer' || property === undefined || address === undefined) return undefined;
  const at = base + BigInt(property.value.byteOffset - fdt.bytes.byteOffset);
  return { address, target: type.target, at };
}
