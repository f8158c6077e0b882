// SPDX-License-Identifier: Apache-2.0
import { hexBytes } from '../bytes/hex.js';
import { type Issue, KhoError } from '../bytes/issue.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import { escapeText } from '../bytes/printable.js';
import { type Fdt, type FdtNode, openFdt } from '../fdt/fdt.js';
import { FDT_MAGIC } from '../fdt/header.js';

/** What can be wrong with a debugfs folder as a whole; a broken FDT in it throws FdtError. */
export type FolderErrorCode =
  | 'NOT_KHO_FOLDER'
  | 'BAD_TEXT'
  | 'SCRATCH_MISMATCH'
  | 'BLOB_MISSING'
  | 'BLOB_SHORT';

/** One thing wrong with a debugfs folder. */
export type FolderIssue = Issue<FolderErrorCode>;

/** Thrown for a folder that is not one of KHO, and for one of its text files that is not as the kernel writes it. */
export class FolderError extends KhoError<FolderErrorCode> {}

/** A region that the next kernel may use before it has read the handover: `size` bytes from physical `address` on. */
export interface ScratchRegion {
  readonly address: bigint;
  readonly size: bigint;
}

/** One consumer's blob: a file of `sub_fdts`, and what the root FDT says of it. */
export interface SubBlob {
  /** File name, which is the name of the root FDT's child; one character a byte. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** True when the bytes begin as an FDT does; other blobs are packed structs. */
  readonly isFdt: boolean;
  /** Physical address by the root FDT (`preserved-data`, in kho-v1 `fdt`). */
  readonly address: bigint | undefined;
  /** Size in bytes by the root FDT (`blob-size`, since kho-v3). */
  readonly declaredSize: bigint | undefined;
}

/** One direction of a handover as `/sys/kernel/debug/kho/{in,out}` shows it. */
export interface DebugfsSide {
  /** '' when the folder given is itself a direction. */
  readonly direction: '' | 'in' | 'out';
  /** The bytes of `fdt`, which may go on after the tree's totalsize. */
  readonly root: Uint8Array;
  readonly scratch: readonly ScratchRegion[];
  /** Contents of `finalize` (kernels 6.16 to 7.0), undefined without that file. */
  readonly finalized: boolean | undefined;
  /** In the order of the root FDT's children, then those it does not name, by name. */
  readonly blobs: readonly SubBlob[];
  /** Where the folder contradicts itself. */
  readonly issues: readonly FolderIssue[];
}

const DIRECTIONS = ['', 'out', 'in'] as const;
const SUB_FOLDER = 'sub_fdts/';
const FILES = new Set(['fdt', 'scratch_phys', 'scratch_len', 'finalize']);

/** True for the names, relative to the folder, of files that {@link openDebugfsFolder} wants. */
export function isDebugfsFile(name: string): boolean {
  return DIRECTIONS.some((direction) => {
    const prefix = prefixOf(direction);
    if (!name.startsWith(prefix)) return false;
    const rest = name.slice(prefix.length);
    return FILES.has(rest) || (rest.startsWith(SUB_FOLDER) && !rest.slice(SUB_FOLDER.length).includes('/'));
  });
}

/**
 * Makes sense of the files of `/sys/kernel/debug/kho` or of its `in` or `out` (kernel 6.16 to 7.3, kho-core.md 9).
 *
 * @param files - contents by name relative to the folder, `/` between parts; other names are ignored
 * @param options - tolerant: a root FDT that cannot be read strictly is read as far as it goes
 * @returns each direction that has an `fdt`: itself, or `out` before `in`
 * @throws FolderError NOT_KHO_FOLDER when there is no `fdt`, BAD_TEXT for a malformed text file
 * @throws FdtError when a root FDT is malformed, unless tolerant
 */
export function openDebugfsFolder(
  files: ReadonlyMap<string, Uint8Array>,
  options: { readonly tolerant?: boolean } = {},
): DebugfsSide[] {
  const sides: DebugfsSide[] = [];
  for (const direction of DIRECTIONS) {
    const prefix = prefixOf(direction);
    const root = files.get(`${prefix}fdt`);
    if (root === undefined) continue;
    sides.push(readSide(files, direction, root, options.tolerant ?? false));
    if (direction === '') break;
  }
  if (sides.length === 0) {
    const message =
      'expected a file "fdt", as in /sys/kernel/debug/kho/out; found none here nor in "out" or "in"';
    throw new FolderError({ code: 'NOT_KHO_FOLDER', message });
  }
  return sides;
}

