// SPDX-License-Identifier: Apache-2.0
import { formatHex, hexBytes } from '../bytes/hex.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import { escapeText } from '../bytes/printable.js';
import type { MemoryType } from '../schemas/lang/type.js';
import type { TextSink } from './text-sink.js';
import { isU64, valueKind } from './value-kind.js';

/** How {@link writeWords} reads a value. */
export type WordFormat = 'auto' | 'hex' | 'string' | 'u8' | 'u16' | 'u32' | 'u64' | 'u32le' | 'u64le';

interface WordType {
  readonly size: number;
  readonly read: (view: DataView, at: number) => number | bigint;
}

const TYPES: Readonly<Record<Exclude<WordFormat, 'auto' | 'hex' | 'string'>, WordType>> = {
  u8: { size: 1, read: (view, at) => view.getUint8(at) },
  u16: { size: 2, read: (view, at) => view.getUint16(at) },
  u32: { size: 4, read: (view, at) => view.getUint32(at) },
  u64: { size: 8, read: (view, at) => view.getBigUint64(at) },
  u32le: { size: 4, read: (view, at) => view.getUint32(at, true) },
  u64le: { size: 8, read: (view, at) => view.getBigUint64(at, true) },
};

const PIECE = 4096;

/**
 * Writes a value for scripts, a newline at the end: numbers as `0x…` with spaces between, strings one a line without
 * quotes, control characters escaped, hex digits in one run.
 *
 * @param declared - the type that the value has by the layout of its node, for `auto`
 * @returns false, and nothing is written, when the value's length does not fit `format`
 */
export function writeWords(
  out: TextSink,
  value: Uint8Array,
  format: WordFormat,
  declared: MemoryType | undefined,
): boolean {
  const chosen = format === 'auto' ? guess(value, declared) : format;
  if (chosen === 'hex') {
    for (let at = 0; at < value.length; at += PIECE) out(hexBytes(value.subarray(at, at + PIECE)));
    out('\n');
    return true;
  }
  if (chosen === 'string') {
    writeStrings(out, value);
    return true;
  }
  const { size, read } = TYPES[chosen];
  if (value.length % size !== 0) return false;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (let at = 0; at < value.length; at += size) out(`${at > 0 ? ' ' : ''}${formatHex(read(view, at))}`);
  out('\n');
  return true;
}

function guess(value: Uint8Array, declared: MemoryType | undefined): Exclude<WordFormat, 'auto'> {
  if (isU64(declared) && value.length === 8) return 'u64le';
  if (declared?.kind === 'integer' && declared.bits === 32 && value.length === 4) return 'u32le';
  if (declared?.kind === 'bytes') return 'hex';
  const kind = valueKind(value);
  return kind === 'strings' ? 'string' : kind === 'cells' ? 'u32' : 'hex';
}

function writeStrings(out: TextSink, value: Uint8Array): void {
  for (let start = 0; start < value.length; ) {
    const nul = value.indexOf(0, start);
    const end = nul < 0 ? value.length : nul;
    for (let at = start; at < end; at += PIECE)
      out(escapeText(decodeLatin1(value, at, Math.min(end, at + PIECE))));
    out('\n');
    start = end + 1;
  }
}
