// SPDX-License-Identifier: Apache-2.0
// Blobs written down word by word, for what no writer makes.

/** What {@link handMade} puts where no block lies, in bytes. */
export interface HandMadeOptions {
  readonly version?: number;
  readonly unusedBefore?: number;
  readonly unusedAfter?: number;
  /** Bytes after `totalsize`, 0xee each. */
  readonly trailing?: number;
}

/** A blob with one reservation (0x1000, 0x2000 bytes), then a structure block of `words`, then `strings`. */
export function handMade(
  words: readonly number[],
  strings: string,
  options: HandMadeOptions = {},
): Uint8Array {
  const { version = 17, unusedBefore = 0, unusedAfter = 0, trailing = 0 } = options;
  const structure = 72 + unusedBefore;
  const names = structure + 4 * words.length;
  const total = names + strings.length + unusedAfter;
  const blob = new Uint8Array(total + trailing).fill(0xee, total);
  const view = new DataView(blob.buffer);
  const fields = [0xd00dfeed, total, structure, names, 40, version, Math.min(version, 16), 7, strings.length];
  fields.push(4 * words.length);
  fields.slice(0, version === 17 ? 10 : version === 2 ? 8 : 9).forEach((field, index) => {
    view.setUint32(4 * index, field);
  });
  view.setBigUint64(40, 0x1000n);
  view.setBigUint64(48, 0x2000n);
  words.forEach((word, index) => {
    view.setUint32(structure + 4 * index, word);
  });
  blob.set(Buffer.from(strings, 'latin1'), names);
  return blob;
}
