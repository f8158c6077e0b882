// SPDX-License-Identifier: Apache-2.0
// Each rule between fields and between elements, in the smallest layout that has it: what is said, and of what nothing is.
import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/fdt/index.js';
import {
  array,
  bits,
  bytes,
  chars,
  check,
  decimal,
  each,
  encodeUnchecked,
  type FieldRule,
  type Layout,
  node,
  part,
  struct,
  text,
  u8,
  u16,
  union,
} from '../../src/schemas/index.js';
import { checkArray, checkFields, compareInTurn } from '../../src/schemas/lang/field-rules.js';

const saidOf = (layout: Layout, value: unknown): string[] =>
  check(layout, encodeUnchecked(layout, value)).issues.map(formatIssue);

const doc = 'as it should be';
const fieldsWith = (rule: FieldRule) => struct('s', { a: u8(), b: u8(), c: u8() }, { rules: [rule] });
const broken = (rule: FieldRule, a: number, b: number, c = 0): boolean => {
  const said = saidOf(fieldsWith(rule), { a, b, c });
  const shown = rule.fields.map((field) => `${field} ${{ a, b, c }[field]}`).join(', ');
  if (said.length > 0) expect(said).toEqual([`0x0: BAD_VALUE: expected ${doc}, found ${shown}`]);
  return said.length > 0;
};

describe('rules between fields', () => {
  it('are zero together, or none is', () => {
    const rule = { rule: 'zero-together', fields: ['a', 'b', 'c'], doc } as const;
    expect([broken(rule, 0, 0, 0), broken(rule, 1, 2, 3)]).toEqual([false, false]);
    expect([broken(rule, 0, 1, 1), broken(rule, 1, 0, 1), broken(rule, 0, 0, 1)]).toEqual([true, true, true]);
  });

  it('are zero when another is', () => {
    const rule = { rule: 'zero-when', fields: ['a', 'b'], when: 'c', doc } as const;
    expect([broken(rule, 0, 0, 0), broken(rule, 1, 1, 1), broken(rule, 1, 0, 1)]).toEqual([
      false,
      false,
      false,
    ]);
    expect([broken(rule, 1, 0, 0), broken(rule, 0, 1, 0), broken(rule, 1, 1, 0)]).toEqual([true, true, true]);
  });

  it('are at least as large as another, or as so many of it', () => {
    const rule = { rule: 'at-least', fields: ['a', 'b'], doc } as const;
    expect([broken(rule, 2, 2), broken(rule, 1, 2), broken(rule, 0, 0)]).toEqual([false, true, false]);
    const times = { ...rule, times: 3n };
    expect([broken(times, 6, 2), broken(times, 5, 2), broken(times, 1, 0)]).toEqual([false, true, false]);
  });

  it('are not zero unless a bit says so', () => {
    const rule = { rule: 'not-zero-unless', fields: ['a', 'b'], when: 'c', doc } as const;
    const said = (rules: FieldRule, a: number, b: number, c: number) =>
      saidOf(fieldsWith(rules), { a, b, c });
    expect(said(rule, 1, 1, 0)).toEqual([]);
    expect(said(rule, 0, 0, 1)).toEqual([]);
    expect(said(rule, 0, 0, 0)).toEqual([
      `0x0 .a: BAD_VALUE: expected ${doc}, found 0`,
      `0x1 .b: BAD_VALUE: expected ${doc}, found 0`,
    ]);
    expect(said({ ...rule, mask: 2n }, 1, 0, 2)).toEqual([]);
    expect(said({ ...rule, mask: 2n }, 1, 0, 5)).toEqual([`0x1 .b: BAD_VALUE: expected ${doc}, found 0`]);
    expect(said({ rule: 'not-zero-unless', fields: ['a'], doc }, 0, 1, 1)).toHaveLength(1);
  });

  it('reach into structs and cases of unions', () => {
    const inner = struct('inner', { x: u8(), y: u8() });
    const layout = struct(
      's',
      {
        kind: u8(),
        deep: struct('deep', { before: u16(), inner }),
        which: union('kind', {
          one: { when: 1, type: inner },
          two: { when: 2, type: struct('two', { z: u8() }) },
        }),
        bytes: bytes(1),
      },
      { rules: [{ rule: 'not-zero-unless', fields: ['deep.inner.y', 'which.one.y'], doc }] },
    );
    const value = {
      kind: 1,
      deep: { before: 1, inner: { x: 1, y: 0 } },
      which: { one: { x: 1, y: 0 } },
      bytes: Uint8Array.of(0),
    };
    expect(saidOf(layout, value)).toEqual([
      `0x4 .deep.inner.y: BAD_VALUE: expected ${doc}, found 0`,
      `0x6 .which.one.y: BAD_VALUE: expected ${doc}, found 0`,
    ]);
    // Of the other case the rule says nothing.
    expect(saidOf(layout, { ...value, kind: 2, which: { two: { z: 0 } } })).toHaveLength(1);
  });

  it('are the name of the node', () => {
    const leaf = node({ properties: { id: u8() }, rules: [{ rule: 'equals-name', fields: ['id'], doc }] });
    const layout = node({ each: each('all', decimal(), leaf) });
    expect(saidOf(layout, { all: [{ $name: 3, id: 3 }] })).toEqual([]);
    const [said] = saidOf(layout, { all: [{ $name: 3, id: 4 }] });
    expect(said).toMatch(new RegExp(`/3: BAD_VALUE: expected ${doc}, found id 4 in a node called 3$`));
  });
});

