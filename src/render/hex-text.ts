// SPDX-License-Identifier: Apache-2.0
import { formatHex, hexBytes } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { Fdt } from '../fdt/fdt.js';
import { fdtSegments, type Segment } from '../fdt/segments.js';
import { sizeOf } from '../schemas/lang/size.js';
import { spansOf } from '../schemas/lang/spans.js';
import type { MemoryType, NodeType } from '../schemas/lang/type.js';
import { propertyType, TreeLayouts } from '../schemas/tree-layouts.js';
import { declaredText } from './declared-text.js';
import type { Paint } from './paint.js';
import type { TextSink } from './text-sink.js';
import { isU64, littleU64 } from './value-kind.js';

const ROW = 16;
/** How each byte looks in the ASCII column. */
const ASCII: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.',
);
const HEX_WIDTH = ROW * 3 - 1;
/** Names and strings are cut to this many characters in the column of explanations. */
const MAX_TEXT = 80;
/** How the segment of a property's value is labelled, before the property's name. */
const VALUE_LABEL = 'value of ';

/**
 * Writes every byte of a blob in rows of offset, hex, ASCII and what it is, one field, token, name or value after the
 * other. Rows that repeat the row before within one field become one `*`.
 */
export function writeHex(out: TextSink, fdt: Fdt, layout: NodeType | undefined, paint: Paint): void {
  const layouts = new TreeLayouts(fdt, layout);
  const open: number[] = [];
  let rows = 0;
  for (const segment of fdtSegments(fdt)) {
    if (segment.label === 'FDT_BEGIN_NODE') open.push(rows++);
    if (segment.label === 'FDT_END_NODE') open.pop();
    const bytes = fdt.bytes.subarray(segment.offset, segment.offset + segment.length);
    const isFiller = segment.kind === 'padding' || segment.kind === 'gap';
    let explanation = explain(segment, paint);
    const row = open.at(-1);
    if (row !== undefined && bytes.length === 8 && segment.label.startsWith(VALUE_LABEL)) {
      if (isU64(propertyType(layouts.of(row).layout, segment.label.slice(VALUE_LABEL.length))))
        explanation += ` ${paint('number', `${formatHex(littleU64(bytes))} little-endian`)}`;
    }
    writeRows(out, bytes, segment.offset, paint, explanation, isFiller);
  }
}

/** Writes every byte of a packed struct in rows of offset, hex, ASCII and the field it belongs to. */
export function writeStructHex(out: TextSink, layout: MemoryType, bytes: Uint8Array, paint: Paint): void {
  const style = { paint, limit: MAX_TEXT, arrow: '→' } as const;
  for (const { offset, length, path, type, value } of spansOf(layout, bytes, { trailing: true })) {
    const isFiller = type?.kind === 'reserved';
    // What a length or name beside the field would add stands in a row of its own here.
    const text =
      type === undefined || isFiller ? '' : ` ${declaredText(type, value, () => undefined, style)}`;
    const name = paint(isFiller ? 'note' : 'property', path.replace(/^\./, '') || type?.kind || '');
    writeRows(out, bytes.subarray(offset, offset + length), offset, paint, `${name}${text}`, isFiller);
  }
  const end = sizeOf(layout) ?? bytes.length;
  if (bytes.length > end)
    writeRows(out, bytes.subarray(end), end, paint, paint('note', 'after the struct'), true);
}

/** Writes bytes that no layout explains in rows of offset, hex and ASCII, as `hexdump -C` does. */
export function writeHexdump(out: TextSink, bytes: Uint8Array, paint: Paint, indent = ''): void {
  writeRows((text) => out(`${indent}${text}`), bytes, 0, paint, '', false);
}

function writeRows(
  out: TextSink,
  bytes: Uint8Array,
  offset: number,
  paint: Paint,
  explanation: string,
  isFiller: boolean,
): void {
  let isRepeating = false;
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    if (at > 0 && at + ROW < bytes.length && isSameRow(bytes, at)) {
      if (!isRepeating) out(`${paint('note', '*')}\n`);
      isRepeating = true;
      continue;
    }
    isRepeating = false;
    let ascii = '';
    for (let index = 0; index < row.length; index++) ascii += ASCII[row[index] ?? 0] ?? '';
    const hex = hexBytes(row, ' ');
    const place = paint('guide', (offset + at).toString(16).padStart(8, '0'));
    const text = paint(isFiller ? 'note' : 'number', hex.padEnd(HEX_WIDTH));
    const letters = paint('note', `|${ascii}|`);
    const what = at === 0 && explanation !== '' ? `${' '.repeat(ROW - row.length)}  ${explanation}` : '';
    out(`${place}  ${text}  ${letters}${what}\n`);
  }
}

function isSameRow(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < ROW; index++) {
    if (bytes[at + index] !== bytes[at + index - ROW]) return false;
  }
  return true;
}

function explain(segment: Segment, paint: Paint): string {
  const { kind, value } = segment;
  // Labels hold names from the blob that are escaped already.
  const label = cut(segment.label);
  if (label.startsWith('FDT_')) {
    const path = segment.path === undefined ? '' : ` ${paint('node', cut(segment.path))}`;
    return `${paint('title', label)}${path}`;
  }
  // What belongs to a token stands under it.
  const indent = segment.path === undefined ? '' : '  ';
  const name = paint(kind === 'padding' || kind === 'gap' ? 'note' : 'property', label);
  let shown = '';
  if (typeof value === 'string') shown = paint('string', `"${escapeText(cut(value))}"`);
  else if (typeof value === 'bigint') shown = paint('number', formatHex(value));
  else if (typeof value === 'number') shown = paint('number', formatNumber(value));
  return `${indent}${name}${shown === '' ? '' : ` ${shown}`}`;
}

function formatNumber(value: number): string {
  if (value < 10) return String(value);
  return value < 0x1000000 ? `${formatHex(value)} (${value})` : formatHex(value);
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
