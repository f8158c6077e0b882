// SPDX-License-Identifier: Apache-2.0
// Types with bytes in memory at their edges: the last bit, the last element, a size that is given and one that is not.
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/fdt/index.js';
import {
  array,
  bits,
  bytes,
  chars,
  check,
  decode,
  each,
  encodeUnchecked,
  type Layout,
  name,
  node,
  part,
  pointer,
  reserved,
  s32,
  sizeOf,
  spansOf,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  union,
  unused,
  valueFromJson,
  vmallocOf,
} from '../../src/schemas/index.js';
import { alignOf } from '../../src/schemas/lang/size.js';

const of = (...values: number[]): Uint8Array => Uint8Array.from(values);
const ones = (length: number): Uint8Array => new Uint8Array(length).fill(255);
const issuesOf = (layout: Layout, value: Uint8Array, maxIssues?: number): string[] =>
  check(layout, value, maxIssues === undefined ? {} : { maxIssues }).issues.map(formatIssue);

describe('integers', () => {
  it('of any width may have a sign', () => {
    for (const [width, minus] of [
      [8, -1],
      [16, -1],
      [32, -1],
      [64, -1n],
    ] as const) {
      const signed = { ...s32(), bits: width };
      expect(decode(signed, ones(width / 8))).toBe(minus);
      expect(encodeUnchecked(signed, minus)).toEqual(ones(width / 8));
      expect(() => encodeUnchecked(signed, 2n ** BigInt(width - 1))).toThrow(
        `a signed integer of ${width} bits`,
      );
    }
    // Pointers have none.
    expect(encodeUnchecked(pointer({ to: 'memory' }), 2n ** 64n - 1n)).toEqual(ones(8));
  });

  it('as bit fields end where the next begins, up to the last bit of 64', () => {
    for (const [low, wide] of [
      [1, 53],
      [10, 54],
      [32, 32],
      [31, 33],
      [33, 31],
      [11, 53],
    ] as const) {
      const layout = bits(64, { low: part(low), wide: part(wide), rest: part(64 - low - wide) });
      const all = decode(layout, ones(8));
      expect([BigInt(all.low), BigInt(all.wide), BigInt(all.rest)]).toEqual([
        2n ** BigInt(low) - 1n,
        2n ** BigInt(wide) - 1n,
        2n ** BigInt(64 - low - wide) - 1n,
      ]);
      const first = decode(layout, of(1, 0, 0, 0, 0, 0, 0, 0));
      expect([Number(first.low), Number(first.wide), Number(first.rest)]).toEqual([1, 0, 0]);
      const one = decode(layout, encodeUnchecked(layout, { low: 0, wide: 1n, rest: 0 }));
      expect([Number(one.low), Number(one.wide), Number(one.rest)]).toEqual([0, 1, 0]);
    }
    expect(typeof decode(bits(64, { a: part(53), b: part(11) }), ones(8)).a).toBe('number');
    expect(typeof decode(bits(64, { a: part(54), b: part(10) }), ones(8)).a).toBe('bigint');
  });
});

