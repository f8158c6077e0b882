// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder, root } from './kho.js';

const BLOB = 'fixtures/demo/out/fdt';
const bytes = readFileSync(join(root, BLOB));

describe('kho check', () => {
  it('accepts the blobs of a real kernel', () => {
    const run = kho(['check', BLOB, 'fixtures/demo/out/sub_fdts/memblock']);
    expect(run).toEqual({
      code: 0,
      stderr: '',
      stdout: `${BLOB}: valid\nfixtures/demo/out/sub_fdts/memblock: valid\n`,
    });
    expect(kho(['check', BLOB, '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('judges every FDT of a debugfs folder', () => {
    expect(kho(['check', 'fixtures/demo/out'])).toEqual(
      kho(['check', BLOB, 'fixtures/demo/out/sub_fdts/memblock']),
    );
  });

  it('lists all violations of a damaged one', () => {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32BE(0x1000, 0x48);
    damaged.writeUInt32BE(7, 0x118);
    const { code, stdout } = kho(['check', '-'], { input: damaged });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^stdin: not valid \(3 errors\b/);
    expect(stdout).toContain(
      '  error    0x40 /: BADOFFSET: property name offset 4096 is outside the strings block of 57 bytes\n',
    );
    expect(stdout).toContain('BADSTRUCTURE');
    const document: unknown = JSON.parse(kho(['check', '-', '--json'], { input: damaged }).stdout);
    expect(document).toMatchObject({
      schemaVersion: 1,
      kind: 'check',
      blobs: [
        { file: 'stdin', accepted: false, errors: [{ code: 'BADOFFSET', offset: 0x40, path: '/' }, {}, {}] },
      ],
    });
  });

  it('judges by a layout: of a tree, a packed struct, or a struct that one leads to', () => {
    expect(kho(['check', BLOB, '--schema', 'kho-root'])).toMatchObject({
      code: 0,
      stdout: `${BLOB}: valid\n`,
    });
    const luo = 'fixtures/demo/out/sub_fdts/LUO';
    expect(kho(['check', luo, '--schema', 'luo-v5'])).toMatchObject({ code: 0, stdout: `${luo}: valid\n` });
    const input = readFileSync(join(root, luo));
    input[16] = 1;
    const damaged = kho(['check', '-', '--schema', 'luo-v5'], { input });
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(
      /^stdin: not valid \(1 error\)\n {2}error {4}0x10 .sessions_pa: BAD_VALUE: /,
    );
    const memblock = 'fixtures/demo/out/sub_fdts/memblock';
    const other = kho(['check', memblock, '--schema', 'kho-v4', '--json']);
    expect(other.code).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({ blobs: [{ accepted: false, warnings: [] }] });
    expect(other.stdout).toContain('expected property preserved-memory-map, found none');
    expect(other.stdout).toContain('UNKNOWN');
    const block = kho(['check', luo, '--schema', 'luo-v5/luo_session_block']);
    expect(block.stdout).toContain('TRUNCATED: expected 4096 bytes, found 32');
    expect(kho(['check', luo, '--schema', 'luo-v5/nothing'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('luo_session_block'),
    });
    expect(kho(['check', 'fixtures/demo/out', '--schema', 'kho-v4'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('rejects the blob cut at every length', () => {
    const folder = newFolder();
    const files = Array.from({ length: bytes.length }, (_, length) => {
      const file = join(folder, `cut-${length}`);
      writeFileSync(file, bytes.subarray(0, length));
      return file;
    });
    const { code, stdout, stderr } = kho(['check', ...files]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const verdicts = stdout.split('\n').filter((line) => line.startsWith(folder));
    expect(verdicts.length).toBe(bytes.length);
    for (const verdict of verdicts) expect(verdict).toContain(': not valid (');
  });

  it('counts warnings with --strict', () => {
    const source = '/dts-v1/;\n/ { a { }; };\n';
    const file = join(newFolder(), 'x.dtb');
    expect(kho(['compile', '-', '-o', file], { input: source }).code).toBe(0);
    const blob = readFileSync(file);
    blob.writeUInt8(0x7e, blob.indexOf(Buffer.from('a\0')));
    const tilde = fileOf('tilde', blob);
    expect(kho(['check', tilde])).toMatchObject({ code: 0 });
    const strict = kho(['check', tilde, '--strict']);
    expect(strict.code).toBe(1);
    expect(strict.stdout).toContain(': valid (1 warning)\n  warning  ');
  });

  it('exits with 2 when a file cannot be read', () => {
    expect(kho(['check', '/nonexistent'])).toMatchObject({ code: 2, stdout: '' });
  });
});
