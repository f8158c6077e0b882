// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeLatin1 } from '../../src/bytes/latin1.js';
import { parseDts } from '../../src/fdt/dts/parse.js';
import { dtsChunks, printDts } from '../../src/fdt/dts/print.js';
import { encodeFdt } from '../../src/fdt/encode.js';
import { FdtError } from '../../src/fdt/error.js';
import { openFdt } from '../../src/fdt/fdt.js';
import { type FdtTree, readTree } from '../../src/fdt/tree.js';
import { FdtWriter } from '../../src/fdt/writer.js';
import { readFixture } from '../fixtures.js';
import { scaled } from '../random.js';
import { expectSameBytes } from '../same-bytes.js';
import { dtcFixtures } from './dtc-fixtures.js';
import { handMade } from './hand-made.js';

const decoder = new TextDecoder();

function textOf(blob: Uint8Array): string {
  return decoder.decode(printDts(openFdt(blob)));
}

function bytes(text: string): Uint8Array {
  return encodeLatin1(text) ?? new Uint8Array(0);
}

/** A blob by libfdt's calls: a name, a [name, value] or null for the end of a node. */
function blobOf(...calls: (string | readonly [string, string] | null)[]): Uint8Array {
  const writer = new FdtWriter();
  writer.finishReservations();
  for (const call of calls) {
    if (call === null) writer.endNode();
    else if (typeof call === 'string') writer.beginNode(call);
    else writer.property(call[0], bytes(call[1]));
  }
  return writer.finish();
}

