// SPDX-License-Identifier: Apache-2.0
// C headers, dt-schema documents and descriptions of small layouts, word for word: what a user copies into a kernel tree.
import { describe, expect, it } from 'vitest';
import {
  array,
  bits,
  bytes,
  cHeader,
  chars,
  check,
  describe as describeLayout,
  dtSchema,
  each,
  encodeUnchecked,
  type Layout,
  type MemoryType,
  name,
  node,
  optional,
  part,
  pointer,
  relatedLayouts,
  reserved,
  s32,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  union,
} from '../../src/schemas/index.js';
import { toYaml } from '../../src/schemas/lang/yaml.js';

/** The part of a header that declares one struct. */
function declared(layout: Layout, of: string): string {
  const text = cHeader(layout, 'H');
  const start = text.indexOf(`struct ${of} {`);
  return text.slice(start, text.indexOf('\n\n', start)).replaceAll('\t', '  ');
}

describe('a C header', () => {
  const pair = bits(16, { a: part(4), b: part(12) });

  it('declares arrays of bit fields and of unions', () => {
    const of = union('n', { one: { when: 1, type: struct('one', { x: u8() }) } }, { size: 4 });
    expect(
      declared(struct('s', { n: u8({ doc: '' }), pairs: array(pair, 2), some: array(of, 3) }), 's'),
    ).toBe(
      `struct s {
  __u8 n;
  __u16 pairs[2];
  __u8 some[4][3];
} __attribute__((packed));
_Static_assert(sizeof(struct s) == 17, "s");
_Static_assert(offsetof(struct s, n) == 0, "s.n");
_Static_assert(offsetof(struct s, pairs) == 1, "s.pairs");
_Static_assert(offsetof(struct s, some) == 5, "s.some");`,
    );
  });

  it('gives what is left of a struct of known size its length, and nothing else', () => {
    const head = { a: u32() };
    const first = (type: Layout) => declared(type, 's').split('\n').slice(1, -1).join('\n');
    expect(first(struct('s', { ...head, rest: reserved('rest') }, { size: 64 }))).toBe(`  __u32 a;
  __u8 rest[60];
} __attribute__((packed));
_Static_assert(sizeof(struct s) == 64, "s");
_Static_assert(offsetof(struct s, a) == 0, "s.a");`);
    expect(first(struct('s', { ...head, rest: bytes('rest') }, { size: 64 }))).toBe(`  __u32 a;
  __u8 rest[];
} __attribute__((packed));
_Static_assert(sizeof(struct s) == 4, "s");
_Static_assert(offsetof(struct s, a) == 0, "s.a");`);
    expect(first(struct('s', { ...head, rest: reserved('rest') }))).toBe(`  __u32 a;
  __u8 rest[];
} __attribute__((packed));
_Static_assert(offsetof(struct s, a) == 0, "s.a");`);
    expect(first(struct('s', { ...head, gap: reserved(4), note: text() }))).toBe(`  __u32 a;
  __u8 gap[4];
  char note[];
} __attribute__((packed));
_Static_assert(sizeof(struct s) == 8, "s");
_Static_assert(offsetof(struct s, a) == 0, "s.a");
_Static_assert(offsetof(struct s, gap) == 4, "s.gap");`);
  });

  it('declares structs that patterned nodes hold, in themselves or behind pointers', () => {
    const held = struct('held', { x: u8() });
    const far = struct('far', { x: u8() });
    const inner = node({
      properties: { held, to: pointer({ to: 'layout', layout: far }) },
    });
    const layout = node({ each: each('all', name(), inner) });
    expect(declared(layout, 'held')).toContain('sizeof(struct held) == 1');
    expect(declared(layout, 'far')).toContain('sizeof(struct far) == 1');
    expect(relatedLayouts(layout)).toContain(far);
  });
});

