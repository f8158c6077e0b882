// SPDX-License-Identifier: Apache-2.0
// What a consumer's blob leads to: everything that its pointers reach, with what is wrong on the way.

import { formatHex } from '../bytes/hex.js';
import { KhoError } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';
import { openFdt } from '../fdt/fdt.js';
import { type Identified, identify, registryLookup } from '../schemas/identify.js';
import { check } from '../schemas/lang/check.js';
import { follow } from '../schemas/lang/follow.js';
import type { Lookup, Memory, Reached } from '../schemas/lang/memory.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { Layout } from '../schemas/lang/type.js';
import { families, versionsOf } from '../schemas/registry.js';
import { looksLikeFdt } from './debugfs-folder.js';
import type { HandoverIssue } from './handover-issue.js';
import type { ConsumerNode } from './handover-root.js';

/** No consumer's blob is larger; a size from a damaged root must not fill the memory. */
const LARGEST_BLOB = 64n << 20n;
/** Things that one consumer leads to, at most. */
const MAX_OBJECTS = 50_000_000;

/** A consumer's blob and all that it leads to. */
export interface Consumer {
  /** Name of its node below the root, one character a byte. */
  readonly name: string;
  /** Physical address of the blob. */
  readonly address: bigint;
  /** Size in bytes by the root, or by the blob where the root has none or too much; 0 where nothing says it. */
  readonly size: number;
  /** `undefined` where the memory does not hold it. */
  readonly bytes: Uint8Array | undefined;
  /** `undefined` where no layout is declared for it. */
  readonly identified: Identified | undefined;
  /** The blob first, then what it leads to, depth first; empty without a layout. */
  readonly reached: readonly Reached[];
  readonly issues: readonly HandoverIssue[];
}

/** How consumers are read. */
export interface ConsumerOptions {
  /** As of `identify`: which of the layouts of one string to take. */
  readonly variants?: ReadonlyMap<string, string> | undefined;
}

/** Reads one consumer. Nothing is thrown for what is wrong with it. */
export function readConsumer(node: ConsumerNode, memory: Memory, options: ConsumerOptions): Consumer {
  const { name, declaredSize } = node;
  const issues: HandoverIssue[] = [];
  const complain = (issue: Omit<HandoverIssue, 'part' | 'consumer'>): void => {
    if (issues.length < 1000) issues.push({ ...issue, part: 'consumer', consumer: name });
  };
  const path = `/${escapeText(name)}`;
  const none = { name, address: 0n, size: 0, bytes: undefined, identified: undefined, reached: [], issues };
  const { address } = node;
  // What the node lacks is told of the root.
  if (address === undefined) return none;
  const bytes = blobBytes(address, declaredSize, memory);
  if (bytes === undefined) {
    const wanted = declaredSize === undefined ? 'a blob' : `a blob of ${declaredSize} bytes`;
    const message = `expected ${wanted} at ${formatHex(address)}, found no such memory`;
    complain({ code: 'ABSENT', path, message, address });
    return { ...none, address };
  }
  const size = bytes.length;
  const blob = { ...none, address, size, bytes };
  const family = familyOf(name);
  const isTree = family?.versions.every(({ layout }) => layout.kind === 'node') ?? false;
  const unsound = isTree || looksLikeFdt(bytes) ? fdtProblem(bytes) : undefined;
  if (unsound !== undefined) {
    const at = address + BigInt(unsound.offset ?? 0);
    complain({ ...unsound, code: `FDT_ERR_${unsound.code}`, path, address: at });
    return blob;
  }
  const identified = family && identify(family, bytes, { variants: options.variants });
  if (identified === undefined) {
    const what = family === undefined ? 'a consumer that is known' : `a known version of ${family.name}`;
    const message = `expected ${what}, found something else`;
    complain({ code: family === undefined ? 'NO_LAYOUT' : 'NO_VERSION', path, address, message });
    return blob;
  }
  const { layout } = identified.version;
  if (layout.kind === 'node')
    for (const issue of check(layout, bytes, { base: address, path }).unknown)
      complain({ ...issue, code: 'UNKNOWN' });
  const length = layout.kind === 'node' ? treeSize(bytes) : Math.max(size, sizeOf(layout) ?? size);
  const reached = [
    ...follow({ layout, address, length, path }, memory, lookupOf(memory, options), {
      elements: 'bytes',
      maxObjects: MAX_OBJECTS,
      issue: complain,
    }),
  ];
  return { ...blob, identified, reached };
}

/**
 * Bytes of a blob: what the root says, and for trees no fewer than what their header says, since kernels go by that; of
 * structs that no root gives the size of, or one that memory has no room for, their first word.
 */
function blobBytes(address: bigint, declared: bigint | undefined, memory: Memory): Uint8Array | undefined {
  const header = memory(address, 8);
  if (header === undefined) return undefined;
  const own = looksLikeFdt(header) ? treeSize(header) : 8;
  const read = (size: bigint): Uint8Array | undefined =>
    size > LARGEST_BLOB ? undefined : memory(address, Number(size));
  const larger = declared === undefined || declared < BigInt(own) ? undefined : read(declared);
  return larger ?? read(BigInt(own));
}

/** What the header of an FDT says of its size. */
function treeSize(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(4);
}

const familyOf = (name: string) =>
  families.find(({ lookup }) => lookup?.group === 'kho-subtree' && lookup.name === name);

function fdtProblem(bytes: Uint8Array): Omit<HandoverIssue, 'part'> | undefined {
  try {
    openFdt(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof KhoError) return error.issue;
    throw error;
  }
}

/**
 * Layouts by name. Where kernels came to write one layout of a string, and others are of lists only, it is that one
 * without a look at the bytes, of which there may be very many; else evidence decides.
 */
function lookupOf(memory: Memory, { variants }: ConsumerOptions): Lookup {
  const general = registryLookup({ memory, variants });
  const merged = new Map<string, Layout | undefined>();
  const mergedLayout = (group: string, key: string): Layout | undefined => {
    const own = versionsOf(key).filter(
      ({ family }) => family.lookup?.group === group && family.key.by === 'name',
    );
    const released = own.filter(({ version }) => version.status === 'merged' && version.key === key);
    const [only] = released;
    return released.length === 1 && !variants?.has(key) && only?.family.lookup?.inline !== true
      ? only?.version.layout
      : undefined;
  };
  return (group, key, bytes, address) => {
    const name = `${group} ${key}`;
    if (!merged.has(name)) merged.set(name, mergedLayout(group, key));
    return merged.get(name) ?? general(group, key, bytes, address);
  };
}
