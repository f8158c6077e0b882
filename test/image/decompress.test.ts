// SPDX-License-Identifier: Apache-2.0
// Pages that real encoders wrote are read in formats.test.ts; here are the corners of each format, by its description,
// and data that no encoder writes.
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandLzo1x } from '../../src/image/decompress/lzo1x.js';
import { expandSnappy, snappyLength } from '../../src/image/decompress/snappy.js';
import { expandZlib } from '../../src/image/decompress/zlib.js';
import { expandZstd } from '../../src/image/decompress/zstd.js';
import { ImageError } from '../../src/image/error.js';
import { issueOf } from './image-files.js';

type Expand = (input: Uint8Array, output: Uint8Array) => void;

function expanded(expand: Expand, input: readonly number[], length: number): string {
  const output = new Uint8Array(length);
  expand(Uint8Array.from(input), output);
  return Buffer.from(output).toString('latin1');
}

const text = (value: string): number[] => [...Buffer.from(value, 'latin1')];

describe('snappy blocks', () => {
  it('hold literals and copies with distances of 11, 16 and 32 bits', () => {
    const literal = [3 << 2, ...text('abcd')];
    // Copy of 4 to 11 bytes, distance in 3 bits of the tag and a byte.
    expect(expanded(expandSnappy, [8, ...literal, 0x01, 4], 8)).toBe('abcdabcd');
    expect(expanded(expandSnappy, [11, ...literal, 0x01 | (3 << 2), 1], 11)).toBe('abcdddddddd');
    // Copy of 1 to 64 bytes, distance in two or four bytes.
    expect(expanded(expandSnappy, [6, ...literal, 0x02 | (1 << 2), 3, 0], 6)).toBe('abcdbc');
    expect(expanded(expandSnappy, [5, ...literal, 0x03, 2, 0, 0, 0], 5)).toBe('abcdc');
    // Literals with their length in one and in two bytes.
    const long = 'x'.repeat(300);
    expect(expanded(expandSnappy, [0xac, 2, 61 << 2, 299 & 0xff, 299 >> 8, ...text(long)], 300)).toBe(long);
    expect(expanded(expandSnappy, [60, 60 << 2, 59, ...text('y'.repeat(60))], 60)).toBe('y'.repeat(60));
    expect(snappyLength(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f))).toEqual({
      length: 0xffff_ffff,
      headerBytes: 5,
    });
  });

  it.each([
    ['no length', []],
    ['a length of 33 bits', [0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['a literal past the end of the input', [4, 3 << 2, 1, 2]],
    ['a literal past the end of the output', [4, 4 << 2, 1, 2, 3, 4, 5]],
    ['a copy from before the start', [4, 0, 1, 0x01, 2]],
    ['a copy of distance 0', [4, 0, 1, 0x01, 0]],
    ['a copy cut short', [4, 0, 1, 0x02, 1]],
    ['too little', [4, 1 << 2, 1, 2]],
    ['another length than expected', [5, 4 << 2, 1, 2, 3, 4, 5]],
  ])('are refused with %s', (_, input) => {
    expect(issueOf(() => expanded(expandSnappy, input, 4))).toMatchObject({ code: 'BAD_DATA' });
  });
});

describe('LZO1X streams', () => {
  const end = [0x11, 0, 0];

  it('hold every kind of instruction', () => {
    // A first byte above 17 is a run of that many literals less 17.
    const abcd = [17 + 4, ...text('abcd')];
    expect(expanded(expandLzo1x, [...abcd, ...end], 4)).toBe('abcd');
    // 01LDDDSS: 3 or 4 bytes from within 2 KiB, then SS literals.
    expect(expanded(expandLzo1x, [...abcd, 0x40 | (3 << 2) | 1, 0, ...text('e'), ...end], 8)).toBe(
      'abcdabce',
    );
    // 1LLDDDSS: 5 to 8 bytes.
    expect(expanded(expandLzo1x, [...abcd, 0x80 | (3 << 2), 0, ...end], 9)).toBe('abcdabcda');
    // 001LLLLL: any length, 14-bit distance.
    expect(expanded(expandLzo1x, [...abcd, 0x20 | 4, 0 << 2, 0, ...end], 10)).toBe('abcddddddd');
    // A length of zero goes on in further bytes: 2 + 31 + 255 + 1.
    const long = [...abcd, 0x20, 0, 1, 3 << 2, 0, ...end];
    expect(expanded(expandLzo1x, long, 4 + 289)).toBe('abcd'.repeat(74).slice(0, 293));
    // 0000LLLL after a match without literals: a run of 3 + L.
    const run = [...abcd, 0x40 | (3 << 2), 0, 1, ...text('wxyz'), ...end];
    expect(expanded(expandLzo1x, run, 11)).toBe('abcdabcwxyz');
    // 0000DDSS after one to three literals: 2 bytes from within 1 KiB.
    const short = [17 + 2, ...text('ab'), 0x04 | 1, 0, ...text('c'), ...end];
    expect(expanded(expandLzo1x, short, 5)).toBe('ababc');
    // After a long run the same opcode copies 3 bytes from 2 to 3 KiB back.
    const many = text(Array.from({ length: 2049 }, (_, index) => String.fromCharCode(index & 0x7f)).join(''));
    const zeros = [0, 0, 0, 0, 0, 0, 0];
    const far = [0, ...zeros, 2049 - 18 - 7 * 255, ...many, 0, 0, ...end];
    expect(expanded(expandLzo1x, far, 2052).slice(2049)).toBe('\0\x01\x02');
    // 0001HLLL: from 16 KiB on; 16384 + 1 back here.
    const filler = Array.from({ length: 16385 }, (_, index) => index % 251);
    const count = 16385 - 18;
    const head = [0, ...Array.from({ length: Math.floor(count / 255) }, () => 0), count % 255];
    const veryFar = [...head, ...filler, 0x10 | 2, 1 << 2, 0, ...end];
    expect(expanded(expandLzo1x, veryFar, 16389).slice(16385)).toBe('\0\x01\x02\x03');
  });

  it.each([
    ['no end mark', [17 + 4, 1, 2, 3, 4]],
    ['nothing at all', []],
    ['a run past the end of the input', [17 + 4, 1, 2]],
    ['a run past the end of the output', [17 + 5, 1, 2, 3, 4, 5, ...end]],
    ['a copy from before the start', [17 + 2, 1, 2, 0x40 | (2 << 2), 0, ...end]],
    ['a copy past the end of the output', [17 + 2, 1, 2, 0x40 | (1 << 2), 0, ...end]],
    ['an endless length', [17 + 2, 1, 2, 0x20, 0, 0, 0, 0]],
    ['too little', [17 + 2, 1, 2, ...end]],
    ['bytes behind the end', [17 + 4, 1, 2, 3, 4, ...end, 0]],
  ])('are refused with %s', (_, input) => {
    expect(issueOf(() => expanded(expandLzo1x, input, 4))).toMatchObject({ code: 'BAD_DATA' });
  });
});

describe('zstd frames', () => {
  // Frames of raw and run-length blocks, by RFC 8878; compressed ones come from a real encoder in formats.test.ts.
  const frame = (size: number, ...blocks: number[]): number[] => [
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0x20,
    size,
    ...blocks,
  ];
  const raw = (last: number, bytes: readonly number[]): number[] => [
    last | (bytes.length << 3),
    0,
    0,
    ...bytes,
  ];
  const run = (last: number, byte: number, count: number): number[] => [
    (last | (1 << 1) | (count << 3)) & 0xff,
    (count << 3) >> 8,
    0,
    byte,
  ];

  it('expand to the size they declare, whatever their last bytes are', () => {
    expect(expanded(expandZstd, frame(4, ...raw(1, text('abcd'))), 4)).toBe('abcd');
    // Bytes like those the decoder fills its buffer with.
    expect(expanded(expandZstd, frame(4, ...raw(1, [1, 2, 3, 0xa5])), 4)).toBe('\x01\x02\x03\xa5');
    expect(expanded(expandZstd, frame(6, ...raw(0, text('ab')), ...run(1, 0x5a, 4)), 6)).toBe('abZZZZ');
  });

  it.each([
    ['no magic', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['too few bytes', [0x28, 0xb5, 0x2f, 0xfd]],
    ['another size', frame(5, ...raw(1, [1, 2, 3, 4, 5]))],
    ['no size', [0x28, 0xb5, 0x2f, 0xfd, 0, 0, ...raw(1, [1, 2, 3, 4])]],
    ['a dictionary', [0x28, 0xb5, 0x2f, 0xfd, 0x21, 4, 4, ...raw(1, [1, 2, 3, 4])]],
    ['a window of terabytes', [0x28, 0xb5, 0x2f, 0xfd, 0x80, 0xff, 4, 0, 0, 0, ...raw(1, [1, 2, 3, 4])]],
    ['less than declared', frame(4, ...raw(1, [1, 2, 3]))],
    ['more than declared', frame(4, ...raw(1, [1, 2, 3, 4, 5]))],
    ['a run longer than declared', frame(4, ...run(1, 7, 9))],
    ['a reserved block type', frame(4, 0x27, 0, 0, 1, 2, 3, 4)],
    ['a block cut short', frame(4, 0x41, 0, 0, 1)],
    ['a second frame', [...frame(4, ...raw(1, [1, 2, 3, 4])), ...frame(4, ...raw(1, [1, 2, 3, 4]))]],
  ])('are refused with %s', (_, input) => {
    expect(issueOf(() => expanded(expandZstd, input, 4))).toMatchObject({ code: 'BAD_DATA' });
  });
});

describe('zlib streams', () => {
  it('are refused when they expand to more or less than a page', () => {
    const output = new Uint8Array(4096);
    expandZlib(deflateSync(Buffer.alloc(4096, 7)), output);
    expect(output).toEqual(new Uint8Array(4096).fill(7));
    expect(issueOf(() => expandZlib(deflateSync(Buffer.alloc(1 << 24)), output)).code).toBe('BAD_DATA');
    expect(issueOf(() => expandZlib(deflateSync(Buffer.alloc(4095)), output)).code).toBe('BAD_DATA');
  });
});

describe('no decoder', () => {
  const magic = [0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x0f];
  it.each<[string, Expand, readonly number[]]>([
    ['snappy', expandSnappy, [0x80, 0x20]],
    ['lzo', expandLzo1x, []],
    ['zstd', expandZstd, magic],
    ['zlib', expandZlib, [0x78, 0x9c]],
  ])('does anything but fill the page or throw an ImageError: %s', (_, expand, head) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const guarded = new Uint8Array(4096 + 16).fill(0xee);
        try {
          expand(Uint8Array.of(...head, ...bytes), guarded.subarray(8, 8 + 4096));
        } catch (error) {
          if (!(error instanceof ImageError)) throw error;
        }
        const outside = [...guarded.subarray(0, 8), ...guarded.subarray(8 + 4096)];
        expect(outside.every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
