// SPDX-License-Identifier: Apache-2.0

/**
 * Bytes as text, one character a byte (U+0000 to U+00FF). Names in a blob are bytes without an encoding; this mapping
 * is the one that loses nothing on the way to a string and back.
 */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(null, Array.from(bytes.subarray(at, Math.min(end, at + 4096))));
  }
  return text;
}

/**
 * Text whose characters are all U+0000 to U+00FF as bytes, the inverse of {@link decodeLatin1}.
 *
 * @returns the bytes, or `undefined` when a character does not fit in one byte
 */
export function encodeLatin1(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) return undefined;
    bytes[index] = code;
  }
  return bytes;
}
