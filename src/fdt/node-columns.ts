// SPDX-License-Identifier: Apache-2.0
import { quoteName } from '../bytes/printable.js';
import type { StructureBounds } from './bounds.js';
import { FDT_BAD, FdtCursor, readNodeName } from './cursor.js';
import type { PropertyNames } from './property-names.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE } from './token.js';

/** The nodes of a structure block as columns, one row a node in order of appearance. */
export interface NodeColumns {
  /** How many rows are in use. */
  readonly count: number;
  /** Offset of the node's FDT_BEGIN_NODE token, in bytes from the start of the blob. */
  readonly offset: Int32Array;
  /** Offset of the first byte after the node's FDT_END_NODE token. */
  readonly end: Int32Array;
  /** Row of the parent, or -1 for a root. */
  readonly parent: Int32Array;
  /** Row after the node's last descendant: its next sibling, if that row has the same parent. */
  readonly next: Int32Array;
}

/** A node takes at least this much of a structure block: FDT_BEGIN_NODE, a NUL with padding, FDT_END_NODE. */
const SMALLEST_NODE = 12;

/** Reads a structure block once for its nodes. What cannot be read is passed over; `checkStructure` reports it. */
export function readNodes(bytes: Uint8Array, bounds: StructureBounds, names: PropertyNames): NodeColumns {
  const room = Math.ceil((bounds.end - bounds.start) / SMALLEST_NODE) + 1;
  // Sized for the worst case: pages that are never written cost no memory, growing would cost a copy of each column.
  const offset = new Int32Array(room);
  const end = new Int32Array(room);
  const parent = new Int32Array(room);
  const next = new Int32Array(room);
  const cursor = new FdtCursor(bytes, bounds, names);
  let count = 0;
  let current = -1;
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BEGIN_NODE) {
      offset[count] = cursor.offset;
      parent[count] = current;
      current = count++;
    } else if (tag === FDT_END_NODE) {
      if (current < 0) continue;
      end[current] = cursor.nextOffset;
      next[current] = count;
      current = parent[current] ?? -1;
    } else if (tag === FDT_BAD && !cursor.resync()) {
      break;
    }
  }
  // What a damaged blob leaves open ends where reading ended.
  for (; current >= 0; current = parent[current] ?? -1) {
    end[current] = cursor.offset;
    next[current] = count;
  }
  return { count, offset, end, parent, next };
}

/** The name of the node in `row`. */
export function rowName(bytes: Uint8Array, bounds: StructureBounds, nodes: NodeColumns, row: number): string {
  return readNodeName(bytes, (nodes.offset[row] ?? 0) + 4, bounds.version);
}

/** The row of the innermost node that the byte at `offset` lies in, -1 outside of every node. */
export function rowAt(nodes: NodeColumns, offset: number): number {
  let low = 0;
  let high = nodes.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((nodes.offset[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  let row = low - 1;
  while (row >= 0 && (nodes.end[row] ?? 0) <= offset) row = nodes.parent[row] ?? -1;
  return row;
}

/** Paths spell out this many components: deeper ones help nobody, and a hostile blob could make each megabytes long. */
const MAX_PATH_DEPTH = 64;

/** The path of a child called `name` of the node at `parent`, which has `depth` components; control characters escaped, long names cut. */
export function childPath(parent: string, name: string, depth: number): string {
  if (depth > MAX_PATH_DEPTH) return parent.endsWith('/…') ? parent : `${parent}/…`;
  return `${parent === '/' ? '' : parent}/${quoteName(name)}`;
}

/** The path of the node in `row`, `/` for a root; control characters in names are escaped, long names cut. */
export function rowPath(bytes: Uint8Array, bounds: StructureBounds, nodes: NodeColumns, row: number): string {
  const rows: number[] = [];
  for (let at = row; at >= 0 && (nodes.parent[at] ?? -1) >= 0; at = nodes.parent[at] ?? -1) rows.push(at);
  return rows
    .reverse()
    .slice(0, MAX_PATH_DEPTH + 1)
    .map((at, index) => (index < MAX_PATH_DEPTH ? rowName(bytes, bounds, nodes, at) : ''))
    .reduce((path, name, index) => childPath(path, name, index + 1), '/');
}
