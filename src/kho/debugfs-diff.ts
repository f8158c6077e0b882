// SPDX-License-Identifier: Apache-2.0
import { diffFdt, type FdtChange } from '../fdt/diff.js';
import { openFdt } from '../fdt/fdt.js';
import type { DebugfsSide, ScratchRegion, SubBlob } from './debugfs-folder.js';

/** One difference between two debugfs folders that is not a difference between two trees. */
export type FolderOnlyChange =
  | { readonly kind: 'side-added' | 'side-removed' }
  | { readonly kind: 'scratch-added' | 'scratch-removed'; readonly region: ScratchRegion }
  | { readonly kind: 'scratch-moved'; readonly before: number; readonly after: number }
  | { readonly kind: 'finalized'; readonly before: boolean | undefined; readonly after: boolean | undefined }
  | { readonly kind: 'blob-added' | 'blob-removed'; readonly length: number }
  | {
      readonly kind: 'blob-changed';
      readonly lengthBefore: number;
      readonly lengthAfter: number;
      /** First byte that differs, or the shorter length. */
      readonly firstDifference: number;
    };

/** A difference and the file it is in, relative to the folders. */
export interface FolderChange {
  readonly where: string;
  readonly change: FdtChange | FolderOnlyChange;
}

/**
 * Compares two debugfs folders: scratch regions, the root FDTs and the blobs of each name, FDTs by what they mean and
 * packed structs by their bytes.
 *
 * @throws FdtError for a malformed FDT
 */
export function* diffSides(
  a: readonly DebugfsSide[],
  b: readonly DebugfsSide[],
): Generator<FolderChange, void> {
  for (const direction of ['', 'out', 'in'] as const) {
    const before = a.find((side) => side.direction === direction);
    const after = b.find((side) => side.direction === direction);
    if (before !== undefined && after !== undefined) {
      yield* diffSide(before, after, direction === '' ? '' : `${direction}/`);
    } else if (before !== undefined || after !== undefined) {
      const kind = before === undefined ? 'side-added' : 'side-removed';
      yield { where: direction === '' ? '.' : direction, change: { kind } };
    }
  }
}

function* diffSide(a: DebugfsSide, b: DebugfsSide, prefix: string): Generator<FolderChange, void> {
  for (const change of diffFdt(openFdt(a.root), openFdt(b.root))) yield { where: `${prefix}fdt`, change };
  if (a.finalized !== b.finalized) {
    const change = { kind: 'finalized', before: a.finalized, after: b.finalized } as const;
    yield { where: `${prefix}finalize`, change };
  }
  yield* diffScratch(a.scratch, b.scratch, `${prefix}scratch`);

  const inB = new Map(b.blobs.map((blob) => [blob.name, blob]));
  const inA = new Set(a.blobs.map((blob) => blob.name));
  for (const blob of a.blobs) {
    const where = `${prefix}sub_fdts/${blob.name}`;
    const partner = inB.get(blob.name);
    if (partner === undefined) yield { where, change: { kind: 'blob-removed', length: blob.bytes.length } };
    else yield* diffBlob(blob, partner, where);
  }
  for (const blob of b.blobs) {
    if (inA.has(blob.name)) continue;
    const where = `${prefix}sub_fdts/${blob.name}`;
    yield { where, change: { kind: 'blob-added', length: blob.bytes.length } };
  }
}

function* diffScratch(
  a: readonly ScratchRegion[],
  b: readonly ScratchRegion[],
  where: string,
): Generator<FolderChange, void> {
  const key = ({ address, size }: ScratchRegion): string => `${address}+${size}`;
  const places = new Map(a.map((region, index) => [key(region), index]));
  const kept = new Set(b.map(key));
  for (const region of a)
    if (!kept.has(key(region))) yield { where, change: { kind: 'scratch-removed', region } };
  for (const [after, region] of b.entries()) {
    const before = places.get(key(region));
    if (before === undefined) yield { where, change: { kind: 'scratch-added', region } };
    else if (a.length === b.length && before !== after && kept.size === places.size)
      yield { where, change: { kind: 'scratch-moved', before, after } };
  }
}

function* diffBlob(a: SubBlob, b: SubBlob, where: string): Generator<FolderChange, void> {
  if (a.isFdt && b.isFdt) {
    for (const change of diffFdt(openFdt(a.bytes), openFdt(b.bytes))) yield { where, change };
    return;
  }
  const shorter = Math.min(a.bytes.length, b.bytes.length);
  let at = 0;
  while (at < shorter && a.bytes[at] === b.bytes[at]) at++;
  if (at === shorter && a.bytes.length === b.bytes.length) return;
  const change = {
    kind: 'blob-changed',
    lengthBefore: a.bytes.length,
    lengthAfter: b.bytes.length,
    firstDifference: at,
  } as const;
  yield { where, change };
}
