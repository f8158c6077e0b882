// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { checkFdt, FDT_ERRORS, openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { recordedMutants } from './mutate.js';

const root = readFixture('kernel-7.3.4/kho-fdt.dtb');

/** The captured root with u32 `value` written at each offset. */
function patched(...patches: readonly (readonly [offset: number, value: number])[]): Uint8Array {
  const blob = root.slice();
  for (const [offset, value] of patches) new DataView(blob.buffer).setUint32(offset, value);
  return blob;
}

describe('checkFdt', () => {
  it('finds nothing wrong with what a real kernel wrote', () => {
    for (const name of ['kernel-7.3.4/kho-fdt.dtb', 'kernel-7.3.4/memblock-fdt.dtb']) {
      expect(checkFdt(readFixture(name))).toEqual({ accepted: true, errors: [], warnings: [] });
    }
  });

  it('gives the verdicts that libfdt gave on 4,000 mutants, code for code', () => {
    const recorded: unknown = JSON.parse(Buffer.from(readFixture('libfdt/check-full.json')).toString());
    const ours = recordedMutants().map((blob) => {
      const [first] = checkFdt(blob).errors;
      return first === undefined ? 0 : -FDT_ERRORS[first.code];
    });
    expect(ours).toEqual(recorded);
    expect(new Set(ours).size).toBeGreaterThan(5);
  });

  it('lists every violation, each with its place', () => {
    const blob = patched([24, 18], [0x48, 1000], [0x80, 2000]);
    expect(checkFdt(blob).errors.map(({ code, offset, path }) => ({ code, offset, path }))).toEqual([
      { code: 'BADVERSION', offset: 24, path: undefined },
      { code: 'BADVERSION', offset: 20, path: undefined },
      { code: 'BADOFFSET', offset: 0x40, path: '/' },
      { code: 'BADOFFSET', offset: 0x78, path: '/memblock' },
    ]);
  });

  it('says what is expected and what is found', () => {
    const messageOf = (blob: Uint8Array): string | undefined => checkFdt(blob).errors[0]?.message;
    expect(messageOf(patched([0, 0x12345678]))).toBe('expected 0xd00dfeed, found 0x12345678');
    expect(messageOf(patched([0, 0x2ff20112]))).toContain('still being written');
    expect(messageOf(patched([4, 400]))).toBe('totalsize says 400 bytes, the input has 345');
    expect(messageOf(patched([4, 20]))).toBe('totalsize 20 is less than the 40 bytes of the header');
    expect(messageOf(patched([12, 330]))).toBe(
      'off_dt_strings: block [0x14a, 0x183) is not inside [0x28, 0x159)',
    );
    expect(messageOf(patched([0x44, 0xfffffff4]))).toBe(
      'property value of 4294967284 bytes, 212 left in the structure block',
    );
    expect(messageOf(patched([36, 0xe4]))).toBe('a token is expected, the structure block ends here');
    expect(messageOf(patched([0x3c, 0x41000000]))).toBe('the root node has no name, found "A"');
  });

  it('warns of what libfdt accepts but nobody means', () => {
    const warningsOf = (blob: Uint8Array) => {
      const { accepted, warnings } = checkFdt(blob);
      expect(accepted).toBe(true);
      return warnings.map(({ code, offset }) => [code, offset]);
    };
    // The byte after "kho-v4\0".
    expect(warningsOf(patched([0x50, 0x763400ff]))).toEqual([['NONZERO_PADDING', 0x53]]);
    // blob-size of memblock renamed to preserved-data, which it has as well.
    expect(warningsOf(patched([0x80, 0x20]))).toEqual([['DUPLICATE_PROPERTY', 0x8c]]);
    // "LUO" renamed to "L\x1bO", a name with a control character, which the message escapes.
    const hostile = patched([0xa8, 0x4c1b4f00]);
    expect(warningsOf(hostile)).toEqual([['BAD_NAME', 0xa4]]);
    expect(checkFdt(hostile).warnings[0]).toMatchObject({ path: '/L\\x1bO' });
    expect(checkFdt(hostile).warnings[0]?.message).toContain('"L\\x1bO"');
    // The strings block moved down into the structure block.
    expect(warningsOf(patched([12, 0x118])).map(([code]) => code)).toContain('BLOCKS_OVERLAP');
    // An empty structure block: FDT_END alone.
    expect(warningsOf(patched([0x38, 9]))).toContainEqual(['NO_ROOT', 0x38]);
  });

  it('keeps at most as many errors as asked for', () => {
    const blob = patched([0x48, 1000], [0x80, 2000], [0x94, 2000]);
    expect(checkFdt(blob, 2).errors).toHaveLength(2);
    expect(() => openFdt(blob)).toThrow(
      /^0x40 \/: BADOFFSET: property name offset 1000 is outside the strings block of 57 bytes$/,
    );
  });
});
