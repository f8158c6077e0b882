// SPDX-License-Identifier: Apache-2.0
// A layout with one of each kind of member, and a value of it. No kernel has it.
import {
  array,
  bits,
  bytes,
  chars,
  decimal,
  each,
  khoRadixTree,
  link,
  name,
  node,
  optional,
  part,
  pointer,
  reserved,
  s32,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  union,
  unused,
  vmallocOf,
} from '../../src/schemas/index.js';

/** What pointers and arrays hold. */
export const inner = struct(
  'inner',
  {
    a: u32({ doc: 'the first', unit: 'bytes', min: 2n, max: 8n, multipleOf: 2n }),
    flags: u16({ flags: { LOW: 1n, HIGH: 2n }, mask: 3n }),
    kind: u8({ names: { ONE: 1n, TWO: 2n }, oneOf: [1n, 2n] }),
    pad: reserved(1, 'padding'),
  },
  { doc: 'Cannot end a comment with */ this.', packed: false },
);

/** A block of a list of at most three. */
export const page = struct(
  'page',
  {
    next: link({ limit: 3, doc: 'the next' }),
    count: u64({ unit: 'elements' }),
    list: array(inner, { field: 'count' }, { doc: 'in order', unique: 'a', ascending: 'a' }),
    rest: reserved('rest'),
  },
  { size: 64, align: 4096 },
);

/** A struct that ends in as many elements as it counts. */
export const open = struct('open', { count: u32(), items: array(u16(), { field: 'count' }) });

const tree = node({ doc: 'A tree of its own.', properties: { x: u8() } });

const fixed = struct(
  'fixed',
  {
    kind: u32(),
    big16: u16({ bigEndian: true }),
    small: u8(),
    signed: s32({ doc: 'may be negative' }),
    version: chars(8, { constant: 'v1', nonEmpty: true, doc: 'which' }),
    letters: chars(4, { terminated: false }),
    raw: bytes(3, 'as they are'),
    unused: unused(2, 'whatever'),
    zero: reserved(4),
    one: pointer({ to: 'layout', layout: inner }, { nullable: false, align: 8, doc: 'the one' }),
    many: pointer({ to: 'layout', layout: array(u16(), 'rest'), elements: 'kind' }),
    open: pointer({ to: 'layout', layout: open }),
    page: pointer({ to: 'layout', layout: page }),
    tree: pointer({ to: 'layout', layout: tree }),
    memory: pointer({ to: 'memory', length: 'kind' }, { flags: { BUSY: 1n } }),
    any: pointer({ to: 'memory' }, { bigEndian: true }),
    found: pointer({ to: 'lookup', group: 'things', key: 'version' }),
    other: pointer({ to: 'lookup', group: 'things' }),
    radix: pointer({ to: 'radix', tree: khoRadixTree }),
    numbers: array(u16(), 3),
    words: bits(64, {
      low: part(12, { doc: 'low bits */', flags: { VALID: 1n }, mask: 3n }),
      middle: part(40),
      high: part(12, { min: 1n }),
    }),
    byte: bits(8, { one: part(1), rest: part(7) }),
    which: union(
      'kind',
      {
        first: { when: 1, type: struct('first', { x: u32({ doc: 'an x' }) }) },
        second: { when: 2, type: struct('second', { y: u64(), z: u16() }) },
      },
      { size: 16, doc: 'by kind' },
    ),
    files: vmallocOf(inner, 'kind', { doc: 'the files' }),
    last: struct('last', { a: u8(), nested: struct('nested', { b: u16() }) }),
  },
  {
    doc: 'Of fixed size.',
    rules: [{ rule: 'zero-together', fields: ['kind', 'small'], doc: 'all or none' }],
  },
);

/** See the head of this file. */
export const oneOfEach = node({
  doc: 'One of each.',
  compatible: 'one-of-each-v1',
  properties: {
    fixed,
    note: text({ doc: 'for people' }),
    cell: u32({ bigEndian: true, doc: 'a cell', unit: 'pages', max: 100n }),
    cells: u64({ bigEndian: true }),
    native: u64({ flags: { ON: 1n } }),
    negative: s32(),
    small: u8(),
    label: chars(6),
    blob: bytes('rest'),
    three: bytes(3),
    may: optional(u16({ doc: 'or may not' })),
    list: array(inner, 'rest', { unique: 'a' }),
    open,
    to: pointer({ to: 'lookup', group: 'things', key: '$name', sized: 'fdt' }),
  },
  children: {
    inside: node({ properties: { x: u8({ doc: 'x */' }) } }),
    perhaps: optional(node({ doc: 'Not always.', properties: { y: optional(u8()) } })),
  },
  each: each(
    'users',
    name({ maxLength: 9, doc: 'who' }),
    node({
      doc: 'A user.',
      properties: { id: u32() },
      each: each('numbers', decimal({ min: 1, max: 5 }), node({ properties: { value: u8() } })),
    }),
  ),
  rules: [{ rule: 'zero-together', fields: ['native', 'small'], doc: 'both or neither' }],
});

const element = { a: 2, flags: 3, kind: 1 };

/** A value that breaks no rule. */
export const sample = {
  compatible: 'one-of-each-v1',
  fixed: {
    kind: 1,
    big16: 0x1234,
    small: 5,
    signed: -7,
    version: 'v1',
    letters: 'abcd',
    raw: Uint8Array.of(1, 2, 3),
    one: 0x1000n,
    many: 0n,
    open: 0n,
    page: 0n,
    tree: 0n,
    memory: 0x2001n,
    any: 0x123456789abcdef0n,
    found: 0n,
    other: 0n,
    radix: 0n,
    numbers: [1, 2, 0xffff],
    words: { low: 1, middle: 0xfedcba9876, high: 0xfff },
    byte: { one: 1, rest: 0x55 },
    which: { first: { x: 9 } },
    files: { first: 0n, total_pages: 0, flags: 0, order: 0 },
    last: { a: 1, nested: { b: 0x203 } },
  },
  note: 'hello',
  cell: 99,
  cells: 0x0102030405060708n,
  native: 1n,
  negative: -1,
  small: 1,
  label: 'label',
  blob: Uint8Array.of(0xaa, 0xbb),
  three: Uint8Array.of(7, 8, 9),
  may: 0x102,
  list: [element, { ...element, a: 4 }],
  open: { count: 2, items: [3, 4] },
  to: 0x5000n,
  inside: { x: 1 },
  perhaps: { y: 2 },
  users: [
    { $name: 'ann', id: 1, numbers: [{ $name: 1, value: 4 }] },
    { $name: 'bob', id: 2, numbers: [] },
  ],
};
