// SPDX-License-Identifier: Apache-2.0
import { quoteName } from '../bytes/printable.js';
import type { StructureBounds } from './bounds.js';
import { FDT_BAD, FdtCursor } from './cursor.js';
import type { FdtErrorCode, FdtIssue } from './error.js';
import { type NodeColumns, readNodes, rowAt, rowPath } from './node-columns.js';
import type { PropertyNames } from './property-names.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/**
 * Reads a structure block once and reports every violation of what `fdt_check_full` demands (libfdt `fdt_check.c`,
 * dtc 1.6.1), with libfdt's code, in the order of the blob.
 *
 * @param bytes - the blob
 * @param bounds - where its blocks lie, inside `bytes`
 * @param names - the blob's strings
 * @param onIssue - called for each violation
 */
export function checkStructure(
  bytes: Uint8Array,
  bounds: StructureBounds,
  names: PropertyNames,
  onIssue: (issue: FdtIssue) => void,
): void {
  const cursor = new FdtCursor(bytes, bounds, names);
  let nodes: NodeColumns | undefined;
  let rootClosed = false;
  let namesLost = false;

  const complain = (code: FdtErrorCode, message: string): void => {
    nodes ??= readNodes(bytes, bounds, names);
    const row = rowAt(nodes, cursor.offset);
    const path = row < 0 ? undefined : rowPath(bytes, bounds, nodes, row);
    onIssue({ code, offset: cursor.offset, path, message });
  };

  for (let tag = cursor.next(); ; tag = cursor.next()) {
    if (rootClosed && tag !== FDT_END && tag !== FDT_BAD) {
      rootClosed = false;
      const found = tag === FDT_BEGIN_NODE ? 'a second root node' : `token ${tag}`;
      complain('BADSTRUCTURE', `expected FDT_END after the root node, found ${found}`);
    }
    if (tag === FDT_PROP) {
      const { nameoff } = cursor;
      if (names.has(nameoff) || namesLost) continue;
      if (bounds.stringsCut && nameoff >= names.size) {
        // One cause, one issue.
        namesLost = true;
        complain(
          'BADOFFSET',
          'from here on property names are lost: the input ends before or in the strings block',
        );
      } else if (nameoff < names.size) {
        complain('TRUNCATED', `property name at ${nameoff} in the strings block has no terminating NUL`);
      } else {
        complain(
          'BADOFFSET',
          `property name offset ${nameoff} is outside the strings block of ${names.size} bytes`,
        );
      }
    } else if (tag === FDT_BEGIN_NODE) {
      const problem = cursor.depth === 1 ? rootNameProblem(cursor, bytes, bounds.version) : undefined;
      if (problem !== undefined) complain('BADSTRUCTURE', problem);
      cursor.skipSound();
    } else if (tag === FDT_END_NODE) {
      if (cursor.depth < 0) {
        cursor.depth = 0;
        complain('BADSTRUCTURE', 'FDT_END_NODE closes a node that was never opened');
      } else {
        rootClosed = cursor.depth === 0;
      }
    } else if (tag === FDT_END) {
      if (cursor.depth > 0) complain('BADSTRUCTURE', `FDT_END inside ${cursor.depth} open node(s)`);
      return;
    } else if (tag === FDT_BAD) {
      complain(cursor.problem, cursor.problemText);
      if (!cursor.resync()) return;
    }
  }
}

function rootNameProblem(cursor: FdtCursor, bytes: Uint8Array, version: number): string | undefined {
  if (version < 16) {
    const slash = bytes.subarray(cursor.nameStart, cursor.nameEnd).lastIndexOf(0x2f);
    if (slash < 0) return 'the root node of a blob before version 16 is named by a path, found no "/" in it';
  }
  const name = cursor.nodeName();
  return name === '' ? undefined : `the root node has no name, found "${quoteName(name)}"`;
}
