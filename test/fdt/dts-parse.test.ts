// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DtsError } from '../../src/fdt/dts/error.js';
import { parseDts } from '../../src/fdt/dts/parse.js';
import { encodeFdt } from '../../src/fdt/encode.js';
import { scaled } from '../random.js';
import { expectSameBytes } from '../same-bytes.js';
import { badSources } from './bad-sources.js';
import { dtcFixtures } from './dtc-fixtures.js';

function thrown(text: string | Uint8Array): DtsError {
  try {
    parseDts(text);
  } catch (error) {
    if (error instanceof DtsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function rootOf(body: string): Map<string, string> {
  const { root } = parseDts(`/dts-v1/; / { ${body} };`);
  return new Map(root.properties.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]));
}

describe('parseDts', () => {
  it.each(dtcFixtures)('compiles to what dtc made: $name', ({ source, blob, options }) => {
    expectSameBytes(encodeFdt(parseDts(source), options), blob);
  });

  it.each(badSources)('refuses what dtc refuses: %s %j', (code, source) => {
    const error = thrown(source);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(new RegExp(`^${error.line}:${error.column}: ${code}: `));
  });

  it('says of each what is wrong, in the recorded words', () => {
    const path = join(import.meta.dirname, 'bad-sources.json');
    const said = badSources.map(([, source]) => thrown(source).message);
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, `${JSON.stringify(said, null, 2)}\n`);
    expect(said).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it('says where, what was expected and what was found', () => {
    const error = thrown('/dts-v1/;\n\n/ {\n\tfoo = <1 2\n\t\u001b[31m\n};\n');
    expect(error.issue).toMatchObject({
      code: 'SYNTAX',
      line: 5,
      column: 2,
      expected: 'a number, a reference or ">"',
      found: '"\\x1b"',
      excerpt: '\\x1b[31m',
    });
    expect(error.message).toBe(
      '5:2: SYNTAX: expected a number, a reference or ">", found "\\x1b", at: \\x1b[31m',
    );
    expect(thrown('/dts-v1/;').issue.found).toBe('the end of the source');
  });

  it('says which token of the language is left out', () => {
    expect(thrown('/dts-v1/; /plugin/; / { };').issue).toMatchObject({
      code: 'UNSUPPORTED',
      found: '/plugin/',
    });
    expect(thrown('/dts-v1/; /plugin/; / { };').message).toContain('/plugin/ is not supported');
    expect(thrown('/dts-v1/; / { }; /delete-node/ &{/};').message).toContain(
      'UNSUPPORTED: deleting the root node is not supported',
    );
    expect(thrown('/dts-v1/;\n#ifdef A\n/ { };').issue).toMatchObject({ line: 2, found: '#ifdef' });
  });

  it('takes a string as UTF-8', () => {
    expect(rootOf('a = "é€😀\ud800";').get('a')).toBe('c3a9e282acf09f9880efbfbd00');
  });

  it('takes a sign or a blank into a hexadecimal escape, as strtol does in dtc', () => {
    expect(rootOf('a = "\\x-1\\x 2\\x3g";').get('a')).toBe('ff02036700');
  });

  it('reads millions of levels, parentheses and labels without running out of stack', () => {
    const levels = scaled(100_000);
    const source = `/dts-v1/; / { a = <${'('.repeat(levels)}1${')'.repeat(levels)} (${'-'.repeat(levels)}1)>; ${'n { '.repeat(levels)}${'}; '.repeat(levels)}};`;
    let { root: node } = parseDts(source);
    let depth = 0;
    for (let child = node.children[0]; child !== undefined; child = node.children[0]) {
      node = child;
      depth++;
    }
    expect(depth).toBe(levels);
  });

  it('reads more siblings than dtc can', () => {
    const source = `/dts-v1/; / { ${Array.from({ length: 20_000 }, (_, index) => `n${index} { };`).join('')} };`;
    expect(parseDts(source).root.children.length).toBe(20_000);
  });

  it('limits what path references expand to', () => {
    const name = 'n'.repeat(4000);
    const nodes = `${`${name} { `.repeat(20)}l: m { }; ${'}; '.repeat(20)}`;
    const deep = `/dts-v1/; / { a = ${'&l, '.repeat(1000)}&l; ${nodes}};`;
    expect(thrown(deep).code).toBe('LIMIT');
  });

  it('deletes and revives in linear time', () => {
    const names = Array.from({ length: scaled(20_000) }, (_, index) => `n${index}`);
    const source = `/dts-v1/; / { top { ${names.map((name) => `${name} { };`).join('')} }; };
      ${'/ { /delete-node/ top; top { x { }; }; };'.repeat(scaled(20_000))}`;
    const [top] = parseDts(source).root.children;
    expect(top?.children.map(({ name }) => name)).toEqual(['x']);
  });

  it('meets hostile text with nothing but DtsError', () => {
    const sources = [...new Set(dtcFixtures.map(({ source }) => source))].filter(
      ({ length }) => length < 4096,
    );
    const piece = fc.constantFrom(
      ...[
        '/*',
        '*/',
        '//',
        '"',
        "'",
        '<',
        '>',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        ';',
        '&',
        '&{/',
        '/bits/',
        '\\',
        ':',
        '?',
      ],
      ...['/delete-node/', '/dts-v1/', '\0', '\n', '0x', '#', 'l:', '\u00ff'],
    );
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(30), piece });
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        (source, edits) => {
          let text = Buffer.from(source).toString('latin1');
          for (const { at, cut, piece: inserted } of edits) {
            const offset = Math.floor(at * text.length);
            text = text.slice(0, offset) + inserted + text.slice(offset + cut);
          }
          try {
            const tree = parseDts(Uint8Array.from(text, (character) => character.charCodeAt(0)));
            expect(encodeFdt(tree).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(DtsError);
          }
        },
      ),
      { numRuns: scaled(3000) },
    );
  });
});
