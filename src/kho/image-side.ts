// SPDX-License-Identifier: Apache-2.0
// A handover that lies in a memory image, as the same model that a debugfs folder gives: its root and its blobs.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { openFdt } from '../fdt/fdt.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { khoRoot } from '../schemas/abi/kho-root.js';
import {
  type DebugfsSide,
  type FolderIssue,
  looksLikeFdt,
  nativeU64,
  type SubBlob,
} from './debugfs-folder.js';
import { type LocatedFdt, locateHandovers, type SearchableMemory } from './locate.js';
import { memoryOf } from './memory-of.js';

/** Room that a blob of unknown size is read from: FDTs of kho-v1 roots fit in a page. */
const PAGE_SIZE = 4096;
/** No consumer's blob is larger; a size from a damaged root must not fill the memory. */
const LARGEST_BLOB = 64n << 20n;

/**
 * The handover in an image: the root that `setup_data` names, else the first that the search finds.
 *
 * @returns `undefined` when the image holds no KHO root
 * @throws FdtError when the root is malformed
 */
export function sideInImage(memory: SearchableMemory): DebugfsSide | undefined {
  const { fdts, setupData } = locateHandovers(memory);
  const keys = new Set(khoRoot.versions.map(({ key }) => key));
  const roots = fdts.filter(({ compatible }) => compatible.some((each) => keys.has(each)));
  const named = new Set(setupData.map(({ fdtAddress }) => fdtAddress));
  const root = roots.find(({ address }) => named.has(address)) ?? roots[0];
  return root === undefined ? undefined : readSide(memory, root);
}

function readSide(memory: PhysicalMemory, { address, size }: LocatedFdt): DebugfsSide {
  const root = memory.read(address, size);
  const issues: FolderIssue[] = [];
  const blobs: SubBlob[] = [];
  for (const node of openFdt(root).root?.children() ?? []) {
    const { name } = node;
    const at = nativeU64(node, 'preserved-data') ?? nativeU64(node, 'fdt');
    if (at === undefined) continue;
    const declaredSize = nativeU64(node, 'blob-size');
    const bytes = readBlob(memory, at, declaredSize);
    if (bytes === undefined) {
      const message = `the root names a blob at ${formatHex(at)}, which the image does not hold`;
      issues.push({ code: 'BLOB_MISSING', path: escapeText(name), address: at, message });
      continue;
    }
    blobs.push({ name, bytes, isFdt: looksLikeFdt(bytes), address: at, declaredSize });
  }
  return { direction: '', root, scratch: [], finalized: undefined, blobs, issues };
}

function readBlob(memory: PhysicalMemory, address: bigint, size: bigint | undefined): Uint8Array | undefined {
  if (size !== undefined && size > LARGEST_BLOB) return undefined;
  return memoryOf(memory)(address, size === undefined ? PAGE_SIZE : Number(size));
}
