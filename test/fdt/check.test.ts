// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { checkFdt, FDT_ERRORS, openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { scaled } from '../random.js';
import { recordedMutants } from './mutate.js';

const root = readFixture('kernel-7.3.4/kho-fdt.dtb');

/** The captured root with u32 `value` written at each offset. */
function patched(...patches: readonly (readonly [offset: number, value: number])[]): Uint8Array {
  const blob = root.slice();
  for (const [offset, value] of patches) new DataView(blob.buffer).setUint32(offset, value);
  return blob;
}

/** A blob of version 17 whose structure block is these words and whose only strings are `strings`. */
function blobOf(tokens: readonly number[], strings = 'a\0'): Uint8Array {
  const names = Buffer.from(strings, 'latin1');
  const structure = 4 * tokens.length;
  const blob = new Uint8Array(56 + structure + names.length);
  const view = new DataView(blob.buffer);
  [
    0xd00dfeed,
    blob.length,
    56,
    56 + structure,
    40,
    17,
    16,
    0,
    names.length,
    structure,
    ...[0, 0, 0, 0],
    ...tokens,
  ].forEach((word, index) => {
    view.setUint32(4 * index, word);
  });
  blob.set(names, 56 + structure);
  return blob;
}

describe('checkFdt', () => {
  it('finds nothing wrong with what a real kernel wrote', () => {
    for (const name of ['kernel-7.3.4/kho-fdt.dtb', 'kernel-7.3.4/memblock-fdt.dtb']) {
      expect(checkFdt(readFixture(name))).toEqual({ accepted: true, errors: [], warnings: [] });
    }
  });

  it('gives the verdicts that libfdt gave on 4,000 mutants, code for code', () => {
    const recorded: unknown[] = JSON.parse(Buffer.from(readFixture('libfdt/check-full.json')).toString());
    const count = scaled(recorded.length, 600);
    const ours = recordedMutants(count).map((blob) => {
      const [first] = checkFdt(blob).errors;
      return first === undefined ? 0 : -FDT_ERRORS[first.code];
    });
    expect(ours).toEqual(recorded.slice(0, count));
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

  it('judges a header at its limits', () => {
    const said = (...patches: readonly (readonly [number, number])[]): string[] =>
      checkFdt(patched(...patches)).errors.map(
        ({ code, offset, message }) => `${offset} ${code}: ${message}`,
      );
    expect(said([20, 1], [24, 1])).toContain('20 BADVERSION: expected version 2 or later, found 1');
    expect(said([20, 2], [24, 2]).filter((text) => text.includes('BADVERSION'))).toEqual([]);
    expect(said([20, 18], [24, 18])[0]).toBe(
      '24 BADVERSION: readable from version 18 on only, 17 is the newest known',
    );
    expect(said([20, 16], [24, 17])[0]).toBe('20 BADVERSION: version 16 is below last_comp_version 17');
    expect(said([4, 0x80000000])[0]).toBe(
      '4 TRUNCATED: totalsize 0x80000000 is above the limit of 0x7fffffff',
    );
    expect(said([4, 0x7fffffff])).toEqual([
      '345 TRUNCATED: totalsize says 2147483647 bytes, the input has 345',
    ]);
    expect(said([4, 39])[0]).toBe('4 TRUNCATED: totalsize 39 is less than the 40 bytes of the header');
    expect(said([4, 40]).some((text) => text.includes('of the header'))).toBe(false);
    // Each block at the header's end, one byte before it, at the blob's end and one byte after it.
    expect(said([16, 39])[0]).toBe('16 TRUNCATED: off_mem_rsvmap: 0x27 is not inside [0x28, 0x159)');
    expect(said([16, 345])).toEqual([
      '345 TRUNCATED: memory reservation block at 0x159 has no terminating entry before 0x159',
    ]);
    expect(said([16, 329])).toHaveLength(1);
    expect(said([16, 346])[0]).toBe('16 TRUNCATED: off_mem_rsvmap: 0x15a is not inside [0x28, 0x159)');
    expect(said([8, 39])[0]).toBe(
      '8 TRUNCATED: off_dt_struct: block [0x27, 0x10f) is not inside [0x28, 0x159)',
    );
    expect(said([12, 289])[0]).toBe(
      '12 TRUNCATED: off_dt_strings: block [0x121, 0x15a) is not inside [0x28, 0x159)',
    );
  });

  it('judges what is too short for a header', () => {
    const cut = (length: number, version = 17): string | undefined => {
      const blob = patched([20, version], [24, Math.min(version, 16)]).subarray(0, length);
      const [first] = checkFdt(blob).errors;
      return first?.code === 'TRUNCATED' && first.offset === length ? first.message : undefined;
    };
    expect(cut(39)).toBe('the header needs 40 bytes, the input has 39');
    expect(cut(27, 1)).toBe('the header needs 28 bytes, the input has 27');
    expect(cut(10, 1)).toBe('the header needs 28 bytes, the input has 10');
    expect(cut(31, 2)).toBe('the header needs 32 bytes, the input has 31');
    expect(cut(35, 3)).toBe('the header needs 36 bytes, the input has 35');
    expect(cut(36, 3)).not.toContain('the header needs');
    expect(openFdt(root.subarray(0, 20), { tolerant: true }).bounds).toEqual({
      start: 0,
      end: 0,
      strings: 0,
      stringsEnd: 0,
      stringsCut: true,
      version: 0,
    });
  });

  it('judges the order of tokens', () => {
    const said = (...tokens: readonly number[]): string[] =>
      checkFdt(blobOf(tokens)).errors.map((each) => `${each.offset} ${each.path} ${each.message}`);
    expect(said(1, 0, 2, 9)).toEqual([]);
    expect(said(1, 0, 2, 1, 0, 2, 9)).toEqual([
      '68 / expected FDT_END after the root node, found a second root node',
    ]);
    expect(said(1, 0, 2, 3, 0, 0, 9)).toEqual([
      '68 undefined expected FDT_END after the root node, found token 3',
    ]);
    expect(said(2, 1, 0, 2, 9)).toEqual(['56 undefined FDT_END_NODE closes a node that was never opened']);
    expect(said(7, 1, 0, 2, 9)).toEqual(['56 undefined expected a token (1, 2, 3, 4 or 9), found 0x7']);
    expect(said(1, 0, 1, 0x61000000, 9)).toEqual(['72 undefined FDT_END inside 2 open node(s)']);
    expect(said(1, 0, 3, 0)).toEqual(['64 / the structure block ends inside a property header']);
    expect(said(1, 0, 3, 4, 0)[0]).toBe('64 / property value of 4 bytes, 0 left in the structure block');
    expect(said(1, 0, 1, 0x61616161)[0]).toBe(
      '64 / node name without a terminating NUL in the structure block',
    );
    const old = blobOf([1, 0, 2, 9]);
    new DataView(old.buffer).setUint32(20, 3);
    new DataView(old.buffer).setUint32(24, 2);
    expect(checkFdt(old).errors[0]?.message).toBe(
      'the root node of a blob before version 16 is named by a path, found no "/" in it',
    );
  });

  it('says once that names are lost, and of one that is cut that it has no end', () => {
    const of = (length: number): string[] =>
      openFdt(root.subarray(0, length), { tolerant: true }).issues.map(
        ({ code, offset, path, message }) => `${offset} ${path} ${code}: ${message}`,
      );
    const lost =
      'BADOFFSET: from here on property names are lost: the input ends before or in the strings block';
    expect(of(0x120)).toContain(`64 / ${lost}`);
    expect(of(0x120).filter((text) => text.includes('BADOFFSET'))).toHaveLength(1);
    expect(of(0x120 + 50)).toContain(
      '120 /memblock TRUNCATED: property name at 47 in the strings block has no terminating NUL',
    );
    expect(of(0x120 + 50).filter((text) => text.includes('no terminating NUL'))).toHaveLength(3);
    expect(of(0x120 + 47)).toContain(`120 /memblock ${lost}`);
  });

  it('says of each warning what it is about', () => {
    const said = (blob: Uint8Array, limit?: number): string[] =>
      checkFdt(blob, limit).warnings.map(
        (each) => `${each.code} ${each.offset} ${each.path} ${each.message}`,
      );
    expect(said(patched([16, 44]))).toContain(
      'BLOCK_MISALIGNED 16 undefined memory reservation block at 0x2c is not aligned to 8 bytes',
    );
    // Strings that are the zeros at the end of the reservations.
    const shared = blobOf([1, 0, 2, 9]);
    new DataView(shared.buffer).setUint32(12, 48);
    new DataView(shared.buffer).setUint32(32, 4);
    expect(said(shared)).toEqual([
      'BLOCKS_OVERLAP 48 undefined memory reservation block [0x28, 0x38) runs into the strings block',
    ]);
    expect(said(patched([12, 0x118]))[0]).toBe(
      'BLOCKS_OVERLAP 280 undefined structure block [0x38, 0x120) runs into the strings block',
    );
    expect(said(patched([0x50, 0x763400ff]))).toEqual([
      'NONZERO_PADDING 83 / expected padding of zeros, found 0xff',
    ]);
    expect(said(patched([0x80, 0x20]))).toEqual([
      'DUPLICATE_PROPERTY 140 /memblock the node already has a property "preserved-data"',
    ]);
    expect(said(patched([0x38, 9]))).toContain('NO_ROOT 56 undefined the structure block holds no node');
    const a = 0x61000000;
    expect(said(blobOf([1, 0, 1, a, 2, 1, a, 2, 2, 9]))).toEqual([
      'DUPLICATE_NODE 76 /a the parent already has a child "a"',
    ]);
    expect(said(blobOf([1, 0, 1, a, 2, 1, a, 2, 3, 0, 0, 2, 9]), 1)).toHaveLength(1);
    // A child of another node may have the name, and so may a property.
    expect(said(blobOf([1, 0, 1, a, 3, 0, 0, 1, a, 2, 2, 1, 0x62000000, 3, 0, 0, 1, a, 2, 2, 2, 9]))).toEqual(
      [],
    );
    expect(said(blobOf([1, 0, 1, a, 2, 3, 0, 0, 2, 9]))).toEqual([
      'PROPERTY_AFTER_CHILD 76 / property "a" follows a child node: libfdt does not find it',
    ]);
    expect(said(blobOf([3, 0, 0, 1, 0, 2, 9]))).toEqual([
      'PROPERTY_OUTSIDE_NODE 56 undefined property "a" lies outside of every node',
    ]);
    expect(said(blobOf([1, 0, 3, 0, 2, 2, 9], 'a\0@\0'))).toEqual([
      'BAD_NAME 64 / property name "@" has characters outside the Devicetree Specification',
    ]);
    expect(said(blobOf([1, 0, 1, 0x61404000, 2, 2, 9]))).toEqual([
      'BAD_NAME 64 /a@@ node name "a@@" has characters outside the Devicetree Specification',
    ]);
  });

  it('takes names together up to a limit and not a byte more', () => {
    // Every property has the same name; they add up to 16 times the blob and 1 MiB.
    const length = 5000;
    const verdict = (count: number, extra: number) => {
      const tokens = [1, 0, ...Array.from({ length: count }, () => [3, 0, 0]).flat(), 2, 9];
      const blob = blobOf(tokens, `${'a'.repeat(length)}\0`);
      const padded = new Uint8Array(blob.length + extra);
      padded.set(blob);
      return { errors: checkFdt(padded).errors, size: padded.length };
    };
    const count = 235;
    const { size } = verdict(count, 0);
    const spare = count * length - (1 << 20) - 16 * size;
    expect(spare).toBeGreaterThan(0);
    const enough = Math.ceil(spare / 16);
    expect(verdict(count, enough).errors).toEqual([]);
    expect(verdict(count, enough - 1).errors).toEqual([
      {
        code: 'BADLAYOUT',
        offset: 64 + 12 * (count - 1),
        message: `the names of the properties up to here add up to more than ${(1 << 20) + 16 * (size + enough - 1)} bytes, in a blob of ${size + enough - 1}`,
      },
    ]);
  });
});