describe('text and bytes', () => {
  it('of zeros only are empty, not what lies before them', () => {
    const layout = struct('s', { a: chars(2), b: chars(2), c: u8() });
    expect(decode(layout, of(0x61, 0x62, 0, 0, 0))).toEqual({ a: 'ab', b: '', c: 0 });
    expect(decode(layout, of(0, 0, 0x61, 0, 1))).toEqual({ a: '', b: 'a', c: 1 });
  });

  it('can hold what Latin-1 can', () => {
    expect(encodeUnchecked(text(), 'é')).toEqual(of(0xe9, 0));
    expect(() => encodeUnchecked(text(), '€')).toThrow(
      'BAD_TYPE: expected text of characters U+0000 to U+00FF, found "',
    );
    expect(() => encodeUnchecked(text(), 3)).toThrow('BAD_TYPE: expected text, found 3');
    expect(() => encodeUnchecked(struct('s', { a: u8(), t: text() }), { a: 1, t: '€' })).toThrow(
      '0x1 .t: BAD_TYPE',
    );
    expect(encodeUnchecked(struct('s', { a: u8(), t: text() }), { a: 1, t: 'x' })).toEqual(of(1, 0x78, 0));
  });

  it('of fixed length stand before what is counted', () => {
    const layout = struct('s', {
      three: bytes(3),
      gap: unused(2),
      n: u8(),
      list: array(u8(), { field: 'n' }),
    });
    const value = { three: of(1, 2, 3), gap: of(4, 5), n: 2, list: [7, 8] };
    const encoded = encodeUnchecked(layout, value);
    expect(encoded).toEqual(of(1, 2, 3, 4, 5, 2, 7, 8));
    expect(decode(layout, encoded)).toEqual(value);
    expect(decode(layout, of(1, 2, 3, 0, 0, 1, 7))).toEqual({ three: of(1, 2, 3), n: 1, list: [7] });
    for (const [length, path, size, left] of [
      [2, '.three', 3, 2],
      [4, '.gap', 2, 1],
      [5, '.n', 1, 0],
    ] as const) {
      const at = { '.three': 0, '.gap': 3, '.n': 5 }[path];
      expect(issuesOf(layout, encoded.subarray(0, length))).toEqual([
        `0x${at} ${path}: TRUNCATED: expected ${size} bytes, found ${left} left`,
      ]);
    }
  });
});

describe('structs', () => {
  const list = { n: u8(), list: array(u16(), { field: 'n' }) };

  it('of a given size hold as much as fits, and what is left', () => {
    const layout = struct('s', { ...list, rest: reserved('rest') }, { size: 8 });
    expect(encodeUnchecked(layout, { n: 3, list: [1, 2, 3] })).toEqual(of(3, 1, 0, 2, 0, 3, 0, 0));
    expect(() => encodeUnchecked(layout, { n: 4, list: [1, 2, 3, 4] })).toThrow(
      '0x1 .list: BAD_COUNT: expected at most 3 elements, found 4',
    );
    // Two in a row: each has its own end.
    const two = struct('two', { a: layout, b: layout, c: u8() });
    const value = { a: { n: 1, list: [9] }, b: { n: 3, list: [1, 2, 3] }, c: 7 };
    expect(encodeUnchecked(two, value)).toEqual(of(1, 9, 0, 0, 0, 0, 0, 0, 3, 1, 0, 2, 0, 3, 0, 0, 7));
    expect(() => encodeUnchecked(two, { ...value, a: { n: 4, list: [1, 2, 3, 4] } })).toThrow(
      '0x1 .a.list: BAD_COUNT: expected at most 3 elements, found 4',
    );
  });

  it('say which fields they need, and what a case of a union may be', () => {
    const which = union('n', { one: { when: 1, type: struct('one', { x: u8() }) } }, { size: 4 });
    const layout = struct('s', { n: u8(), which });
    const expected = '0x1 .which: BAD_TYPE: expected one of one, raw, found';
    expect(() => encodeUnchecked(layout, { n: 1, which: 3 })).toThrow(`${expected} 3`);
    expect(() => encodeUnchecked(layout, { n: 1, which: {} })).toThrow(expected);
    expect(() => encodeUnchecked(layout, { n: 1, which: { two: {} } })).toThrow(`${expected} "two"`);
    expect(() => encodeUnchecked(layout, { n: 1 })).toThrow('0x1 .which: MISSING: expected one of one, raw');
    expect(() => encodeUnchecked(layout, { n: 1, which: { raw: of(1) } })).toThrow(
      '0x1 .which.raw: BAD_LENGTH: expected 4 bytes, found 1',
    );
    expect(() => encodeUnchecked(layout, { n: 1, which: { raw: undefined } })).toThrow(
      '0x1 .which.raw: MISSING: expected 4 bytes',
    );
    expect(encodeUnchecked(layout, { n: 9, which: { raw: of(1, 2, 3, 4) } })).toEqual(of(9, 1, 2, 3, 4));
    expect(() => valueFromJson(layout, { n: 1, which: { raw: 1 } })).toThrow('.which.raw: BAD_TYPE');
  });

  it('are as large as their case of most bytes, and aligned as their largest scalar', () => {
    const small = struct('small', { a: u8() });
    const large = struct('large', { a: u32(), b: u16() });
    const both = union('n', { a: { when: 0, type: small }, b: { when: 1, type: large } });
    expect(sizeOf(both)).toBe(6);
    expect(() =>
      union('n', { a: { when: 0, type: small }, b: { when: 1, type: large } }, { size: 5 }),
    ).toThrow("a case exceeds the union's 5 bytes");
    expect(() => union('n', { a: { when: 0, type: struct('open', { r: bytes('rest') }) } })).toThrow(
      'exceeds',
    );
    const plain = { packed: false } as const;
    const big = struct('big', { x: u64(), y: u8(), pad: reserved(7) }, plain);
    const aligned = (type: Parameters<typeof alignOf>[0]) => alignOf(type);
    expect(
      [pointer({ to: 'memory' }), bits(16, { a: part(16) }), array(u32(), 3), chars(8), big].map(aligned),
    ).toEqual([8, 2, 4, 1, 8]);
    expect(aligned(vmallocOf(u8(), 'n', { doc: '' }))).toBe(8);
    expect(aligned(union('n', { a: { when: 0, type: small }, b: { when: 1, type: big } }))).toBe(8);
    expect(aligned(struct('packed', { x: u64() }))).toBe(1);
  });

  it('that are not packed need no padding behind what is open', () => {
    expect(() =>
      struct('s', { n: u32(), b: u8(), list: array(u8(), { field: 'n' }) }, { packed: false }),
    ).not.toThrow();
    expect(() => struct('s', { n: u8(), list: array(u8(), { field: 'n' }) }, { size: 1 })).not.toThrow();
    expect(() => struct('s', { n: u32(), list: array(u8(), { field: 'n' }) }, { size: 3 })).toThrow(
      's has fields of 4 bytes, declared are 3',
    );
    for (const last of [reserved(2), bytes('rest')])
      expect(() => struct('s', { n: u8(), list: array(u8(), { field: 'n' }), last })).toThrow(
        's.last follows s.list',
      );
  });

  it('keep the rules that they are declared with', () => {
    const rules = [{ rule: 'at-least', fields: ['a', 'b'], doc: 'a not below b' }] as const;
    expect(struct('s', { a: u8(), b: u8() }, { rules }).rules).toEqual(rules);
    expect(node({ properties: { a: u8(), b: u8() }, rules }).rules).toEqual(rules);
  });
});

