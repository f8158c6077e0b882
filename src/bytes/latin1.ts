// SPDX-License-Identifier: Apache-2.0

/**
 * Bytes as text, one character a byte (U+0000 to U+00FF). Names in a blob are bytes without an encoding; this mapping
 * is the one that loses nothing on the way to a string and back.
 */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  // A plain array of codes is what V8 turns into a string fastest; the pieces keep it within the stack.
  for (let at = start; at < end; ) {
    const codes: number[] = [];
    for (const stop = Math.min(end, at + 4096); at < stop; at++) codes.push(bytes[at] ?? 0);
    text += String.fromCharCode.apply(null, codes);
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
