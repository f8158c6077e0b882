// SPDX-License-Identifier: Apache-2.0
// Columns of 64-bit addresses and sizes, read without a bigint for each: there may be millions.

/** The 32-bit halves of a column, the lower half of each value first. */
export function halvesOf({ buffer, byteOffset, length }: BigUint64Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, 2 * length);
}

/** The page frames that physical addresses lie in. */
export function pageFrames(addresses: BigUint64Array): Float64Array {
  const halves = halvesOf(addresses);
  const frames = new Float64Array(addresses.length);
  for (let row = 0; row < frames.length; row++) {
    frames[row] = (halves[2 * row + 1] ?? 0) * 2 ** 20 + ((halves[2 * row] ?? 0) >>> 12);
  }
  return frames;
}
