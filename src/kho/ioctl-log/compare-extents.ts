// SPDX-License-Identifier: Apache-2.0
// A replayed address space against the extents that a page-table walk found.
import type { AddressRange, LogMemory } from './log.js';
import { type MappedExtent, mappedExtents } from './mapped-extents.js';
import type { Ioas } from './objects.js';

/** One side of a difference. */
export interface ExtentSide {
  readonly address?: bigint | undefined;
  readonly read: boolean;
  readonly write: boolean;
}

/**
 * A run of IOVAs on which a log and page tables differ: `NOT_IN_TABLE`, the log maps it and the table does not;
 * `NOT_IN_LOG`, the other way; `PERMISSIONS`; `ADDRESS`, it leads to other memory.
 */
export interface ExtentDifference {
  readonly code: 'NOT_IN_TABLE' | 'NOT_IN_LOG' | 'PERMISSIONS' | 'ADDRESS';
  /** Object id of the replayed IOAS. */
  readonly ioas: number;
  readonly iova: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** At the first byte of the run. */
  readonly replayed?: ExtentSide | undefined;
  readonly table?: ExtentSide | undefined;
}

/** What to know besides the two sides. */
export interface CompareExtentsOptions {
  /** Memories of the log: with them physical addresses are compared too. */
  readonly memories?: readonly LogMemory[];
  /** IOVAs that the kernel maps by itself and no call shows: identity maps, the MSI window. */
  readonly ignore?: readonly AddressRange[];
}

/**
 * Compares what a replayed IOAS maps with what a page table maps, byte for byte; leaf sizes do not count. Runs that
 * differ in one way are one difference.
 *
 * @param extents - of the table, by ascending IOVA, without overlaps
 */
export function compareReplayWithExtents(
  ioas: Ioas,
  extents: Iterable<MappedExtent>,
  { memories = [], ignore = [] }: CompareExtentsOptions = {},
): readonly ExtentDifference[] {
  const differences: ExtentDifference[] = [];
  const ignored = ignore.toSorted((a, b) => (a.start < b.start ? -1 : 1));
  for (const { iova, length, left, right } of sideBySide(mappedExtents(ioas, memories), extents)) {
    const code = codeOf(left, right);
    if (code === undefined) continue;
    const about = { code, ioas: ioas.id, replayed: left, table: right };
    for (const piece of outside(iova, iova + length - 1n, code === 'NOT_IN_LOG' ? ignored : [])) {
      const size = piece.last - piece.start + 1n;
      const before = differences.at(-1);
      if (before?.code === code && before.iova + before.length === piece.start && isSameWay(before, about))
        differences[differences.length - 1] = { ...before, length: before.length + size };
      else differences.push({ ...about, iova: piece.start, length: size });
    }
  }
  return differences;
}

function codeOf(
  replayed: ExtentSide | undefined,
  table: ExtentSide | undefined,
): ExtentDifference['code'] | undefined {
  if (table === undefined) return replayed === undefined ? undefined : 'NOT_IN_TABLE';
  if (replayed === undefined) return 'NOT_IN_LOG';
  if (replayed.read !== table.read || replayed.write !== table.write) return 'PERMISSIONS';
  const known = replayed.address !== undefined && table.address !== undefined;
  return known && replayed.address !== table.address ? 'ADDRESS' : undefined;
}

/** Whether the permissions of both sides are those of a difference before; addresses may run on. */
function isSameWay(before: ExtentDifference, next: Pick<ExtentDifference, 'replayed' | 'table'>): boolean {
  return (
    before.replayed?.read === next.replayed?.read &&
    before.replayed?.write === next.replayed?.write &&
    before.table?.read === next.table?.read &&
    before.table?.write === next.table?.write
  );
}

/** What of a range lies in none of `ranges`. */
function outside(start: bigint, last: bigint, ranges: readonly AddressRange[]): readonly AddressRange[] {
  const found: AddressRange[] = [];
  let at = start;
  for (const range of ranges) {
    if (range.last < at || range.start > last) continue;
    if (range.start > at) found.push({ start: at, last: range.start - 1n });
    at = range.last + 1n;
  }
  if (at <= last) found.push({ start: at, last });
  return found;
}

interface Both {
  readonly iova: bigint;
  readonly length: bigint;
  readonly left: ExtentSide | undefined;
  readonly right: ExtentSide | undefined;
}

/** Cuts two lists at each other's bounds: every run with what each side says of it. */
function* sideBySide(
  lefts: Iterable<MappedExtent>,
  rights: Iterable<MappedExtent>,
): Generator<Both, void, undefined> {
  const [a, b] = [lefts[Symbol.iterator](), rights[Symbol.iterator]()];
  let left = nextOf(a);
  let right = nextOf(b);
  while (left !== undefined || right !== undefined) {
    const iova =
      left === undefined || (right !== undefined && right.iova < left.iova) ? right?.iova : left.iova;
    if (iova === undefined) return;
    const ends = [left, right].flatMap((each) => {
      if (each === undefined) return [];
      return each.iova > iova ? [each.iova] : [each.iova + each.length];
    });
    const end = ends.reduce((least, each) => (each < least ? each : least));
    yield {
      iova,
      length: end - iova,
      left: left !== undefined && left.iova === iova ? left : undefined,
      right: right !== undefined && right.iova === iova ? right : undefined,
    };
    left = rest(left, iova, end) ?? nextOf(a);
    right = rest(right, iova, end) ?? nextOf(b);
  }
}

function nextOf(iterator: Iterator<MappedExtent>): MappedExtent | undefined {
  for (let next = iterator.next(); next.done !== true; next = iterator.next())
    if (next.value.length > 0n) return next.value;
  return undefined;
}

/** What is left of an extent from `end` on; `undefined` when nothing is. */
function rest(extent: MappedExtent | undefined, iova: bigint, end: bigint): MappedExtent | undefined {
  if (extent === undefined || extent.iova > iova) return extent;
  const gone = end - extent.iova;
  if (gone >= extent.length) return undefined;
  const address = extent.address === undefined ? undefined : extent.address + gone;
  return { ...extent, iova: end, length: extent.length - gone, address };
}