describe('nodes', () => {
  it('have each member once, the key of their patterned nodes included', () => {
    const inner = node({});
    expect(() => node({ properties: { a: u8() }, each: each('a', name(), inner) })).toThrow(
      'a node has two members of one name: a, a',
    );
    expect(() => node({ properties: { a: u8(), b: u8() }, children: { b: inner } })).toThrow(
      'a node has two members of one name: a, b, b',
    );
  });

  it('take names of as many characters as are allowed', () => {
    const layout = node({ each: each('all', name({ maxLength: 3 }), node({})) });
    expect(decode(layout, encodeUnchecked(layout, { all: [{ $name: 'abc' }] })).all).toEqual([
      { $name: 'abc' },
    ]);
    expect(() => encodeUnchecked(layout, { all: [{ $name: 'abcd' }] })).toThrow('BAD_NAME');
  });

  it('without patterned nodes do not know any', () => {
    const more = node({ properties: { a: u8() }, children: { x: node({}), y: node({}) } });
    const blob = encodeUnchecked(more, { a: 1, x: {}, y: {} });
    const { unknown } = check(node({ properties: { a: u8() } }), blob);
    expect(unknown.map(({ code, path, message }) => `${path} ${code} ${message}`)).toEqual([
      '/x UNKNOWN expected a declared node, found "x"',
      '/y UNKNOWN expected a declared node, found "y"',
    ]);
    expect(check(node({}), blob, { maxIssues: 2 }).unknown).toHaveLength(2);
    expect(check(node({}), blob, { maxIssues: 3 }).unknown).toHaveLength(3);
    expect(check(node({}), blob, { maxIssues: 1 }).unknown).toHaveLength(1);
  });

  it('hold text that must hold a string, or that is told of', () => {
    const layout = node({ properties: { t: text({ includes: 'x' }) } });
    const blob = (t: string) => encodeUnchecked(node({ properties: { t: text() } }), { t });
    expect(issuesOf(layout, blob('a\0x'))).toEqual([]);
    expect(issuesOf(layout, blob('ax'))).toHaveLength(1);
  });
});

