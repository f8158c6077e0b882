// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { imageOf, issueOf, noise } from './image-files.js';

describe('raw images', () => {
  const bytes = noise(4 * 4096 + 10);

  it('start at address 0, or at --base', () => {
    expect(imageOf(bytes).page(3)).toEqual(bytes.slice(3 * 4096, 4 * 4096));
    const image = imageOf(bytes, { base: 0x4000_0000n });
    expect(image.page(0)).toBe('absent');
    expect(image.page(0x40001)).toEqual(bytes.slice(4096, 8192));
    expect(image.read(0x4000_4000n, 10)).toEqual(bytes.slice(4 * 4096));
    expect(issueOf(() => image.read(0x4000_4000n, 11))).toMatchObject({
      code: 'ABSENT',
      address: 0x4000_400an,
    });
  });

  it('continue behind the hole below 4 GiB', () => {
    const hole = { start: 0x2000n, length: 0x1_0000_0000n - 0x2000n };
    const image = imageOf(bytes, { hole });
    expect([...image.ranges()]).toEqual([
      { start: 0n, end: 0x2000n, state: 'present' },
      { start: 0x1_0000_0000n, end: 0x1_0000_200an, state: 'present' },
    ]);
    expect(image.page(0x10_0001)).toEqual(bytes.slice(3 * 4096, 4 * 4096));
    expect(image.page(2)).toBe('absent');
    expect(issueOf(() => image.read(0x1ff8n, 16))).toMatchObject({ code: 'ABSENT', address: 0x2000n });
  });

  it('refuse bases and holes that make no sense', () => {
    for (const options of [
      { base: -4096n },
      { base: 1n << 52n },
      { hole: { start: 0x10_0000n, length: 4096n } },
      { base: 0x8000n, hole: { start: 0x4000n, length: 4096n } },
    ]) {
      expect(issueOf(() => imageOf(bytes, options)).code).toBe('BAD_ARGUMENT');
    }
    expect(issueOf(() => imageOf(Buffer.from('EMiL'), { base: 0n })).message).toContain('lime');
    // Asked for by name, bytes that look like something else are memory too.
    expect(imageOf(Buffer.from('EMiL0123'), { format: 'raw' }).u64(0n)).toBe(0x333231304c694d45n);
  });

  it('refuse reads that are not of bytes', () => {
    const image = imageOf(bytes);
    expect(issueOf(() => image.read(-1n, 8)).code).toBe('BAD_ARGUMENT');
    expect(issueOf(() => image.read(0n, -8)).code).toBe('BAD_ARGUMENT');
    expect(issueOf(() => image.read(0n, 0.5)).code).toBe('BAD_ARGUMENT');
    expect(issueOf(() => image.read(0n, 2 ** 40)).code).toBe('LIMIT');
    expect(issueOf(() => image.u64(1n << 63n))).toMatchObject({ code: 'ABSENT', address: 1n << 63n });
  });
});
