// SPDX-License-Identifier: Apache-2.0
import { alignToken, FDT_BEGIN_NODE, FDT_END, FDT_PROP } from './token.js';

/**
 * Replaces the name offsets of a finished structure block, counted from the end of the strings and thus negative, by
 * offsets from their start: the last step of sequential writing (`fdt_finish` in `fdt_sw.c`, dtc 1.6.1).
 *
 * @param view - the buffer; trusted, since the block was just written
 * @param start - offset of the structure block, whose last token is FDT_END
 * @param stringsSize - size of the strings in bytes
 */
export function settleNameOffsets(view: DataView, start: number, stringsSize: number): void {
  let at = start;
  for (let tag = view.getUint32(at); tag !== FDT_END; tag = view.getUint32(at)) {
    if (tag === FDT_PROP) {
      view.setInt32(at + 8, view.getInt32(at + 8) + stringsSize);
      at += 12 + alignToken(view.getUint32(at + 4));
    } else {
      at += 4;
      if (tag === FDT_BEGIN_NODE) {
        while (!hasZeroByte(view.getUint32(at))) at += 4;
        at += 4;
      }
    }
  }
}

/** Whether one of the four bytes of `word` is 0. */
function hasZeroByte(word: number): boolean {
  return ((word - 0x01010101) & ~word & 0x80808080) !== 0;
}
