// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { frameChecksum } from '../../src/image/decompress/snappy-frame.js';
import { avmlBlock, fixture, IOS, imageOf, issueOf, limeRange, noise } from './image-files.js';

// The 48 pages of core.elf, whose headers take one page; the .sz streams are of its first and last 24 pages.
const pages = readFileSync(fixture('core.elf')).subarray(4096);
const half = pages.length / 2;
const frames = ['first', 'second'].map((name) => readFileSync(fixture(`${name}-24-pages.sz`)));
const [firstFrames = Buffer.alloc(0), secondFrames = Buffer.alloc(0)] = frames;

describe('LiME and AVML v1 images', () => {
  const low = noise(2 * 4096, 1);
  const high = noise(4096 + 512, 2);
  const bytes = Buffer.concat([
    limeRange(0x1000n, low.length, low),
    limeRange(0x1_0000_0000n, high.length, high),
  ]);

  it('hold ranges with inclusive ends, the last perhaps a part of a page', () => {
    const image = imageOf(bytes);
    expect(image.format).toBe('lime');
    expect([...image.ranges()]).toEqual([
      { start: 0x1000n, end: 0x3000n, state: 'present' },
      { start: 0x1_0000_0000n, end: 0x1_0000_1200n, state: 'present' },
    ]);
    expect(image.page(2)).toEqual(low.slice(4096));
    expect(image.page(0x10_0000)).toEqual(high.slice(0, 4096));
    expect(image.read(0x1_0000_1000n, 512)).toEqual(high.slice(4096));
  });

  it('are refused when cut short, or clipped when told to', () => {
    const cut = bytes.subarray(0, bytes.length - 600);
    expect(issueOf(() => imageOf(cut))).toMatchObject({ code: 'TRUNCATED', address: 0x1_0000_0000n });
    expect(imageOf(cut, { truncated: 'clip' }).read(0x1_0000_0000n, 4096 - 88)).toEqual(high.slice(0, 4008));
  });

  it('are refused with another version, an end before the start, or something else between ranges', () => {
    const changed = (offset: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt32LE(value, offset);
      return copy;
    };
    expect(issueOf(() => imageOf(changed(4, 2)))).toMatchObject({ code: 'UNSUPPORTED', offset: 4 });
    expect(issueOf(() => imageOf(changed(16, 0xfff)))).toMatchObject({ code: 'BAD_HEADER', offset: 16 });
    expect(issueOf(() => imageOf(changed(16, 0x1fff)))).toMatchObject({
      code: 'BAD_HEADER',
      offset: 32 + 4096,
    });
    expect(issueOf(() => imageOf(changed(20, 0x8000_0000))).code).toBe('BAD_HEADER');
  });
});

describe('AVML v2 images', () => {
  const bytes = Buffer.concat([
    avmlBlock(0x10_0000n, half, firstFrames),
    avmlBlock(0x4000_0000n, half, secondFrames),
  ]);

  it('hold the memory that an independent encoder framed', () => {
    for (const io of IOS) {
      const image = imageOf(bytes, { io });
      expect(image).toMatchObject({ format: 'avml', io, facts: { version: 2, ranges: 2 } });
      expect(Buffer.compare(image.read(0x10_0000n, half), pages.subarray(0, half))).toBe(0);
      expect(Buffer.compare(image.read(0x4000_0000n, half), pages.subarray(half))).toBe(0);
      expect(image.u64(0x4000_1ffdn)).toBe(pages.readBigUInt64LE(half + 0x1ffd));
      expect(image.page(0)).toBe('absent');
      expect(image.remarks.join()).toContain('zeros');
    }
  });

  it('tell where a stream is damaged', () => {
    const flip = (offset: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[offset] = (copy[offset] ?? 0) ^ 0x40;
      return copy;
    };
    // The stream identifier, the checksum of the first chunk, its data, and the length behind the stream.
    expect(issueOf(() => imageOf(flip(34))).code).toBe('BAD_DATA');
    expect(issueOf(() => imageOf(flip(32 + 14)).page(0x100))).toMatchObject({
      code: 'BAD_DATA',
      address: 0x10_0000n,
    });
    expect(issueOf(() => imageOf(flip(32 + 200)).page(0x100)).code).toBe('BAD_DATA');
    expect(issueOf(() => imageOf(flip(32 + firstFrames.length))).code).toBe('BAD_HEADER');
    const cut = bytes.subarray(0, bytes.length - 100);
    expect(issueOf(() => imageOf(cut)).code).toBe('TRUNCATED');
    expect(imageOf(cut, { truncated: 'clip' }).counts().present).toBe(24);
  });

  it('check the checksum that the framing format names', () => {
    // CRC-32C of "123456789" is 0xe3069283 (RFC 3720 appendix), masked as framing_format.txt says.
    const crc = 0xe3069283;
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(frameChecksum(Buffer.from('123456789'))).toBe(masked);
  });
});