describe('what is wrong', () => {
  it('is told up to as often as is asked', () => {
    const layout = array(u8({ max: 1n }), 5);
    expect([0, 1, 4, 5, 6].map((most) => issuesOf(layout, ones(5), most).length)).toEqual([0, 1, 4, 5, 5]);
  });

  it('is told of each bit field that breaks a rule, and of the least and the most there may be', () => {
    const layout = bits(8, { a: part(4, { max: 2n }), b: part(4, { min: 3n }) });
    expect(issuesOf(layout, of(0x23))).toEqual([
      '0x0 .a: BAD_VALUE: expected at most 2, found 3',
      '0x0 .b: BAD_VALUE: expected at least 3, found 2',
    ]);
    expect(issuesOf(layout, of(0x32))).toEqual([]);
  });
});

describe('spans', () => {
  it('name each byte of a struct, with the path that it has, and nothing empty', () => {
    const layout = struct('s', {
      n: u8(),
      which: union('n', { one: { when: 1, type: struct('one', { x: u8() }) } }, { size: 3 }),
      list: array(u16(), { field: 'n' }),
    });
    const shown = (value: Uint8Array, path?: string) =>
      spansOf(layout, value, path === undefined ? {} : { path }).map(
        ({ offset, length, path: at, label }) => `${offset}+${length} ${at} ${label}`,
      );
    expect(shown(of(1, 5, 0, 0, 1, 0))).toEqual([
      '0+1 .n integer',
      '1+1 .which.one.x integer',
      '2+2 .which.one.$rest reserved',
      '4+2 .list[0] integer',
    ]);
    expect(shown(of(0, 5, 0, 0))).toEqual(['0+1 .n integer', '1+3 .which union']);
    expect(shown(of(0, 5, 0, 0), '/x')).toEqual(['0+1 /x.n integer', '1+3 /x.which union']);
    const full = union('n', { one: { when: 0, type: struct('one', { x: u8() }) } });
    expect(spansOf(struct('s', { n: u8(), full }), of(0, 7)).map(({ path }) => path)).toEqual([
      '.n',
      '.full.one.x',
    ]);
    const open = struct('s', { n: u8(), t: text() });
    expect(spansOf(open, of(1, 0x61, 0)).map(({ length }) => length)).toEqual([1, 2]);
    const rest = struct('s', { n: u8(), rest: bytes('rest') });
    expect(spansOf(rest, of(1)).map(({ path }) => path)).toEqual(['.n']);
  });

  it('of an FDT read properties in the byte order given', () => {
    const layout = node({
      properties: { list: struct('s', { n: u16(), list: array(u8(), { field: 'n' }) }) },
    });
    const value = { list: { n: 2, list: [5, 6] } };
    const blob = encodeUnchecked(layout, value, { byteOrder: 'big' });
    const found = spansOf(layout, blob, { byteOrder: 'big', path: '/x' }).filter(
      ({ type }) => type !== undefined,
    );
    expect(found.map(({ path, value: shown }) => `${path} ${shown}`)).toEqual([
      '/x/list.n 2',
      '/x/list.list[0] 5',
      '/x/list.list[1] 6',
    ]);
  });
});

describe('JSON', () => {
  it('of bytes that must be zero may be there, as hex digits', () => {
    const layout = struct('s', { a: reserved(2), b: unused(1), c: bytes('rest') });
    expect(valueFromJson(layout, { a: '0102', b: 'ff', c: '' })).toEqual({
      a: of(1, 2),
      b: of(255),
      c: of(),
    });
    expect(() => valueFromJson(layout, { a: '012', b: 'ff', c: '' })).toThrow(
      '.a: BAD_TYPE: expected bytes in hex digits',
    );
    expect(() => valueFromJson(u8(), [3])).toThrow('0x0: BAD_TYPE: expected a whole number');
    expect(() => valueFromJson(u64(), ['0x10'])).toThrow('BAD_TYPE');
  });
});
