// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import { FDT_BAD, FdtCursor, type StructureBounds } from './cursor.js';
import type { FdtErrorCode, FdtIssue } from './error.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

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

/** Growing columns; a node takes at least 12 bytes of blob, so they are bounded by it. */
class NodeTable implements NodeColumns {
  count = 0;
  offset: Int32Array<ArrayBuffer> = new Int32Array(64);
  end: Int32Array<ArrayBuffer> = new Int32Array(64);
  parent: Int32Array<ArrayBuffer> = new Int32Array(64);
  next: Int32Array<ArrayBuffer> = new Int32Array(64);

  open(offset: number, parent: number): number {
    const row = this.count;
    if (row === this.offset.length) this.#grow();
    this.offset[row] = offset;
    this.parent[row] = parent;
    this.count = row + 1;
    return row;
  }

  close(row: number, end: number): void {
    this.end[row] = end;
    this.next[row] = this.count;
  }

  #grow(): void {
    const grown = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.offset = grown(this.offset);
    this.end = grown(this.end);
    this.parent = grown(this.parent);
    this.next = grown(this.next);
  }
}

/** Paths spell out this many components: deeper ones help nobody, and a hostile blob could make each megabytes long. */
const MAX_PATH_DEPTH = 64;

/** The path of a child called `name` of the node at `parent`, which has `depth` components; control characters escaped. */
export function childPath(parent: string, name: string, depth: number): string {
  if (depth > MAX_PATH_DEPTH) return parent.endsWith('/…') ? parent : `${parent}/…`;
  return `${parent === '/' ? '' : parent}/${escapeText(name)}`;
}

/** The path of the node in `row`, `/` for a root; control characters in names are escaped. */
export function nodePath(nodes: NodeColumns, row: number, nameOf: (row: number) => string): string {
  const rows: number[] = [];
  for (let at = row; at >= 0 && (nodes.parent[at] ?? -1) >= 0; at = nodes.parent[at] ?? -1) rows.push(at);
  rows.reverse();
  return rows
    .slice(0, MAX_PATH_DEPTH + 1)
    .reduce((path, at, index) => childPath(path, index < MAX_PATH_DEPTH ? nameOf(at) : '', index + 1), '/');
}

/**
 * Reads a structure block once: fills the node columns and reports every violation of what `fdt_check_full` demands
 * (libfdt `fdt_check.c`, dtc 1.6.1), with libfdt's code, in the order of the blob.
 *
 * @param bytes - the blob
 * @param bounds - where its blocks lie, inside `bytes`
 * @param names - cache of property names
 * @param onIssue - called for each violation; returns false to stop reading
 */
export function scanStructure(
  bytes: Uint8Array,
  bounds: StructureBounds,
  names: Map<number, string>,
  onIssue: (issue: FdtIssue) => boolean,
): NodeColumns {
  const nodes = new NodeTable();
  const cursor = new FdtCursor(bytes, bounds, names);
  // A string is terminated if and only if it starts no later than the last NUL of the block.
  const stringsSize = bounds.stringsEnd - bounds.strings;
  const lastNul = bounds.stringsEnd > 0 ? bytes.lastIndexOf(0, bounds.stringsEnd - 1) - bounds.strings : -1;
  let current = -1;
  let rootClosed = false;

  const complain = (code: FdtErrorCode, message: string): boolean => {
    const path =
      current < 0 ? undefined : nodePath(nodes, current, (row) => rowName(bytes, bounds, nodes, row));
    return onIssue({ code, offset: cursor.offset, path, message });
  };

  reading: while (true) {
    const tag = cursor.next();
    if (rootClosed && tag !== FDT_END && tag !== FDT_BAD) {
      rootClosed = false;
      const found = tag === FDT_BEGIN_NODE ? 'a second root node' : `token ${tag}`;
      if (!complain('BADSTRUCTURE', `expected FDT_END after the root node, found ${found}`)) break;
    }
    switch (tag) {
      case FDT_PROP: {
        const nameoff = cursor.nameoff;
        if (nameoff <= lastNul) break;
        const message =
          nameoff >= stringsSize
            ? `property name offset ${nameoff} is outside the strings block of ${stringsSize} bytes`
            : `property name at ${nameoff} in the strings block has no terminating NUL`;
        if (!complain(nameoff >= stringsSize ? 'BADOFFSET' : 'TRUNCATED', message)) break reading;
        break;
      }
      case FDT_BEGIN_NODE: {
        current = nodes.open(cursor.offset, current);
        if ((nodes.parent[current] ?? -1) < 0) {
          const problem = rootNameProblem(cursor, bytes, bounds.version);
          if (problem !== undefined && !complain('BADSTRUCTURE', problem)) break reading;
        }
        break;
      }
      case FDT_END_NODE:
        if (current < 0) {
          if (!complain('BADSTRUCTURE', 'FDT_END_NODE closes a node that was never opened')) break reading;
          break;
        }
        nodes.close(current, cursor.nextOffset);
        current = nodes.parent[current] ?? -1;
        rootClosed = current < 0;
        break;
      case FDT_END:
        if (current >= 0) complain('BADSTRUCTURE', `FDT_END inside ${cursor.depth} open node(s)`);
        break reading;
      case FDT_BAD:
        if (!complain(cursor.problem, cursor.problemText) || !cursor.resync()) break reading;
        break;
    }
  }
  // What a damaged blob leaves open ends where reading ended.
  for (; current >= 0; current = nodes.parent[current] ?? -1) nodes.close(current, cursor.offset);
  return nodes;
}

/** The name of the node in `row`. */
export function rowName(bytes: Uint8Array, bounds: StructureBounds, nodes: NodeColumns, row: number): string {
  const cursor = new FdtCursor(bytes, bounds, new Map(), nodes.offset[row] ?? 0);
  cursor.next();
  return cursor.nodeName();
}

function rootNameProblem(cursor: FdtCursor, bytes: Uint8Array, version: number): string | undefined {
  if (version < 16) {
    const slash = bytes.subarray(cursor.nameStart, cursor.nameEnd).lastIndexOf(0x2f);
    if (slash < 0) return 'the root node of a blob before version 16 is named by a path, found no "/" in it';
  }
  const name = cursor.nodeName();
  return name === '' ? undefined : `the root node has no name, found "${escapeText(name)}"`;
}
