// SPDX-License-Identifier: Apache-2.0
import { FDT_BAD } from './cursor.js';
import type { Fdt } from './fdt.js';
import {
  alignToken,
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_PROP,
  firstZeroByte,
  hasZeroByte,
} from './token.js';

/** What {@link visitFdt} calls, in the order of the blob. All offsets are bytes from the start of the blob. */
export interface FdtVisitor {
  /** A node begins; its stored name (before version 16 a path) lies in `[nameStart, nameEnd)`. */
  beginNode(nameStart: number, nameEnd: number): void;
  /** A property; `fdt.propertyName(nameoff)` is its name. */
  property(nameoff: number, valueStart: number, valueLength: number): void;
  /** The node that began last ends. */
  endNode(): void;
}

/**
 * Shows a whole tree to a visitor: the fastest way through a large blob, twice as fast as a cursor, since what the loop
 * knows stays in registers. Of a damaged blob (opened in tolerant mode) what can be read is shown.
 */
export function visitFdt(fdt: Fdt, visitor: FdtVisitor): void {
  if (fdt.issues.length > 0 || fdt.bounds.version < 16) visitWithCursor(fdt, visitor);
  else visitSound(fdt, visitor);
}

/** SAFETY: the structure block has been checked by `openFdt`, so lengths and names end inside it and FDT_END comes. */
function visitSound(fdt: Fdt, visitor: FdtVisitor): void {
  const { bytes } = fdt;
  const { start } = fdt.bounds;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  while (true) {
    const tag = view.getInt32(at);
    if (tag === FDT_PROP) {
      const length = view.getInt32(at + 4);
      visitor.property(view.getInt32(at + 8), at + 12, length);
      at = start + alignToken(at + 12 + length - start);
    } else if (tag === FDT_BEGIN_NODE) {
      const nameStart = at + 4;
      at = nameStart;
      // A name is followed by a token, so a whole word can be read wherever a byte of it lies.
      let word = view.getInt32(at, true);
      while (!hasZeroByte(word)) {
        at += 4;
        word = view.getInt32(at, true);
      }
      visitor.beginNode(nameStart, at + firstZeroByte(word));
      at += 4;
    } else if (tag === FDT_END) {
      return;
    } else {
      if (tag === FDT_END_NODE) visitor.endNode();
      at += 4;
    }
  }
}

function visitWithCursor(fdt: Fdt, visitor: FdtVisitor): void {
  const cursor = fdt.cursor();
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_PROP) visitor.property(cursor.nameoff, cursor.valueStart, cursor.valueLength);
    else if (tag === FDT_BEGIN_NODE) visitor.beginNode(cursor.nameStart, cursor.nameEnd);
    else if (tag === FDT_END_NODE) visitor.endNode();
    else if (tag === FDT_BAD && !cursor.resync()) return;
  }
}
