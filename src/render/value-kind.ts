// SPDX-License-Identifier: Apache-2.0
import type { MemoryType } from '../schemas/lang/type.js';

/** What the bytes of a property look like; an FDT does not say. */
export type ValueKind = 'empty' | 'strings' | 'cells' | 'bytes';

/**
 * Guesses what a value is, by the rule that fdtget and fdtdump use: strings when all characters are printable ASCII and
 * each string is non-empty and ends in NUL; else u32 cells when the length is a multiple of 4.
 */
export function valueKind(value: Uint8Array): ValueKind {
  if (value.length === 0) return 'empty';
  if (isStringList(value)) return 'strings';
  return value.length % 4 === 0 ? 'cells' : 'bytes';
}

function isStringList(value: Uint8Array): boolean {
  if (value[value.length - 1] !== 0) return false;
  let start = 0;
  for (let at = 0; at < value.length; at++) {
    const byte = value[at] ?? 0;
    if (byte === 0) {
      if (at === start) return false;
      start = at + 1;
    } else if (byte < 0x20 || byte > 0x7e) {
      return false;
    }
  }
  return true;
}

/** The first 8 bytes of `value` as a little-endian u64. */
export function littleU64(value: Uint8Array): bigint {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getBigUint64(0, true);
}

/** Whether values of a declared type are one u64 of native byte order. */
export function isU64(type: MemoryType | undefined): boolean {
  return type?.kind === 'pointer' || (type?.kind === 'integer' && type.bits === 64);
}
