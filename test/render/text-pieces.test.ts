// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonString, writeJsonArray, writeJsonBytes } from '../../src/render/json-text.js';
import { count, formatRange, formatSize } from '../../src/render/size.js';
import { valueKind } from '../../src/render/value-kind.js';

describe('sizes', () => {
  it.each([
    [0n, '0 bytes'],
    [1n, '1 byte'],
    [1023n, '1023 bytes'],
    [1024n, '1 KiB'],
    [1536n, '1.5 KiB'],
    [77824n, '76 KiB'],
    [1025n, '~1 KiB'],
    [5n << 40n, '5 TiB'],
    [(1n << 64n) - 1n, '~15.99 EiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('counts and ranges', () => {
    expect([count(1, 'node'), count(2, 'node')]).toEqual(['1 node', '2 nodes']);
    expect(formatRange(0x1000n, 0x1000n)).toBe('0x1000 - 0x1fff (4 KiB)');
    expect(formatRange(0n, 0n)).toBe('0x0 (empty)');
  });
});

describe('JSON', () => {
  it('gives back any text, without a control character on the way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        const text = jsonString(any);
        expect(JSON.parse(text)).toBe(any);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may appear
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
  });

  it('gives back bytes of any length', () => {
    for (const length of [0, 1, 16384, 16385, 40000]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index);
      let text = '';
      writeJsonBytes((piece) => {
        text += piece;
      }, bytes);
      expect(text).toBe(`"${Buffer.from(bytes).toString('hex')}"`);
    }
  });

  it('writes arrays of any length', () => {
    for (const items of [[], [1], [1, 2, 3]]) {
      let text = '';
      const out = (piece: string): void => {
        text += piece;
      };
      writeJsonArray(out, items, '', (item) => out(String(item)));
      expect(JSON.parse(text)).toEqual(items);
    }
  });
});

describe('valueKind', () => {
  it.each([
    ['', 'empty'],
    ['kho-v4\0', 'strings'],
    ['a\0b\0', 'strings'],
    ['a', 'bytes'],
    ['abcd', 'cells'],
    ['\0', 'bytes'],
    ['a\0\0', 'bytes'],
    ['a\n\0\0', 'cells'],
    ['\u00e9\0', 'bytes'],
  ])('%j is %s', (text, kind) => {
    expect(valueKind(Buffer.from(text, 'latin1'))).toBe(kind);
  });
});