function prefixOf(direction: string): string {
  return direction === '' ? '' : `${direction}/`;
}

function readSide(
  files: ReadonlyMap<string, Uint8Array>,
  direction: DebugfsSide['direction'],
  root: Uint8Array,
  tolerant: boolean,
): DebugfsSide {
  const prefix = prefixOf(direction);
  const issues: FolderIssue[] = [];
  const addresses = readNumbers(files, `${prefix}scratch_phys`);
  const sizes = readNumbers(files, `${prefix}scratch_len`);
  if (addresses.length !== sizes.length) {
    const message = `${addresses.length} addresses in scratch_phys, ${sizes.length} sizes in scratch_len`;
    issues.push({ code: 'SCRATCH_MISMATCH', path: `${prefix}scratch_len`, message });
  }
  const scratch = addresses.slice(0, sizes.length).map((address, index) => ({
    address,
    size: sizes[index] ?? 0n,
  }));
  const finalize = files.get(`${prefix}finalize`);
  return {
    direction,
    root,
    scratch,
    finalized: finalize === undefined ? undefined : decodeLatin1(finalize).trim() !== '0',
    blobs: readBlobs(files, `${prefix}${SUB_FOLDER}`, openFdt(root, { tolerant }), issues),
    issues,
  };
}

/** Text of one `0x…` number a line, which is how the kernel prints scratch_phys and scratch_len. */
function readNumbers(files: ReadonlyMap<string, Uint8Array>, name: string): bigint[] {
  const bytes = files.get(name);
  if (bytes === undefined) return [];
  const words = decodeLatin1(bytes)
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.map((word) => {
    if (/^0x[0-9a-f]{1,16}$/i.test(word)) return BigInt(word);
    const found = escapeText(word.slice(0, 40));
    throw new FolderError({
      code: 'BAD_TEXT',
      path: name,
      message: `expected 0x and hex digits, found "${found}"`,
    });
  });
}

function readBlobs(
  files: ReadonlyMap<string, Uint8Array>,
  prefix: string,
  fdt: Fdt,
  issues: FolderIssue[],
): SubBlob[] {
  const contents = new Map<string, Uint8Array>();
  for (const [name, bytes] of files) {
    if (name.startsWith(prefix)) contents.set(name.slice(prefix.length), bytes);
  }
  const blobs: SubBlob[] = [];
  for (const node of fdt.root?.children() ?? []) {
    const { name } = node;
    const bytes = contents.get(name);
    if (bytes === undefined) {
      const message = 'the root FDT names this blob, the folder has no such file';
      issues.push({ code: 'BLOB_MISSING', path: `${prefix}${escapeText(name)}`, message });
      continue;
    }
    contents.delete(name);
    const declaredSize = nativeU64(node, 'blob-size');
    if (declaredSize !== undefined && declaredSize > BigInt(bytes.length)) {
      const message = `blob-size is ${declaredSize} bytes, the file has ${bytes.length}`;
      issues.push({ code: 'BLOB_SHORT', path: `${prefix}${escapeText(name)}`, message });
    }
    const address = nativeU64(node, 'preserved-data') ?? nativeU64(node, 'fdt');
    blobs.push({ name, bytes, isFdt: looksLikeFdt(bytes), address, declaredSize });
  }
  for (const name of [...contents.keys()].sort()) {
    const bytes = contents.get(name) ?? new Uint8Array();
    blobs.push({ name, bytes, isFdt: looksLikeFdt(bytes), address: undefined, declaredSize: undefined });
  }
  return blobs;
}

/** A property that is one u64 in the CPU's own byte order; `undefined` when it is missing or of another size. */
export function nativeU64(node: FdtNode, name: string): bigint | undefined {
  const value = node.property(name)?.value;
  if (value === undefined || value.length !== 8) return undefined;
  return new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0, true);
}

/** True when `bytes` begin as an FDT does. */
export function looksLikeFdt(bytes: Uint8Array): boolean {
  return hexBytes(bytes.subarray(0, 4)) === FDT_MAGIC.toString(16);
}