describe('a dt-schema document', () => {
  const schemaOf = (options: Parameters<typeof node>[0]): string =>
    dtSchema(node(options), { name: 'n', title: 't', maintainers: ['m'] }).split(
      'maintainers:\n  - m\n',
    )[1] ?? '';
  const propertyOf = (type: MemoryType): string =>
    (schemaOf({ compatible: 'c', properties: { x: type } }).split('\n  x:\n')[1] ?? '')
      .split('\nrequired:')[0]
      ?.replaceAll('    ', '') ?? '';

  it('chooses trees without a string by the properties that they must have', () => {
    expect(schemaOf({ properties: { a: u8(), b: optional(u8()), c: u8() } })).toMatch(
      /^select:\n {2}required:\n {4}- a\n {4}- c\nproperties:\n/,
    );
    expect(schemaOf({ properties: { b: optional(u8()) } })).toMatch(/^properties:\n {2}b:/);
    expect(schemaOf({ compatible: 'c' })).toMatch(/^properties:\n {2}compatible:/);
    expect(schemaOf({})).toBe('additionalProperties: false\n');
  });

  it('describes a node by its words and its rules', () => {
    const rules = [{ rule: 'at-least', fields: ['a', 'b'], doc: 'a not below b' }] as const;
    const properties = { a: u8(), b: u8() };
    expect(schemaOf({ compatible: 'c', properties, rules, doc: 'A node.' })).toMatch(
      /^description: "A node\. Rule: a not below b\."\nproperties:/,
    );
    expect(schemaOf({ compatible: 'c', properties, rules })).toMatch(
      /^description: "Rule: a not below b\."\n/,
    );
  });

  it('names strings, as patterns where they hold what no constant may', () => {
    expect(schemaOf({ compatible: 'a,b-v1.0 #2+/_' })).toContain(
      'contains:\n      const: "a,b-v1.0 #2+/_"\n',
    );
    for (const [string, pattern] of [
      ['a;b', '^a;b$'],
      [';', '^;$'],
      ['kho-v4;', '^kho-v4;$'],
      [';kho-v4', '^;kho-v4$'],
      ['a(b)', '^a\\\\(b\\\\)$'],
    ] as const)
      expect(schemaOf({ compatible: string })).toContain(`contains:\n      pattern: "${pattern}"\n`);
  });

  it('gives properties their type, size and words', () => {
    const types = '/schemas/types.yaml#/definitions';
    const ref = (of: string): string => `"$ref": "${types}/${of}"`;
    const native = 'description: native byte order\n';
    expect(propertyOf(u32())).toBe(`${native}${ref('uint32')}`);
    expect(propertyOf(s32({ unit: 'pages', doc: '' }))).toBe(
      `description: "in pages; native byte order"\n${ref('int32')}`,
    );
    expect(propertyOf(u32({ bigEndian: true, doc: 'd', max: 3n }))).toBe(
      `description: "d; at most 3"\n${ref('uint32')}`,
    );
    const to = { to: 'memory' } as const;
    expect(propertyOf(pointer(to))).toBe(`${native}${ref('uint64')}`);
    expect(propertyOf(pointer(to, { bigEndian: true, doc: 'd' }))).toBe(`description: d\n${ref('uint64')}`);
    expect(propertyOf(chars(8, { doc: 'd' }))).toBe(
      `description: d\n${ref('uint8-array')}\nminItems: 8\nmaxItems: 8`,
    );
    expect(propertyOf(bits(64, { a: part(64) }))).toBe(
      `${native}${ref('uint8-array')}\nminItems: 8\nmaxItems: 8`,
    );
    expect(propertyOf(array(u32(), 1))).toBe(`${native}${ref('uint8-array')}\nminItems: 4\nmaxItems: 4`);
    expect(propertyOf(array(u32(), 'rest'))).toBe(`${native}${ref('uint8-array')}`);
    expect(propertyOf(u16())).toBe(`${native}${ref('uint8-array')}\nminItems: 2\nmaxItems: 2`);
    expect(propertyOf(text({ doc: 'd' }))).toBe(`description: d\n${ref('string')}`);
    expect(propertyOf(text({ includes: 'i' }))).toBe('contains:\n  const: i');
  });

  it('is YAML with empty lists and mappings where they stand', () => {
    expect(toYaml({ a: [], b: {}, c: [[]], d: ['[]'], e: { f: {} }, g: [{}], h: 1, i: true })).toBe(
      'a: []\nb: {}\nc:\n  - []\nd:\n  - "[]"\ne:\n  f: {}\ng:\n  - {}\nh: 1\ni: true\n',
    );
  });
});

describe('the description of an array', () => {
  const rowOf = (type: MemoryType) => describeLayout(type)[0];

  it('says what holds for each of its elements', () => {
    expect(rowOf(array(u32({ min: 2n, flags: { A: 1n }, names: { B: 2n } }), 3))).toMatchObject({
      rules: ['of each: at least 2'],
      names: ['A 0x1', 'B 0x2'],
      target: undefined,
    });
    const target = { to: 'layout', layout: struct('s', { a: u8() }) } as const;
    expect(rowOf(array(pointer(target, { align: 8 }), 3))).toMatchObject({
      rules: ['of each: a multiple of 0x8', 'of each: 0 for nothing'],
      target: 'struct s',
    });
    expect(rowOf(array(pointer(target, { nullable: false }), 3))).toMatchObject({
      rules: ['of each: at least 1'],
    });
    const rules = [{ rule: 'at-least', fields: ['a', 'b'], doc: 'a not below b' }] as const;
    expect(rowOf(array(struct('s', { a: u8(), b: u8() }, { rules }), 3, { unique: 'a' }))).toMatchObject({
      rules: ['no two of one a', 'of each: a not below b'],
    });
    expect(rowOf(array(chars(4), 3))).toMatchObject({ rules: [], names: [], target: undefined });
  });

  it('has the bits of its elements', () => {
    const found = describeLayout(array(bits(16, { a: part(4, { doc: 'd' }), b: part(12) }), 2));
    expect(found.map(({ path, type, doc, offset }) => [path, type, doc, offset])).toEqual([
      ['value', 'u16[2]', '', 0],
      ['value[].a', 'bits 0 to 3', 'd', 0],
      ['value[].b', 'bits 4 to 15', '', 0],
    ]);
  });

  it('and of what pointers lead to says how many there are', () => {
    const of = struct('s', { a: u8() });
    const targetOf = (target: Parameters<typeof pointer>[0]) =>
      describeLayout(struct('p', { n: u64(), to: pointer(target) })).at(-1)?.target;
    expect(targetOf({ to: 'layout', layout: array(of, 'rest'), elements: 'n' })).toBe('struct s[n]');
    expect(targetOf({ to: 'layout', layout: array(of, 'rest') })).toBe('struct s[]');
    expect(targetOf({ to: 'layout', layout: of, elements: 'n' })).toBe('struct s');
  });
});

describe('what is said of a value', () => {
  it('is cut short where it is long text', () => {
    const layout = struct('s', { a: chars(80, { constant: 'x' }) });
    const said = (length: number) =>
      check(layout, encodeUnchecked(layout, { a: 'y'.repeat(length) })).issues[0]?.found;
    expect(said(60)).toBe(`"${'y'.repeat(60)}"`);
    expect(said(61)).toBe(`"${'y'.repeat(60)}…"`);
  });
});
