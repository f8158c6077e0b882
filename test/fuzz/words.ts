// SPDX-License-Identifier: Apache-2.0

/** A u32 as a byte string. */
export function wordOf(value: number, order: 'big' | 'little'): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, order === 'little');
  return new Uint8Array(view.buffer);
}

/** Texts as byte strings. */
export function textWords(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => new Uint8Array(Buffer.from(text, 'latin1')));
}
