// SPDX-License-Identifier: Apache-2.0
// What derives from a layout with one of each kind of member, and what is said of every wrong value of it, as recorded
// in the folder one-of-each (KHO_RECORD=1 writes it anew: look at the difference).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KhoError } from '../../src/bytes/issue.js';
import { FdtWriter, openFdt, readTree } from '../../src/fdt/index.js';
import { writeJsonValue } from '../../src/render/value-json.js';
import {
  cHeader,
  check,
  decode,
  describe as describeLayout,
  dtSchema,
  encodeUnchecked,
  fingerprint,
  relatedLayouts,
  spansOf,
  valueFromJson,
} from '../../src/schemas/index.js';
import { oneOfEach, sample } from './one-of-each.js';

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
    let text = '';
    const write = (piece: string): void => {
      text += piece;
    };
    writeJsonValue(write, sample, '');
    expect(encodeUnchecked(oneOfEach, valueFromJson(oneOfEach, JSON.parse(text)))).toEqual(blob);
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
    let text = '';
    writeJsonValue(
      (piece) => {
        text += piece;
      },
      { ...sample, $unknown: { properties: [{ name: 'p', value: Uint8Array.of(1) }], nodes: [] } },
      '',
    );
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
});
