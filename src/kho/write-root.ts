// SPDX-License-Identifier: Apache-2.0
// The root FDT and the map that it leads to.
import { quoteName } from '../bytes/printable.js';
import { FDT_MAGIC } from '../fdt/header.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { type EncodeOptions, encodeUnchecked } from '../schemas/lang/encode.js';
import type { Version } from '../schemas/lang/family.js';
import { BuildError } from './build-error.js';
import { mapFormOf, writeMap } from './encode-map.js';
import type { HandoverSpace } from './handover-space.js';

/** A subsystem's blob, and where it lies. */
export interface RootSubtree {
  readonly name: string;
  /** Physical address. */
  readonly address: bigint;
  /** In bytes. */
  readonly size: number;
}

/**
 * Writes the map of all that is preserved, and the root that leads to it and to the blobs.
 *
 * @param root where the root's page is, preserved already
 * @param subtrees in the order in which they stand in the root
 * @throws BuildError LIMIT for a blob that this version of the root cannot lead to, or a root of more than a page; NO_ROOM
 */
export function writeRoot(
  version: Version,
  root: bigint,
  subtrees: readonly RootSubtree[],
  space: HandoverSpace,
  writer: EncodeOptions['writer'],
): void {
  const { layout } = version;
  const form = mapFormOf(layout);
  const member = layout.kind === 'node' ? layout.each?.node.properties : undefined;
  if (form === undefined || member === undefined)
    throw new BuildError({ code: 'LIMIT', message: `${version.key} has no map of preserved memory` });
  const hasSize = member['blob-size'] !== undefined;
  const pointer = Object.keys(member).find((name) => name !== 'blob-size') ?? '';
  const nodes = subtrees.map(({ name, address, size }) => {
    if (!hasSize && !isFdt(space, address)) {
      const message = `${version.key} does not tell the size of blobs, so that this one must be an FDT`;
      throw new BuildError({ code: 'LIMIT', message, path: quoteName(name) });
    }
    return { $name: name, [pointer]: address, ...(hasSize && { 'blob-size': BigInt(size) }) };
  });
  const map = writeMap(form, space.preserved, (bytes) => space.place(bytes));
  const value = { compatible: version.key, 'preserved-memory-map': map, subtrees: nodes };
  const blob = encodeUnchecked(layout, value, writer === undefined ? {} : { writer });
  if (blob.length > PAGE_SIZE)
    throw new BuildError({
      code: 'LIMIT',
      message: `the root FDT would be ${blob.length} bytes, it has a page`,
    });
  const page = new Uint8Array(PAGE_SIZE);
  page.set(blob);
  space.memory.write(root, page);
}

function isFdt({ memory }: HandoverSpace, address: bigint): boolean {
  const bytes = memory.read(address, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) === FDT_MAGIC;
}

/** Up to Linux 6.18 the root is written in one go, from 6.19 on it is a page that subsystems add to. */
export function isBefore619(kernel: string): boolean {
  return /^6\.1[0-8](?:\.|$)/.test(kernel);
}
