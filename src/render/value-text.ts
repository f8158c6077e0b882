// SPDX-License-Identifier: Apache-2.0
import { formatHex, hexBytes } from '../bytes/hex.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import type { NativeUnit } from '../schemas/native-properties.js';
import type { Paint } from './paint.js';
import { formatSize } from './size.js';
import type { TextSink } from './text-sink.js';
import { littleU64, valueKind } from './value-kind.js';

/** How {@link writeValue} writes. */
export interface ValueStyle {
  readonly paint: Paint;
  /** At most this many bytes of a value are shown; a note says how long it is. */
  readonly limit: number;
}

const PIECE = 4096;

/**
 * Writes a property's value for people: `0x4b6000` for a native u64, `"kho-v4"` for strings, `<0x00000001>` for
 * big-endian cells, `[de ad]` for other bytes, `(empty)` for nothing. No line breaks, no control characters.
 *
 * @param unit - what the value counts when it is a native u64
 */
export function writeValue(
  out: TextSink,
  value: Uint8Array,
  unit: NativeUnit | undefined,
  style: ValueStyle,
): void {
  const { paint, limit } = style;
  if (unit !== undefined && value.length === 8) {
    const number = littleU64(value);
    const note = unit === 'size' ? ` ${paint('note', `(${formatSize(number)})`)}` : '';
    out(`${paint('number', formatHex(number))}${note}`);
    return;
  }
  const shown = value.length > limit ? value.subarray(0, limit & ~3) : value;
  switch (valueKind(value)) {
    case 'empty':
      out(paint('note', '(empty)'));
      return;
    case 'strings':
      writeStrings(out, shown, shown.length < value.length, paint);
      break;
    case 'cells':
      writeInPieces(out, shown, paint, '<', '>', cells);
      break;
    case 'bytes':
      writeInPieces(out, shown, paint, '[', ']', (piece) => hexBytes(piece, ' '));
      break;
  }
  if (shown.length < value.length) out(` ${paint('note', `… ${formatSize(value.length)} in all`)}`);
}

function cells(piece: Uint8Array): string {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const words: string[] = [];
  for (let at = 0; at + 4 <= piece.length; at += 4)
    words.push(`0x${view.getUint32(at).toString(16).padStart(8, '0')}`);
  return words.join(' ');
}

function writeInPieces(
  out: TextSink,
  value: Uint8Array,
  paint: Paint,
  open: string,
  close: string,
  format: (piece: Uint8Array) => string,
): void {
  for (let at = 0; at < value.length; at += PIECE) {
    const last = at + PIECE >= value.length;
    const text = format(value.subarray(at, at + PIECE));
    out(paint('number', `${at === 0 ? open : ' '}${text}${last ? close : ''}`));
  }
}

function writeStrings(out: TextSink, value: Uint8Array, isCut: boolean, paint: Paint): void {
  let start = 0;
  while (start < value.length) {
    const nul = value.indexOf(0, start);
    const end = nul < 0 ? value.length : nul;
    if (start > 0) out(', ');
    for (let at = start; at < end; at += PIECE) {
      const text = decodeLatin1(value, at, Math.min(end, at + PIECE)).replace(/["\\]/g, '\\$&');
      const close = at + PIECE >= end && !(isCut && nul < 0) ? '"' : '';
      out(paint('string', `${at === start ? '"' : ''}${text}${close}`));
    }
    start = end + 1;
  }
}
