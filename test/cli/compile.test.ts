// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasDtc } from '../oracle/oracle.js';
import { fileOf, kho, newFolder, program, root } from './kho.js';

const SOURCE =
  '/dts-v1/;\n/memreserve/ 0x1000 0x2000;\n/ { compatible = "kho-v4"; l: a { b = <&l 1>; }; };\n';

/** The bytes that `kho compile` writes to a file. */
function compiled(options: readonly string[]): Buffer {
  const out = join(newFolder(), 'out.dtb');
  expect(kho(['compile', '-', '-o', out, ...options], { input: SOURCE })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(readdirSync(dirname(out))).toEqual(['out.dtb']);
  return readFileSync(out);
}

describe('kho compile', () => {
  it
    .skipIf(!hasDtc())
    .each([[[]], [['-V', '16']], [['-R', '4', '-p', '1024']], [['-S', '2048', '-b', '3']], [['-a', '64']]])(
    'writes the bytes of dtc %j',
    (options) => {
      const theirs = execFileSync('dtc', ['-q', '-O', 'dtb', ...options], { input: SOURCE });
      expect(compiled(options).equals(theirs)).toBe(true);
    },
  );

  it('writes to a pipe', () => {
    const line = `"${process.execPath}" "${program}" compile - | "${process.execPath}" "${program}" get - / compatible`;
    const { stdout } = spawnSync('sh', ['-c', line], { cwd: root, input: SOURCE, encoding: 'utf8' });
    expect(stdout).toBe('kho-v4\n');
  });

  it('tells a mistake in one line and leaves the output alone', () => {
    const out = fileOf('out.dtb', 'kept');
    const { code, stdout, stderr } = kho(['compile', '-', '-o', out], { input: '/dts-v1/;\n/ { a = ; };\n' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kho: stdin: [^\n]+\n$/);
    expect(readFileSync(out, 'utf8')).toBe('kept');
    expect(readdirSync(dirname(out))).toEqual(['out.dtb']);
  });

  it('does not overwrite its source, by whatever name', () => {
    const source = fileOf('x.dts', SOURCE);
    const { code, stderr } = kho([
      'compile',
      source,
      '-o',
      join(dirname(source), '.', '..', dirname(source).split('/').at(-1) ?? '', 'x.dts'),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('not overwritten');
    expect(readFileSync(source, 'utf8')).toBe(SOURCE);
  });

  it.each([
    ['-V', '5'],
    ['-p', '-1'],
    ['-p', 'x'],
    ['-R', '1.5'],
  ])('refuses %s %s', (option, value) => {
    writeFileSync('/dev/null', '');
    expect(kho(['compile', '-', option, value], { input: SOURCE })).toMatchObject({ code: 2, stdout: '' });
  });
});
