// SPDX-License-Identifier: Apache-2.0
// What derives from a layout with one of each kind of member, and what is said of every wrong value of it, as recorded
// in the folder one-of-each (KHO_RECORD=1 writes it anew: look at the difference).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KhoError } from '../../src/bytes/issue.js';
import { encodeFdt, FdtWriter, openFdt, readTree } from '../../src/fdt/index.js';
import { writeJsonValue } from '../../src/render/value-json.js';
import {
  array,
  bytes,
  cHeader,
  chars,
  check,
  decimal,
  decode,
  describe as describeLayout,
  dtSchema,
  encodeUnchecked,
  type FollowOptions,
  fingerprint,
  follow,
  khoVmallocChunk,
  type Layout,
  link,
  memblockV1,
  name,
  node,
  pointer,
  relatedLayouts,
  reserved,
  type SchemaIssue,
  s32,
  spansOf,
  step,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  unused,
  valueFromJson,
} from '../../src/schemas/index.js';
import { sizeInMemory } from '../../src/schemas/lang/size-in-memory.js';
import { readFixture } from '../fixtures.js';
import { FakeMemory } from './fake-memory.js';
import { inner, oneOfEach, open, page, sample } from './one-of-each.js';

function expectRecorded(name: string, text: string): void {
  const path = join(import.meta.dirname, 'one-of-each', name);
  if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

/** What a call says when it throws one of our errors, `taken` when it does not. */
function saidBy(call: () => unknown): string {
  try {
    call();
    return 'taken';
  } catch (error) {
    if (error instanceof KhoError) return error.message;
    throw error;
  }
}

/** `value` with each of its members in turn replaced by each of `others`, and what that was. */
function* replaced(
  value: unknown,
  others: readonly (readonly [string, unknown])[],
  path = '',
): Generator<readonly [string, unknown], void> {
  for (const [shown, other] of others) yield [`${path} = ${shown}`, other];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  for (const [key, member] of Object.entries(value)) {
    for (const [shown, other] of replaced(member, others, `${path}.${key}`)) {
      const copy: unknown = Array.isArray(value)
        ? value.map((each: unknown, index) => (String(index) === key ? other : each))
        : { ...value, [key]: other };
      yield [shown, copy];
    }
  }
}

function jsonOf(value: unknown): string {
  let text = '';
  writeJsonValue(
    (piece) => {
      text += piece;
    },
    value,
    '',
  );
  return text;
}

const blob = encodeUnchecked(oneOfEach, sample);

describe('a layout with one of each', () => {
  it('is described', () => {
    const rows = describeLayout(oneOfEach).map((row) => JSON.stringify(row));
    const parts = relatedLayouts(oneOfEach)
      .slice(1)
      .flatMap((layout) => describeLayout(layout).map((row) => JSON.stringify(row)));
    expectRecorded('description.jsonl', `${[...rows, ...parts].join('\n')}\n`);
  });

  it('becomes a C header', () => {
    expectRecorded('header.h', cHeader(oneOfEach, 'ONE_OF_EACH_H'));
  });

  it('becomes a dt-schema document', () => {
    const options = { name: 'one-of-each', title: 'One of each' };
    expectRecorded('schema.yaml', dtSchema(oneOfEach, options));
    expect(dtSchema(oneOfEach, { ...options, maintainers: ['A <a@b>'] })).toContain('A <a@b>');
  });

  it('has a fingerprint', () => {
    const prints = relatedLayouts(oneOfEach).map(fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expectRecorded('fingerprints.txt', `${prints.join('\n')}\n`);
  });

  it('comes back from its bytes, and from JSON', () => {
    expect(decode(oneOfEach, blob)).toEqual(sample);
    expect(check(oneOfEach, blob).issues).toEqual([]);
    expect(encodeUnchecked(oneOfEach, valueFromJson(oneOfEach, JSON.parse(jsonOf(sample))))).toEqual(blob);
    const big = encodeUnchecked(oneOfEach, sample, { byteOrder: 'big' });
    expect(decode(oneOfEach, big, { byteOrder: 'big' })).toEqual(sample);
    const hex = (bytes: Uint8Array): string =>
      readTree(openFdt(bytes))
        .root.properties.map(({ name, value }) => `${name} ${Buffer.from(value).toString('hex')}\n`)
        .join('');
    expectRecorded('bytes.txt', `${hex(blob)}\n${hex(big)}`);
  });

  it('names each byte', () => {
    const lines = [...spansOf(oneOfEach, blob)].map((span) =>
      JSON.stringify(span, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    );
    expectRecorded('spans.jsonl', `${lines.join('\n')}\n`);
  });

  it('says of every value that is none why it cannot be encoded', () => {
    const others = [
      ['nothing', undefined],
      ['"zz"', 'zz'],
      ['-1', -1],
      ['2^64', 2n ** 64n],
      ['[1]', [1]],
      ['{other: 1}', { other: 1 }],
      ['a byte', Uint8Array.of(1)],
    ] as const;
    const lines = [...replaced(sample, others)].map(
      ([what, value]) => `${what}: ${saidBy(() => encodeUnchecked(oneOfEach, value))}`,
    );
    expectRecorded('not-encoded.txt', `${lines.join('\n')}\n`);
  });

  it('says of JSON that is no value what is wrong', () => {
    const unknown = { properties: [{ name: 'p', value: Uint8Array.of(1) }], nodes: [] };
    const text = jsonOf({ ...sample, $unknown: unknown });
    const others = [
      ['null', null],
      ['"abc"', 'abc'],
      ['"12"', '12'],
      ['"0x1g"', '0x1g'],
      ['"x0x1"', 'x0x1'],
      ['1.5', 1.5],
      ['{other}', { other: 1 }],
      ['[null]', [null]],
    ] as const;
    const lines = [...replaced(JSON.parse(text), others)].map(
      ([what, value]) => `${what}: ${saidBy(() => valueFromJson(oneOfEach, value))}`,
    );
    expectRecorded('not-json.txt', `${lines.join('\n')}\n`);
  });

  it('says what is wrong with each property and node that is missing, too short, too long or doubled', () => {
    const { root } = readTree(openFdt(blob));
    const lines: string[] = [];
    const say = (what: string, change: (writer: FdtWriter) => void): void => {
      const writer = new FdtWriter();
      writer.finishReservations();
      writer.beginNode('');
      change(writer);
      writer.endNode();
      const { issues, unknown } = check(oneOfEach, writer.finish(), { base: 0x1000n });
      for (const { code, message, path, offset, address } of [...issues, ...unknown])
        lines.push(`${what}: ${path} ${offset} ${address?.toString(16)} ${code} ${message}`);
    };
    const copy = (writer: FdtWriter, node: typeof root, isRoot: boolean): void => {
      if (!isRoot) writer.beginNode(node.name);
      for (const { name, value } of node.properties) writer.property(name, value);
      for (const child of node.children) copy(writer, child, false);
      if (!isRoot) writer.endNode();
    };
    const changed = (name: string, change: (value: Uint8Array) => Uint8Array | undefined): typeof root => ({
      ...root,
      properties: root.properties.flatMap((each) => {
        const value = each.name === name ? change(each.value) : each.value;
        return value === undefined ? [] : [{ name: each.name, value }];
      }),
    });
    for (const { name } of root.properties) {
      say(`no ${name}`, (writer) =>
        copy(
          writer,
          changed(name, () => undefined),
          true,
        ),
      );
      say(`${name} shorter`, (writer) =>
        copy(
          writer,
          changed(name, (value) => value.subarray(0, -1)),
          true,
        ),
      );
      say(`${name} longer`, (writer) =>
        copy(
          writer,
          changed(name, (value) => Uint8Array.of(...value, 1)),
          true,
        ),
      );
      say(`${name} of ones`, (writer) =>
        copy(
          writer,
          changed(name, (value) => value.map(() => 0xff)),
          true,
        ),
      );
      say(`${name} of zeros`, (writer) =>
        copy(
          writer,
          changed(name, (value) => value.map(() => 0)),
          true,
        ),
      );
    }
    for (const { name } of root.children) {
      const rest = { ...root, children: root.children.filter((child) => child.name !== name) };
      say(`no ${name}`, (writer) => copy(writer, rest, true));
      say(`${name} twice`, (writer) =>
        copy(
          writer,
          {
            ...rest,
            children: root.children.flatMap((child) => (child.name === name ? [child, child] : child)),
          },
          true,
        ),
      );
      say(`${name} renamed`, (writer) =>
        copy(
          writer,
          {
            ...rest,
            children: root.children.map((child) =>
              child.name === name ? { ...child, name: 'longer than 9' } : child,
            ),
          },
          true,
        ),
      );
    }
    say('more', (writer) => {
      copy(writer, root, true);
      writer.beginNode('x\x1b');
      writer.property('p\x1b', new Uint8Array(1));
      writer.endNode();
    });
    expectRecorded('not-decoded.txt', `${lines.join('\n')}\n`);
  });

  it('is followed, as far as memory goes', () => {
    const item = { a: 2, flags: 1, kind: 1 };
    const chunk = (next: bigint, ...phys: bigint[]) => ({
      next,
      phys: [...phys, ...Array<bigint>(511 - phys.length).fill(0n)],
    });
    const leadsTo = (more: Readonly<Record<string, unknown>>): Uint8Array =>
      encodeUnchecked(oneOfEach, {
        ...sample,
        fixed: {
          ...sample.fixed,
          one: 0x1000n,
          many: 0x2000n,
          open: 0x3000n,
          page: 0x4000n,
          memory: 0x8001n,
          any: 0x9000n,
          found: 0xa000n,
          other: 0xb000n,
          radix: 0xc000n,
          files: { first: 0x20000n, total_pages: 2, flags: 0, order: 0 },
          ...more,
        },
        to: 0xd000n,
      });
    const pieces = new Map<bigint, Uint8Array>([
      [0x1000n, encodeUnchecked(inner, item)],
      [0x2000n, encodeUnchecked(inner, item)],
      [0x3000n, encodeUnchecked(open, { count: 2, items: [3, 4] })],
      [0x8000n, new Uint8Array(4096)],
      [0x9000n, new Uint8Array(4096)],
      [0xa000n, encodeUnchecked(inner, { ...item, kind: 2 })],
      [0xd000n, readFixture('kernel-7.3.4/memblock-fdt.dtb')],
      [0x20000n, encodeUnchecked(khoVmallocChunk, chunk(0x21000n, 0x30000n))],
      [0x21000n, encodeUnchecked(khoVmallocChunk, chunk(0n, 0x31000n))],
      [0x30000n, Uint8Array.of(...encodeUnchecked(inner, { ...item, a: 4 }), ...new Uint8Array(4088))],
      [0x31000n, new Uint8Array(4096)],
    ]);
    const block = (next: bigint, count: number) =>
      encodeUnchecked(page, {
        next,
        count: BigInt(count),
        list: Array.from({ length: count }, (_, index) => ({ ...item, a: 2 * index + 2 })),
        rest: undefined,
      });
    for (const [at, next] of [
      [0x4000n, 0x5000n],
      [0x5000n, 0x6000n],
      [0x6000n, 0x7000n],
      [0x7000n, 0n],
    ] as const)
      pieces.set(at, block(next, 2));
    const lines: string[] = [];
    const walk = (
      what: string,
      options: FollowOptions = {},
      changes: readonly (readonly [bigint, Uint8Array | undefined])[] = [],
      more: Readonly<Record<string, unknown>> = {},
    ): void => {
      lines.push(`${what}:`);
      const blobHere = leadsTo(more);
      const memory = new FakeMemory();
      for (const [at, bytes] of new Map<bigint, Uint8Array | undefined>([
        ...pieces,
        [0x100000n, blobHere],
        ...changes,
      ]))
        if (bytes !== undefined) memory.put(at, bytes);
      const lookup = (group: string, key: string): Layout | 'inline' | undefined => {
        if (group !== 'things') throw new Error(`nobody asks for ${group}`);
        return key === 'v1' ? inner : key === '' ? undefined : memblockV1;
      };
      const start = { layout: oneOfEach, address: 0x100000n, length: blobHere.length };
      const issue = ({ path, code, message, address }: SchemaIssue): void => {
        lines.push(`  ! ${path} ${address?.toString(16)} ${code} ${message}`);
      };
      for (const { path, address, length, from, layout, value } of follow(start, memory.read, lookup, {
        ...options,
        issue,
      })) {
        const kind = layout?.kind === 'struct' ? layout.name : layout?.kind;
        lines.push(
          `  ${path} ${address.toString(16)}+${length} from ${from?.toString(16)} ${kind} ${value !== undefined}`,
        );
      }
    };
    walk('whole');
    walk('elements as bytes', { elements: 'bytes' });
    walk('pages of 64 KiB', { pageSize: 65_536 });
    walk('three things', { maxObjects: 3 });
    for (const at of pieces.keys()) walk(`nothing at ${at.toString(16)}`, {}, [[at, undefined]]);
    walk('a list of three', {}, [[0x6000n, block(0n, 1)]]);
    walk('a list in a circle', {}, [[0x5000n, block(0x4000n, 1)]]);
    walk('a list out of order', {}, [[0x4000n, block(0n, 2).map((byte, at) => (at === 16 ? 6 : byte))]]);
    walk('chunks in a circle', {}, [[0x21000n, encodeUnchecked(khoVmallocChunk, chunk(0x20000n, 0x31000n))]]);
    walk('a page twice', {}, [[0x21000n, encodeUnchecked(khoVmallocChunk, chunk(0n, 0x30000n))]]);
    walk('a page too many', {}, [
      [0x21000n, encodeUnchecked(khoVmallocChunk, chunk(0n, 0x31000n, 0x32000n))],
    ]);
    walk('a page too few', {}, [[0x21000n, encodeUnchecked(khoVmallocChunk, chunk(0n))]]);
    const described = (total_pages: number, order: number) => ({
      files: { first: 0x20000n, total_pages, flags: 0, order },
    });
    walk('pages of order 1', {}, [], described(4, 1));
    walk('pages of order 53', {}, [], described(2, 53));
    walk('no pages', {}, [], described(0, 0));
    walk('no first chunk', {}, [], { files: { first: 0n, total_pages: 2, flags: 0, order: 0 } });
    walk('what is counted is too long', {}, [[0x3000n, Uint8Array.of(255, 255, 255, 255)]]);
    walk('an FDT that is none', {}, [[0xd000n, new Uint8Array(8)]]);
    walk(
      'nothing at all',
      {},
      [],
      Object.fromEntries(
        ['many', 'open', 'page', 'memory', 'any', 'found', 'other', 'radix'].map((field) => [field, 0n]),
      ),
    );
    expectRecorded('followed.txt', `${lines.join('\n')}\n`);
  });

  it('has a root node', () => {
    const writer = new FdtWriter();
    writer.finishReservations();
    const rootless = writer.finish();
    const { issues, value } = check(oneOfEach, rootless, { base: 0x1000n });
    expect(issues).toMatchObject([
      { code: 'MISSING', path: '/', message: 'expected a root node, found none', address: 0x1040n },
    ]);
    expect(value).toBeUndefined();
    expect(() => decode(oneOfEach, rootless)).toThrow('0x40 /: MISSING: expected a root node, found none');
    expect(() => decode(oneOfEach, rootless, { path: '/x' })).toThrow('0x40 /x: MISSING');
  });

  it('keeps what it does not declare, from bytes and from JSON', () => {
    const { root } = readTree(openFdt(blob));
    const strange = {
      name: 'longer than 9',
      properties: [{ name: 'p', value: Uint8Array.of(1, 2) }],
      children: [{ name: 'below', properties: [], children: [] }],
    };
    const more = encodeFdt({
      reservations: [],
      bootCpuid: 0,
      root: {
        ...root,
        properties: [...root.properties, { name: 'extra', value: Uint8Array.of(3) }],
        children: [...root.children, strange, { ...strange, name: 'another strange one' }],
      },
    });
    const { value, unknown } = check(oneOfEach, more);
    expect(unknown.map(({ path, code }) => `${path} ${code}`)).toEqual([
      '/extra UNKNOWN',
      '/longer than 9 BAD_NAME',
      '/another strange one BAD_NAME',
    ]);
    const treeOf = (bytes: Uint8Array) => readTree(openFdt(bytes)).root;
    expect(treeOf(encodeUnchecked(oneOfEach, value))).toEqual(treeOf(more));
    const json = JSON.parse(jsonOf(value));
    expect(treeOf(encodeUnchecked(oneOfEach, valueFromJson(oneOfEach, json)))).toEqual(treeOf(more));
    const refused = ($unknown: unknown): string =>
      saidBy(() => valueFromJson(oneOfEach, { ...json, $unknown }));
    expect(refused(1)).toBe('0x0 /$unknown: BAD_TYPE: expected properties and nodes, found 1');
    expect(refused({ properties: 1 })).toContain(
      '/$unknown.properties: BAD_TYPE: expected an array, found 1',
    );
    expect(refused({ properties: [1] })).toContain(
      '.properties[0]: BAD_TYPE: expected name and value, found 1',
    );
    expect(refused({ properties: [{ name: 1 }] })).toContain(
      '.properties[0]: BAD_TYPE: expected name and value',
    );
    expect(refused({ properties: [{ name: 'a', value: '1' }] })).toContain('.properties[0].value: BAD_TYPE');
    expect(refused({ nodes: [1] })).toContain('.nodes[0].fdt: BAD_TYPE');
    expect(refused({ nodes: [{ fdt: 'd00dfeed' }] })).toContain(
      'expected an FDT with one node, in hex digits',
    );
    expect(refused({})).toBe('taken');
    const ignored = {
      ...sample,
      $unknown: { properties: [1, { name: 1 }, { name: 'a', value: 1 }], nodes: [1] },
    };
    expect(encodeUnchecked(oneOfEach, ignored)).toEqual(blob);
  });

  it('keeps the bytes of a union whose case is unknown', () => {
    const raw = Uint8Array.from({ length: 16 }, (_, at) => at);
    const unknown = { ...sample, fixed: { ...sample.fixed, kind: 3, which: { raw } } };
    const bytes = encodeUnchecked(oneOfEach, unknown);
    expect(decode(oneOfEach, bytes).fixed.which).toEqual({ raw });
    expect(check(oneOfEach, bytes).issues.map(({ path }) => path)).toEqual(['/fixed.which']);
    expect(encodeUnchecked(oneOfEach, valueFromJson(oneOfEach, JSON.parse(jsonOf(unknown))))).toEqual(bytes);
    const short = { ...sample, fixed: { ...sample.fixed, kind: 3, which: { raw: raw.subarray(1) } } };
    expect(saidBy(() => encodeUnchecked(oneOfEach, short))).toContain(
      'BAD_LENGTH: expected 16 bytes, found 15',
    );
    const other = { ...sample, fixed: { ...sample.fixed, kind: 2 } };
    expect(saidBy(() => encodeUnchecked(oneOfEach, other))).toContain(
      'BAD_TYPE: expected kind 1 for first, found 2',
    );
  });

  it('is declared by values that say all, defaults included', () => {
    const rules = {};
    expect(chars(4)).toEqual({ kind: 'chars', length: 4, terminated: true, nonEmpty: false });
    expect(text()).toEqual({ kind: 'text' });
    expect(text({ doc: 'd', includes: 'i' })).toEqual({ kind: 'text', doc: 'd', includes: 'i' });
    expect(bytes(3, 'd')).toEqual({ kind: 'bytes', length: 3, doc: 'd' });
    expect(reserved('rest')).toEqual({ kind: 'reserved', length: 'rest', mustBeZero: true });
    expect(unused(2)).toEqual({ kind: 'reserved', length: 2, mustBeZero: false });
    expect(u16()).toEqual({ kind: 'integer', bits: 16, signed: false, bigEndian: false, rules });
    expect(s32({ max: 3n })).toEqual({
      kind: 'integer',
      bits: 32,
      signed: true,
      bigEndian: false,
      rules: { max: 3n },
    });
    expect([u8(), u32(), u64()].map(({ bits: width, signed }) => [width, signed])).toEqual([
      [8, false],
      [32, false],
      [64, false],
    ]);
    const target = { to: 'memory' } as const;
    const plain = { kind: 'pointer', bits: 64, bigEndian: false, target, nullable: true, rules };
    expect(pointer(target)).toEqual(plain);
    expect(pointer(target, { nullable: false, align: 8 })).toEqual({
      ...plain,
      nullable: false,
      rules: { min: 1n, multipleOf: 8n },
    });
    expect(link({ limit: 2 })).toEqual({ ...plain, target: { to: 'self', limit: 2 } });
    expect(decimal()).toEqual({ kind: 'decimal', min: 0, max: 0xffff_ffff });
    expect(name({ maxLength: 2 })).toEqual({ kind: 'name', maxLength: 2 });
    expect(node({})).toEqual({ kind: 'node', properties: {}, children: {}, rules: [], writer: 'sequential' });
    expect(struct('s', {})).toEqual({ kind: 'struct', name: 's', fields: {}, packed: true, rules: [] });
    for (const frozen of [chars(4), text(), u8(), pointer(target), decimal(), node({}), struct('s', {})])
      expect(Object.isFrozen(frozen)).toBe(true);
    expect(() => step(inner, inner, { lossless: true, doc: 'nothing' })).toThrow(
      'a step from a layout to itself',
    );
  });

  it('has the size in memory that its count says', () => {
    const memory = new FakeMemory()
      .put(0x1000n, Uint8Array.of(3, 0, 0, 0))
      .put(0x2000n, Uint8Array.of(3, 0, 0));
    expect(sizeInMemory(open, 0x1000n, memory.read)).toBe(10);
    expect(sizeInMemory(open, 0x2000n, memory.read)).toBe(4);
    expect(sizeInMemory(open, 0x1000n, memory.read, 'big')).toBe(4 + 2 * 0x03000000);
    expect(sizeInMemory(inner, 0x9000n, memory.read)).toBe(8);
    expect(sizeInMemory(array(u8(), 'rest'), 0x1000n, memory.read)).toBeUndefined();
    expect(sizeInMemory(struct('s', { a: u8(), rest: bytes('rest') }), 0x1000n, memory.read)).toBeUndefined();
    expect(sizeInMemory(struct('s', { a: array(u8(), 'rest') }), 0x1000n, memory.read)).toBeUndefined();
  });
});
