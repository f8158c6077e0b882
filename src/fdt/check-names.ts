// SPDX-License-Identifier: Apache-2.0
import type { StructureBounds } from './bounds.js';
import { FDT_BAD, FdtCursor } from './cursor.js';
import type { FdtIssue } from './error.js';
import type { PropertyNames } from './property-names.js';
import { FDT_END, FDT_PROP } from './token.js';

/** The names of all properties together may be this many times as long as the blob, and this many bytes. */
const MOST_TIMES = 16;
const MOST_BYTES = 1 << 20;

/**
 * Refuses a blob in which many properties share (tails of) one huge name, so that reading every name once would take
 * time and memory that grow with the square of the blob. No writer makes such a blob; libfdt would accept it.
 *
 * @param bytes - the blob
 * @param bounds - where its blocks lie, inside `bytes`
 * @param names - the blob's strings; told to cut names when there is too much of them
 * @param onIssue - called with a BADLAYOUT issue
 */
export function checkNames(
  bytes: Uint8Array,
  bounds: StructureBounds,
  names: PropertyNames,
  onIssue: (issue: FdtIssue) => void,
): void {
  const ends = names.longTable();
  if (ends === undefined) return;
  const most = MOST_BYTES + MOST_TIMES * bytes.length;
  const cursor = new FdtCursor(bytes, bounds, names);
  let total = 0;
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BAD && !cursor.resync()) return;
    if (tag !== FDT_PROP || !names.has(cursor.nameoff)) continue;
    total += firstNotBelow(ends, cursor.nameoff) - cursor.nameoff;
    if (total <= most) continue;
    names.cutNames();
    const message = `the names of the properties up to here add up to more than ${most} bytes, in a blob of ${bytes.length}`;
    onIssue({ code: 'BADLAYOUT', offset: cursor.offset, message });
    return;
  }
}

/** The first of the ascending `values` that is not below `bound`. */
function firstNotBelow(values: Int32Array, bound: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return values[low] ?? bound;
}
