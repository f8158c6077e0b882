// SPDX-License-Identifier: Apache-2.0
// The raw Snappy block format, from its format description (google/snappy, format_description.txt).
import { ImageError } from '../error.js';

function bad(message: string, offset: number): ImageError {
  return new ImageError({ code: 'BAD_DATA', message: `snappy: ${message}`, offset });
}

/**
 * The length a Snappy block says it expands to: a little-endian base-128 number of at most 32 bits at its start.
 *
 * @returns the length, and how many bytes it took
 * @throws ImageError BAD_DATA with the offset in `input`
 */
export function snappyLength(input: Uint8Array): { length: number; headerBytes: number } {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = input[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) {
      if (length > 0xffff_ffff) break;
      return { length, headerBytes: at + 1 };
    }
  }
  throw bad('the length at the start is not a 32-bit number', 0);
}

function littleEndian(input: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (input[at + index] ?? 0);
  return value;
}

/** Copies within `output`; the ranges may overlap, and then the copied bytes repeat. */
export function copyWithin(output: Uint8Array, to: number, distance: number, length: number): void {
  if (distance >= length) {
    output.copyWithin(to, to - distance, to - distance + length);
    return;
  }
  for (let at = to; at < to + length; at++) output[at] = output[at - distance] ?? 0;
}

/**
 * Expands one raw Snappy block into `output`, which it must fill exactly.
 *
 * @throws ImageError BAD_DATA with the offset in `input`
 */
export function expandSnappy(input: Uint8Array, output: Uint8Array): void {
  const { length: promised, headerBytes } = snappyLength(input);
  if (promised !== output.length) throw bad(`expands to ${promised} bytes, expected ${output.length}`, 0);
  let from = headerBytes;
  let to = 0;
  while (from < input.length) {
    const tag = input[from] ?? 0;
    const kind = tag & 3;
    const start = from;
    if (kind === 0) {
      // Literal: up to 60 bytes, or 1 to 4 bytes that hold the length less one.
      const extra = Math.max(0, (tag >> 2) - 59);
      const length = extra === 0 ? (tag >> 2) + 1 : littleEndian(input, from + 1, extra) + 1;
      from += 1 + extra;
      if (from + length > input.length || to + length > output.length) {
        throw bad(`a literal of ${length} bytes does not fit`, start);
      }
      output.set(input.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    // Copies: an 11-bit, 16-bit or 32-bit distance in 1, 2 or 4 further bytes.
    const extra = kind === 3 ? 4 : kind;
    if (from + 1 + extra > input.length) throw bad('the block ends within a copy', start);
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const low = littleEndian(input, from + 1, extra);
    const distance = kind === 1 ? ((tag >> 5) << 8) + low : low;
    from += 1 + extra;
    if (distance === 0 || distance > to || to + length > output.length) {
      throw bad(`a copy of ${length} bytes from ${distance} back does not fit`, start);
    }
    copyWithin(output, to, distance, length);
    to += length;
  }
  if (to !== output.length) throw bad(`ends after ${to} of ${output.length} bytes`, from);
}
