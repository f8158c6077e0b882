// SPDX-License-Identifier: Apache-2.0
import { hexBytes } from '../bytes/hex.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import type { FdtProperty } from '../fdt/fdt.js';
import { checkValue } from '../schemas/lang/check.js';
import { decodeMemory } from '../schemas/lang/decode-memory.js';
import { SchemaError, type SchemaIssue } from '../schemas/lang/error.js';
import { inputOf } from '../schemas/lang/input.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { MemoryType } from '../schemas/lang/type.js';
import { type Beside, type DeclaredStyle, declaredText } from './declared-text.js';
import type { Paint } from './paint.js';
import { formatSize } from './size.js';
import type { TextSink } from './text-sink.js';
import { valueKind } from './value-kind.js';

const PIECE = 4096;

/** Elements of an array in a property that are decoded unless all are shown. */
const MAX_ELEMENTS = 64;

/**
 * Writes a property's value for people, as its declared type says; without one, or where the bytes do not fit it, as
 * what it looks like: `"kho-v4"` for strings, `<0x00000001>` for big-endian cells, `[de ad]` for other bytes, `(empty)`
 * for nothing. No line breaks, no control characters.
 *
 * @param declared - the type that the layout of the node gives the property
 */
export function writeValue(
  out: TextSink,
  property: FdtProperty,
  declared: MemoryType | undefined,
  style: DeclaredStyle,
): void {
  const { paint } = style;
  // Strings and bytes look as they do without a layout.
  if (declared === undefined || declared.kind === 'bytes') {
    writeRaw(out, property.value, style);
    return;
  }
  const { value, text, issues } = decodeProperty(property, declared, style);
  if (text === undefined) writeRaw(out, value, style);
  else out(text);
  for (const { expected, found } of issues)
    out(` ${paint('error', `(expected ${expected}, found ${found})`)}`);
}

/** A property's value by its type: its text, `undefined` to show it raw; and what rules it breaks. */
function decodeProperty(
  property: FdtProperty,
  type: MemoryType,
  style: DeclaredStyle,
): {
  readonly value: Uint8Array;
  readonly text: string | undefined;
  readonly issues: readonly SchemaIssue[];
} {
  const { value } = property;
  const issues: SchemaIssue[] = [];
  const stride = type.kind === 'array' && type.count === 'rest' ? (sizeOf(type.of) ?? 0) : 0;
  const isLong = stride > 0 && value.length > stride * MAX_ELEMENTS && Number.isFinite(style.limit);
  const part = isLong && value.length % stride === 0 ? value.subarray(0, stride * MAX_ELEMENTS) : value;
  const place = { offset: property.valueOffset, path: '' };
  try {
    const decoded = decodeMemory(type, inputOf(part), place);
    checkValue(type, decoded, place, part.length, (issue) => {
      if (issues.length < 1) issues.push(issue);
    });
    if (type.kind === 'text') return { value, text: undefined, issues };
    const rest =
      part.length < value.length ? ` ${style.paint('note', `${value.length / stride} in all`)}` : '';
    return { value, text: `${declaredText(type, decoded, besideProperty(property), style)}${rest}`, issues };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { value, text: undefined, issues: [error.issue] };
  }
}

/** The other properties of a property's node, as the u64 that lengths and counts are, and the node's name. */
function besideProperty({ node }: FdtProperty): Beside {
  return (name) => {
    if (name === '$name') return node.name;
    const found = node.property(name)?.value;
    if (found?.length !== 8) return undefined;
    return new DataView(found.buffer, found.byteOffset, 8).getBigUint64(0, true);
  };
}

/** Writes bytes as what they look like, see {@link writeValue}. */
function writeRaw(out: TextSink, value: Uint8Array, { paint, limit }: DeclaredStyle): void {
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
