// SPDX-License-Identifier: Apache-2.0
import { alignToken, FDT_BEGIN_NODE, FDT_PROP, hasZeroByte } from './token.js';

/**
 * Adds `delta` to the name offset of every property between two tokens: while strings are being written the start of
 * their block moves (the last step of `fdt_finish` in `fdt_sw.c`, dtc 1.6.1).
 *
 * @param view - the buffer; trusted, since its tokens were just written
 * @param start - offset of the first token
 * @param end - offset of the token to stop at
 */
export function shiftNameOffsets(view: DataView, start: number, end: number, delta: number): void {
  let at = start;
  while (at < end) {
    const tag = view.getUint32(at);
    if (tag === FDT_PROP) {
      view.setInt32(at + 8, view.getInt32(at + 8) + delta);
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
