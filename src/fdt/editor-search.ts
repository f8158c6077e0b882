// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { FDT_BAD, FdtCursor } from './cursor.js';
import type { EditorBuffer } from './editor-buffer.js';
import { FdtError, type FdtErrorCode } from './error.js';
import { isNameAt, startsWithName } from './name.js';
import { PropertyNames } from './property-names.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from './token.js';

// Nodes are named by offset from the start of the structure block, and what is wrong on the way is told with the code
// that libfdt gives (fdt_next_tag, fdt_next_node, fdt_subnode_offset, fdt_get_property; dtc 1.6.1).

const AT_SIGN = 0x40;

/**
 * A cursor that has read the FDT_BEGIN_NODE of `node`.
 *
 * @throws FdtError BADOFFSET when there is none
 */
export function enterNode(buffer: EditorBuffer, node: number): FdtCursor {
  const { off_dt_struct: start, size_dt_struct: size, version } = buffer.header;
  const { off_dt_strings: strings, size_dt_strings: stringsSize } = buffer.header;
  if (!Number.isInteger(node) || node < 0 || node % 4 !== 0) {
    throw failure('BADOFFSET', undefined, `expected the offset of a node, a multiple of 4, found ${node}`);
  }
  const bounds = {
    start,
    end: start + size,
    strings,
    stringsEnd: strings + stringsSize,
    stringsCut: false,
    version,
  };
  const cursor = new FdtCursor(buffer.bytes, bounds, new PropertyNames(buffer.bytes, bounds), start + node);
  if (cursor.next() !== FDT_BEGIN_NODE) {
    throw failure('BADOFFSET', start + node, `there is no node at ${formatHex(node)} in the structure block`);
  }
  return cursor;
}

/**
 * Offset, from the start of the structure block, of the first byte after `node`.
 *
 * @throws FdtError NOTFOUND when it has no end; BADOFFSET, BADSTRUCTURE, TRUNCATED
 */
export function findNodeEnd(buffer: EditorBuffer, node: number): number {
  const cursor = enterNode(buffer, node);
  while (true) {
    const tag = cursor.next();
    if (tag === FDT_END_NODE && cursor.depth === 0) return cursor.nextOffset - buffer.header.off_dt_struct;
    if (tag === FDT_END) throw failure('NOTFOUND', cursor.offset, 'the node has no end');
    if (tag === FDT_BAD) throw failure(cursor.problem, cursor.offset, cursor.problemText);
  }
}

/**
 * The first child of `parent` called `name`, or, for a `name` without a unit address, the first called `name@…`.
 *
 * @throws FdtError BADOFFSET, BADSTRUCTURE, TRUNCATED
 */
export function findSubnode(buffer: EditorBuffer, parent: number, name: string): number | undefined {
  const { bytes } = buffer;
  const unitless = !name.includes('@');
  const cursor = enterNode(buffer, parent);
  while (true) {
    const tag = cursor.next();
    if (tag === FDT_BEGIN_NODE && cursor.depth === 2 && startsWithName(bytes, cursor.nameStart, name)) {
      const after = bytes[cursor.nameStart + name.length];
      if (after === 0 || (unitless && after === AT_SIGN)) return cursor.offset - buffer.header.off_dt_struct;
    }
    if (tag === FDT_END || (tag === FDT_END_NODE && cursor.depth === 0)) return undefined;
    if (tag === FDT_BAD) throw failure(cursor.problem, cursor.offset, cursor.problemText);
  }
}

/**
 * A cursor at the property of `node` called `name`, if there is one before its first child; an error when the blob is
 * damaged before one is found (returned, since not every caller minds).
 *
 * @throws FdtError BADOFFSET
 */
export function findProperty(
  buffer: EditorBuffer,
  node: number,
  name: string,
): FdtCursor | FdtError | undefined {
  const { off_dt_strings: strings, size_dt_strings: size } = buffer.header;
  const cursor = enterNode(buffer, node);
  while (true) {
    const tag = cursor.next();
    if (tag === FDT_PROP) {
      if (isNameAt(buffer.bytes, strings + cursor.nameoff, strings + size, name)) return cursor;
    } else if (tag === FDT_BAD) {
      return failure(cursor.problem, cursor.offset, cursor.problemText);
    } else if (tag === FDT_END) {
      return failure('BADSTRUCTURE', cursor.offset, 'the structure block ends inside a node');
    } else if (tag !== FDT_NOP) {
      return undefined;
    }
  }
}

function failure(code: FdtErrorCode, offset: number | undefined, message: string): FdtError {
  return new FdtError({ code, offset, message });
}
