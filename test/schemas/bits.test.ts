// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteOrder, bits, decode, encodeUnchecked, part } from '../../src/schemas/index.js';
import { scaled } from '../random.js';

const SIZES = [8, 16, 32, 64] as const;

/** Widths that add up to one of the sizes. */
const widths = fc.constantFrom(...SIZES).chain((size) =>
  fc.uniqueArray(fc.integer({ min: 1, max: size - 1 }), { maxLength: 6 }).map((cuts) => {
    const ends = [...cuts.sort((a, b) => a - b), size];
    return { size, widths: ends.map((end, index) => end - (index === 0 ? 0 : (ends[index - 1] ?? 0))) };
  }),
);

describe('bit fields', () => {
  it('are the bits of the integer, whatever their widths and the byte order', () => {
    const words = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(widths, words, fc.constantFrom<ByteOrder>('little', 'big'), (cut, word, byteOrder) => {
        const type = bits(
          cut.size,
          Object.fromEntries(cut.widths.map((width, index) => [`p${index}`, part(width)])),
        );
        const bytes = new Uint8Array(8);
        const view = new DataView(bytes.buffer);
        const integer = BigInt.asUintN(cut.size, word);
        if (byteOrder === 'little') view.setBigUint64(0, integer, true);
        else view.setBigUint64(0, integer << BigInt(64 - cut.size));
        const blob = bytes.subarray(0, cut.size / 8);
        const value: Readonly<Record<string, number | bigint>> = decode(type, blob, { byteOrder });
        let shift = 0n;
        for (const [index, width] of cut.widths.entries()) {
          const expected = BigInt.asUintN(width, integer >> shift);
          expect(value[`p${index}`]).toBe(width <= 53 ? Number(expected) : expected);
          shift += BigInt(width);
        }
        expect(Buffer.from(encodeUnchecked(type, value, { byteOrder })).equals(blob)).toBe(true);
      }),
      { numRuns: scaled(2000) },
    );
  });

  it('must fill the integer', () => {
    expect(() => bits(64, { pfn: part(52), flags: part(11) })).toThrow(
      'bit fields of 63 bits in an integer of 64',
    );
  });
});
