// SPDX-License-Identifier: Apache-2.0
import { FdtError } from './error.js';

/**
 * Writes a name and its NUL to `offset`. Bytes after it, which pad it to a token boundary, are not touched: libfdt does
 * not clear them either.
 *
 * @param name - one character a byte
 * @throws FdtError BADVALUE when `name` cannot be stored; what was written of it is cleared
 */
export function writeName(bytes: Uint8Array, offset: number, name: string): void {
  const length = name.length;
  for (let index = 0; index < length; index++) {
    const code = name.charCodeAt(index);
    if (code === 0 || code > 0xff) {
      bytes.fill(0, offset, offset + index);
      checkName(name);
    }
    bytes[offset + index] = code;
  }
  bytes[offset + length] = 0;
}

/**
 * Refuses a name that cannot be stored.
 *
 * @throws FdtError BADVALUE when `name` holds a NUL or a character above U+00FF
 */
export function checkName(name: string): void {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code > 0 && code <= 0xff) continue;
    throw new FdtError({
      code: 'BADVALUE',
      message: `expected a name of characters U+0001 to U+00FF, found character ${code} at index ${index}`,
    });
  }
}

/** Whether `name` and a NUL lie at `offset`, before `end`. */
export function isNameAt(bytes: Uint8Array, offset: number, end: number, name: string): boolean {
  const nul = offset + name.length;
  return nul < end && bytes[nul] === 0 && startsWithName(bytes, offset, name);
}

/** Whether the bytes at `offset` are those of `name`, none of them a NUL. */
export function startsWithName(bytes: Uint8Array, offset: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code === 0 || bytes[offset + index] !== code) return false;
  }
  return true;
}
