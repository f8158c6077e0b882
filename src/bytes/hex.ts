// SPDX-License-Identifier: Apache-2.0

/** A number as `0x…`, lower case, without padding. Negative numbers are not addresses and are not expected. */
export function formatHex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

const BYTE_HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Bytes as two lower-case hex digits each, joined by `separator`. */
export function hexBytes(bytes: Uint8Array, separator = ''): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) {
    if (at > 0) text += separator;
    text += BYTE_HEX[bytes[at] ?? 0] ?? '';
  }
  return text;
}