function thrown(blob: Uint8Array): FdtError {
  try {
    printDts(openFdt(blob, { tolerant: true }));
  } catch (error) {
    if (error instanceof FdtError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function valueText(value: string): string {
  return /\tp = (.*);\n};/.exec(textOf(blobOf('', ['p', value], null)))?.[1] ?? '';
}

/** What a source cannot say, and the code that we refuse it with. */
const refusals: readonly (readonly [string, string, Uint8Array])[] = [
  ['a bad character', 'BADVALUE', blobOf('', 'ok', 'a b', null, null, null)],
  ['a control character', 'BADVALUE', blobOf('', 'ok', ['a\x1b', ''], null, null)],
  ['a property with an @', 'BADVALUE', blobOf('', 'ok', ['a@b', ''], null, null)],
  ['a node with a #', 'BADVALUE', blobOf('', 'ok', '#', null, null, null)],
  ['two @', 'BADVALUE', blobOf('', 'ok', 'a@b@c', null, null, null)],
  ['a node without a name', 'BADVALUE', blobOf('', 'ok', '', null, null, null)],
  ['a property without a name', 'BADVALUE', blobOf('', 'ok', ['', ''], null, null)],
  ['a long name', 'BADVALUE', blobOf('', 'ok', 'n'.repeat(5000), null, null, null)],
  ['a second property', 'EXISTS', blobOf('', 'ok', ['a', ''], ['b', ''], ['a', ''], null, null)],
  ['a second late property', 'EXISTS', blobOf('', 'ok', ['a', ''], 'n', null, ['a', ''], null, null)],
  ['a second child', 'EXISTS', blobOf('', 'ok', 'a', null, 'b', null, 'a', null, null, null)],
  ['a name for the root', 'BADVALUE', blobOf('root', null)],
  ['no root', 'BADSTRUCTURE', blobOf()],
  ['two roots', 'BADSTRUCTURE', blobOf('', null, '', null)],
  ['a property outside', 'BADSTRUCTURE', blobOf(['a', ''])],
  ['an open node', 'BADSTRUCTURE', blobOf('', 'a', null)],
  ['a name of 4097 bytes', 'BADVALUE', blobOf('', 'n'.repeat(4097), null, null)],
  ['a property name of 4097 bytes', 'BADVALUE', blobOf('', ['n'.repeat(4097), ''], null)],
  ['a bad name of 81 bytes', 'BADVALUE', blobOf('', `${'n'.repeat(80)}#`, null, null)],
  ['a bad name of 80 bytes', 'BADVALUE', blobOf('', `${'n'.repeat(79)}#`, null, null)],
  ['two last children', 'EXISTS', blobOf('', 'a', null, 'b', null, 'b', null, null)],
  ['two of falling children', 'EXISTS', blobOf('', 'c', null, 'b', null, 'a', null, 'b', null, null)],
  ['two of rising children', 'EXISTS', blobOf('', 'a', null, 'b', null, 'c', null, 'a', null, null)],
  ['two long children', 'EXISTS', blobOf('', 'ab', null, 'aa', null, 'b', null, 'ab', null, null)],
  ['two equal children', 'EXISTS', blobOf('', 'ab', null, 'ab', null, null)],
  [
    'two children further down',
    'EXISTS',
    blobOf('', 'x', null, 'y', 'b', null, 'a', null, 'b', null, null, null),
  ],
  ['too many ends', 'BADSTRUCTURE', blobOf(null, '', null)],
  ['no name where one is said to be', 'BADOFFSET', handMade([1, 0, 3, 0, 2, 2, 9], 'a\0')],
  ['a name without an end', 'BADOFFSET', handMade([1, 0, 3, 0, 0, 2, 9], 'a')],
  ['what is no token', 'BADSTRUCTURE', handMade([1, 0, 7, 2, 9], 'a\0')],
];

describe('printDts', () => {
  it.each(['kho-fdt', 'memblock-fdt'])('writes what dtc wrote of the kernel’s %s', (name) => {
    const expected = decoder.decode(readFixture(`kernel-7.3.4/${name}.dts`));
    expect(textOf(readFixture(`kernel-7.3.4/${name}.dtb`))).toBe(expected);
  });

  it.each(dtcFixtures)('loses nothing of $name', ({ blob, options }) => {
    const fdt = openFdt(blob, { tolerant: true });
    const text = printDts(fdt);
    const tree: FdtTree = parseDts(text);
    expectSameBytes(encodeFdt(tree, { bootCpuid: fdt.header.boot_cpuid_phys, ...options }), blob);
  });

  it('guesses values as dtc does', () => {
    expect(valueText('abc\0')).toBe('"abc"');
    expect(valueText('a\0b\0')).toBe('"a", "b"');
    expect(valueText('a\0\0')).toBe('[61 00 00]');
    expect(valueText('ab\0\0')).toBe('"ab", ""');
    expect(valueText('abc')).toBe('[61 62 63]');
    expect(valueText('abcd')).toBe('<0x61626364>');
    expect(valueText('\0\0\0\x07')).toBe('<0x07>');
    expect(valueText('\0\0\x12\x34\xff\xff\xff\xff\0\0\0\0')).toBe('<0x1234 0xffffffff 0x00>');
    expect(valueText('\x07\b\t\n\v\f\r"\\\0')).toBe('"\\a\\b\\t\\n\\v\\f\\r\\"\\\\"');
    expect(valueText('abc\x7f\0')).toBe('[61 62 63 7f 00]');
  });

  it('keeps a string of digits apart from the NUL before it', () => {
    expect(valueText('a\x001\0')).toBe('"a", "1"');
  });

  it('tells a boot CPU that a source cannot', () => {
    const [, fixture] = dtcFixtures.filter(({ options }) => options.bootCpuid !== undefined);
    const text = textOf(fixture?.blob ?? new Uint8Array(0));
    expect(text).toContain(`dtc -b ${fixture?.options.bootCpuid}\n`);
    const cpus = dtcFixtures.find(({ name }) => name === 'cpus');
    expect(textOf(cpus?.blob ?? new Uint8Array(0))).not.toContain('dtc -b');
  });

  it('moves properties before the children of their node', () => {
    const blob = blobOf('', ['a', '1'], 'n', ['x', ''], null, ['b', '2'], 'm', null, ['c', '3'], null);
    expect(textOf(blob)).toBe(
      '/dts-v1/;\n\n/ {\n\ta = [31];\n\tb = [32];\n\tc = [33];\n\n\tn {\n\t\tx;\n\t};\n\n\tm {\n\t};\n};\n',
    );
  });

  // Found by `npm run fuzz`: what stood before the name, up to a slash in a name before, came along.
  it('takes a whole name that is no path, as blobs before version 16 can have', () => {
    const blob = readFixture('dtc/kho.V3.dtb').slice();
    const at = Buffer.from(blob).indexOf('/memblock\0');
    blob[at] = 0x78;
    expect(textOf(blob)).toContain('\n\n\txmemblock {\n');
  });

  it('comes in pieces, however long a value is', () => {
    for (const value of ['a\0'.repeat(100_000), '\x01'.repeat(200_000), '\x01'.repeat(199_999)]) {
      const blob = blobOf('', ['p', value], 'n', ['q', value], null, ['late', value], null);
      const chunks = [...dtsChunks(openFdt(blob))];
      expect(chunks.length).toBeGreaterThan(5);
      expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024);
      const tree = parseDts(Buffer.concat(chunks));
      expect(tree.root.properties.map(({ name }) => name)).toEqual(['p', 'late']);
      for (const property of tree.root.properties) expectSameBytes(property.value, bytes(value));
    }
  });

  it('grows in proportion to a deep tree', () => {
    const writer = new FdtWriter();
    writer.finishReservations();
    const levels = scaled(100_000);
    for (let level = 0; level < levels; level++) writer.beginNode(level === 0 ? '' : 'n');
    for (let level = 0; level < levels; level++) writer.endNode();
    const blob = writer.finish();
    const text = printDts(openFdt(blob));
    expect(text.length).toBeLessThan(levels * 80);
    expect(readTree(openFdt(encodeFdt(parseDts(text)))).root.children.length).toBe(1);
  });

  it.each(refusals)('refuses %s', (_, code, blob) => {
    const error = thrown(blob);
    expect(error.code).toBe(code);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is left is the point
    expect(error.message).not.toMatch(/[\x00-\x1f]/);
  });

  it('says of each refusal why, in the recorded words', () => {
    const path = join(import.meta.dirname, 'refused-blobs.json');
    const said = refusals.map(([, , blob]) => thrown(blob).message);
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, `${JSON.stringify(said, null, 2)}\n`);
    expect(said).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it.each(['a', 'a b', 'b a', 'a b c', 'c b a', 'a c b', 'b c a', 'ab aa b ac', 'aa b ba c'])(
    'takes children in any order: %s',
    (names) => {
      const text = textOf(blobOf('', ...names.split(' ').flatMap((name) => [name, null]), null));
      expect([...text.matchAll(/^\t(\w+) \{/gm)].map(([, name]) => name)).toEqual(names.split(' '));
    },
  );

  it('writes reservations with all their digits', () => {
    expect(textOf(handMade([1, 0, 2, 9], ''))).toContain(
      '\n/memreserve/\t0x0000000000001000 0x0000000000002000;\n',
    );
  });

  it('takes names of 4096 bytes', () => {
    const name = 'n'.repeat(4096);
    expect(textOf(blobOf('', [name, ''], name, null, null))).toContain(`\t${name};\n\n\t${name} {\n`);
  });

  it('guesses a boot CPU only as dtc does', () => {
    const cpus = (...reg: [string, string][]): Uint8Array =>
      blobOf('', 'x', null, 'cpus', 'c@0', ...reg, null, null, null);
    const isTold = (blob: Uint8Array, boot: number): boolean => {
      new DataView(blob.buffer, blob.byteOffset).setUint32(28, boot);
      return textOf(blob).includes(`dtc -b ${boot}\n`);
    };
    expect(isTold(cpus(['reg', '\0\0\0\x05']), 5)).toBe(false);
    expect(isTold(cpus(['reg', '\0\0\0\x05']), 4)).toBe(true);
    expect(isTold(cpus(['reg', '\0\0\0\0\0\0\0\x05']), 5)).toBe(true);
    expect(isTold(cpus(['reg', '\x05']), 0)).toBe(false);
    expect(isTold(cpus(), 0)).toBe(false);
    expect(isTold(blobOf('', 'x', null, null), 0)).toBe(false);
    expect(isTold(blobOf('', 'cpus', null, null), 1)).toBe(true);
  });

  it('names the node in a refusal', () => {
    expect(thrown(blobOf('', 'ok', ['a\x1b', ''], null, null)).message).toBe(
      '/ok: BADVALUE: a property name has byte 0x1b, which no such name may have: "a\\x1b"',
    );
  });

  it('finds names that are equal at different places of the strings block', () => {
    const writer = new FdtWriter({ dedup: false });
    writer.finishReservations();
    writer.beginNode('');
    writer.property('a', bytes(''));
    writer.property('a', bytes(''));
    writer.endNode();
    expect(thrown(writer.finish()).code).toBe('EXISTS');
  });
});
