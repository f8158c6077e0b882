// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder, root } from './kho.js';

const bytesOf = (path: string): Buffer => readFileSync(join(root, path));
const hexOf = (path: string): string => readFileSync(path).toString('hex');

/** Encodes JSON. @returns the bytes in hex digits, and what was said */
function encode(json: unknown, ...options: string[]): { code: number | null; hex: string; stderr: string } {
  const out = join(newFolder(), 'blob');
  const { code, stderr } = kho(['encode', '-', '-o', out, ...options], { input: JSON.stringify(json) });
  return { code, stderr, hex: code === 2 ? '' : hexOf(out) };
}

describe('kho encode', () => {
  it.each([
    'fixtures/demo/out/fdt',
    'fixtures/demo/out/sub_fdts/memblock',
    'fixtures/demo/out/sub_fdts/LUO',
    'fixtures/demo/out/sub_fdts/kexec-metadata',
    'fixtures/rfc-2024/several.dtb',
    'fixtures/rfc-2024/hundred-areas.dtb',
    'fixtures/luo-older/luo-v1-plain.dtb',
    'fixtures/luo-older/luo-v2.dtb',
  ])('makes the bytes of %s of what kho dump --json says of it', (path) => {
    const dump = kho(['dump', path, '--json']).stdout;
    expect(encode(JSON.parse(dump))).toEqual({ code: 0, hex: bytesOf(path).toString('hex'), stderr: '' });
  });

  it('takes the values alone, with --schema', () => {
    const value = { version: 1, previous_release: '7.3.4', kexec_count: 1 };
    const captured = bytesOf('fixtures/demo/out/sub_fdts/kexec-metadata').toString('hex');
    expect(encode(value, '--schema', 'kexec-metadata-v1')).toEqual({ code: 0, hex: captured, stderr: '' });
  });

  it('keeps members that no layout knows', () => {
    const stranger = '--schema=memblock-v1';
    const memblock = JSON.parse(kho(['dump', 'fixtures/demo/out/sub_fdts/memblock', '--json']).stdout);
    const value = {
      ...memblock.value,
      $unknown: { properties: [{ name: 'new', value: 'cafe' }], nodes: [] },
    };
    const file = fileOf('fdt', Buffer.from(encode(value, stranger).hex, 'hex'));
    const again = JSON.parse(kho(['dump', file, '--json']).stdout);
    expect(again.value).toEqual(value);
    expect(again.layoutIssues).toMatchObject([{ code: 'UNKNOWN', path: '/new' }]);
  });

  it('keeps nodes that no layout knows, each as a blob of its own', () => {
    const dts = '/dts-v1/; / { a-name-of-sixteen { x = <1>; y { z = "deep"; }; }; };';
    const blob = fileOf('node', '');
    expect(kho(['compile', '-', '-o', blob], { input: dts }).code).toBe(0);
    const { value } = JSON.parse(kho(['dump', 'fixtures/demo/out/sub_fdts/memblock', '--json']).stdout);
    const nodes = [{ name: 'a-name-of-sixteen', fdt: hexOf(blob) }];
    const { hex } = encode({ ...value, $unknown: { properties: [], nodes } }, '--schema=memblock-v1');
    const file = fileOf('fdt', Buffer.from(hex, 'hex'));
    expect(kho(['dump', file]).stdout).toMatch(/a-name-of-sixteen {2}\(unknown node\)\n.*x {2}<0x00000001>/);
    expect(encode(JSON.parse(kho(['dump', file, '--json']).stdout)).hex).toBe(hex);
  });

  it.each([
    [{ liveupdate_num: 'x' }, '.liveupdate_num: BAD_TYPE: expected a whole number'],
    [
      { liveupdate_num: '0x1ffffffffffffffff' },
      '.liveupdate_num: BAD_TYPE: expected an unsigned integer of 64',
    ],
    [{ liveupdate_num: undefined }, '.liveupdate_num: MISSING'],
    [{ extra: 1 }, '.extra: UNKNOWN: expected a declared member, found "extra"'],
    [{ compatible: 7 }, '.compatible: BAD_TYPE: expected text'],
    [{ compatible: 'luo-v5-and-more' }, '.compatible: BAD_TYPE'],
  ])('says where %j is wrong', (change, message) => {
    const { value } = JSON.parse(kho(['dump', 'fixtures/demo/out/sub_fdts/LUO', '--json']).stdout);
    const { code, stderr } = encode({ ...value, ...change }, '--schema', 'luo-v5');
    expect(code).toBe(2);
    expect(stderr).toContain(`kho: stdin: 0x`);
    expect(stderr).toContain(message);
  });

  it('says where a tree is wrong', () => {
    const { value } = JSON.parse(kho(['dump', 'fixtures/demo/out/fdt', '--json']).stdout);
    value.subtrees[1]['preserved-data'] = {};
    expect(encode(value, '--schema', 'kho-v4').stderr).toContain('/.subtrees[1]/preserved-data: BAD_TYPE');
  });

  it('makes a blob that breaks a rule, and says so', () => {
    const { value } = JSON.parse(kho(['dump', 'fixtures/demo/out/sub_fdts/LUO', '--json']).stdout);
    const { code, stderr, hex } = encode({ ...value, sessions_pa: '0x1234' }, '--schema', 'luo-v5');
    expect({ code, length: hex.length }).toEqual({ code: 1, length: 64 });
    expect(stderr).toContain('broken rule: 0x10 .sessions_pa: BAD_VALUE: expected a multiple of 0x1000');
  });

  it('wants to know one layout', () => {
    expect(encode({}).stderr).toContain('name it with --schema');
    expect(encode({}, '--schema', 'kho-v1').stderr).toContain('kho-v1 names several layouts: kho-v1=tree');
    expect(encode({}, '--schema', 'luo').stderr).toContain('no version "luo"');
    expect(kho(['encode', '-', '--schema', 'luo-v5'], { input: '[' }).stderr).toContain('stdin: not JSON');
  });
});