describe('rules between elements', () => {
  const pair = struct('pair', { x: u8(), y: u16() });
  const listed = (rule: FieldRule) => struct('s', { unit: u8(), list: array(pair, 3) }, { rules: [rule] });

  it('are multiples, of a number or of a power of two beside them', () => {
    const list = [
      { x: 0, y: 6 },
      { x: 0, y: 8 },
      { x: 0, y: 12 },
    ];
    const rule = { rule: 'elements-multiple-of', fields: ['list', 'y'], doc } as const;
    expect(saidOf(listed({ ...rule, times: 2n }), { unit: 0, list })).toEqual([]);
    expect(saidOf(listed({ ...rule, times: 4n }), { unit: 0, list })).toEqual([
      '0x2 .list[0].y: BAD_VALUE: expected a multiple of 0x4, found 0x6',
    ]);
    expect(saidOf(listed({ ...rule, times: 2n, shift: 'unit' }), { unit: 2, list })).toEqual([
      '0x2 .list[0].y: BAD_VALUE: expected a multiple of 0x8, found 0x6',
      '0x8 .list[2].y: BAD_VALUE: expected a multiple of 0x8, found 0xc',
    ]);
    // A field that elements do not have, or a list that there is not.
    for (const fields of [['list', 'none'], ['none', 'y'], ['unit', 'y'], []])
      expect(saidOf(listed({ ...rule, fields, times: 4n }), { unit: 1, list })).toEqual([]);
  });

  it('ascend by one field after another', () => {
    const rule = { rule: 'elements-ascending', fields: ['list', 'x', 'y'], doc } as const;
    const said = (...pairs: readonly (readonly [number, number])[]) =>
      saidOf(listed(rule), { unit: 0, list: pairs.map(([x, y]) => ({ x, y })) });
    expect(said([1, 9], [2, 1], [2, 2])).toEqual([]);
    expect(said([1, 9], [2, 1], [2, 1])).toEqual([
      '0x7 .list[2].x: BAD_VALUE: expected x, y after 2, 1, as in [1], found 2, 1',
    ]);
    expect(said([3, 9], [2, 10], [3, 8])).toEqual([
      '0x4 .list[1].x: BAD_VALUE: expected x, y after 3, 9, as in [0], found 2, 10',
    ]);
    for (const fields of [['none', 'x'], ['unit', 'x'], []])
      expect(
        saidOf(listed({ ...rule, fields }), { unit: 0, list: [1, 1, 1].map((x) => ({ x, y: 1 })) }),
      ).toEqual([]);
    expect([
      compareInTurn([1n, 2n], [1n, 2n]),
      compareInTurn([1n, 1n], [1n, 2n]),
      compareInTurn([2n], [1n]),
    ]).toEqual([0, -1, 1]);
  });

  it('are unique or ascending in one field, where elements have it', () => {
    const list = array(pair, 'rest', { unique: 'x', ascending: 'y' });
    const said = (...pairs: readonly (readonly [number, number])[]) =>
      saidOf(
        list,
        pairs.map(([x, y]) => ({ x, y })),
      );
    expect(said([1, 1], [2, 2], [3, 3])).toEqual([]);
    expect(said([1, 2], [2, 2], [1, 1], [3, 4])).toEqual([
      '0x4 [1].y: BAD_VALUE: expected more than 2, as in [0], found 2',
      '0x6 [2].x: BAD_VALUE: expected a value that [0] does not have, found 1',
      '0x7 [2].y: BAD_VALUE: expected more than 2, as in [1], found 1',
    ]);
    const only = array(pair, 'rest', { unique: 'x' });
    expect(
      saidOf(
        only,
        [2, 1].map((x) => ({ x, y: 0 })),
      ),
    ).toEqual([]);
    const numbers = array(u8(), 'rest', { unique: 'x', ascending: 'x' });
    expect(saidOf(numbers, [1, 1])).toEqual([]);
    const halves = array(bits(8, { low: part(4), high: part(4) }), 'rest', { unique: 'low' });
    expect(
      saidOf(
        halves,
        [1, 1].map((low) => ({ low, high: 0 })),
      ),
    ).toEqual(['0x1 [1].low: BAD_VALUE: expected a value that [0] does not have, found 1']);
  });

  it('judge nothing that was not decoded', () => {
    const said: unknown[] = [];
    const place = { offset: 0, path: '' };
    const list = array(pair, 'rest', { unique: 'x', ascending: 'y' });
    checkArray(list, undefined, place, (issue) => said.push(issue));
    checkArray(list, [{}, 1, { y: 1 }, {}, { x: 1, y: 1 }], place, ({ path }) => said.push(path));
    // Two without an x are alike in that.
    expect(said).toEqual(['[2].x', '[3].x']);
    const rules = (['elements-multiple-of', 'elements-ascending'] as const).map(
      (rule): FieldRule => ({ rule, fields: ['list', 'x'], doc }),
    );
    const type = listed({ rule: 'at-least', fields: ['unit', 'unit'], doc });
    for (const value of [{}, { list: 1 }, { list: [1, 'a'].slice(0, 1) }])
      checkFields(rules, value, place, (issue) => said.push(issue), type);
    checkFields(rules, { list: [{ x: 1 }, { x: 1 }] }, place, (issue) => said.push(issue));
    expect(said).toHaveLength(2);
  });
});

describe('rules of text and what is reserved', () => {
  it('say what is behind a NUL', () => {
    const layout = struct('s', { a: chars(6) });
    expect(saidOf(layout, { a: 'a\0b' })).toEqual([
      '0x0 .a: NOT_ZERO: expected zeros after the first NUL, found "a\\x00b"',
    ]);
    expect(saidOf(layout, { a: 'abcdef' })).toEqual([
      '0x0 .a: BAD_VALUE: expected a NUL within 6 bytes, found none',
    ]);
    expect(saidOf(text(), 'a')).toEqual([]);
  });
});
