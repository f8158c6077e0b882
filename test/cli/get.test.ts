// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasDtc } from '../oracle/oracle.js';
import { kho, program, root } from './kho.js';

const BLOB = 'fixtures/demo/out/fdt';
const LUO = ['get', BLOB, '/LUO', 'preserved-data'];

describe('kho get', () => {
  it.each([
    [['get', BLOB, '/', 'compatible'], 'kho-v4\n'],
    [LUO, '0x680000\n'],
    [[...LUO, '--format', 'u64le'], '0x680000\n'],
    [[...LUO, '--format', 'u64'], '0x680000000000\n'],
    [[...LUO, '--format', 'u32'], '0x6800 0x0\n'],
    [[...LUO, '--format', 'u32le'], '0x680000 0x0\n'],
    [[...LUO, '--format', 'u16'], '0x0 0x6800 0x0 0x0\n'],
    [[...LUO, '--format', 'u8'], '0x0 0x0 0x68 0x0 0x0 0x0 0x0 0x0\n'],
    [[...LUO, '--format', 'hex'], '0000680000000000\n'],
    [['get', BLOB, '/', 'compatible', '--format', 'raw'], 'kho-v4\0'],
    [['get', BLOB, '/LUO'], '/LUO\n  blob-size       0x20 (32 bytes)\n  preserved-data  0x680000 → luo\n'],
    [['get', BLOB, '/LUO', 'nothing', '--default', 'x'], 'x\n'],
  ])('%j', (args, stdout) => {
    expect(kho(args)).toEqual({ code: 0, stdout, stderr: '' });
  });

  it.skipIf(!hasDtc())('prints the cells that fdtget prints', () => {
    const theirs = execFileSync('fdtget', ['-t', 'x', join(root, BLOB), '/LUO', 'preserved-data'], {
      encoding: 'utf8',
    });
    const ours = kho([...LUO, '--format', 'u32']).stdout;
    expect(ours.replaceAll('0x', '')).toBe(theirs);
  });

  it('exits with 1 for what is not there', () => {
    expect(kho(['get', BLOB, '/nope'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `kho: ${BLOB}: /nope: no such node\n`,
    });
    expect(kho(['get', BLOB, '/', 'nope'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `kho: ${BLOB}: /: no property "nope"\n`,
    });
  });

  it('exits with 2 for a length that does not fit and for a path without /', () => {
    const odd = kho(['get', BLOB, '/', 'compatible', '--format', 'u32']);
    expect(odd).toMatchObject({ code: 2, stdout: '' });
    expect(odd.stderr).toMatch(/^kho: .*7 bytes.*\n$/);
    expect(kho(['get', BLOB, 'LUO']).code).toBe(2);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)('keeps raw bytes from a terminal', () => {
    const line = `${process.execPath} ${program} get ${BLOB} / compatible --format raw`;
    const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd: root, encoding: 'utf8' });
    expect(stdout).toContain('raw bytes do not go to a terminal');
    expect(stdout).not.toContain('kho-v4');
  });
});
