// SPDX-License-Identifier: Apache-2.0
// kho build and kho migrate as a user runs them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder } from './kho.js';

const CAPTURE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';

describe('kho build', () => {
  it('takes a description from stdin', () => {
    const out = join(newFolder(), 'a.elf');
    const input = JSON.stringify({
      kernel: '7.3',
      memory: '64M',
      scratch: ['8M'],
      sessions: [{ name: 'vm' }],
    });
    const { code, stdout, stderr } = kho(['build', '-', '-o', out, '--json'], { input });
    expect([code, stderr]).toEqual([0, '']);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ schemaVersion: 1, kind: 'build', file: out, blocks: 5, preservedPages: 5 });
    expect(readFileSync(out)).toHaveLength(found.fileSize);
    // Another tool finds the handover where it is said to be.
    const { fdts, setupData } = JSON.parse(kho(['image', 'find', out, '--json']).stdout);
    expect(fdts.map(({ address }: { address: string }) => address)).toContain(found.root);
    expect(setupData).toMatchObject([{ address: found.setupData, fdtAddress: found.root }]);
    expect(kho(['compat', out, '7.2']).code).toBe(0);
  });

  it('tells what is wrong with its place, and writes nothing', () => {
    const out = join(newFolder(), 'a.elf');
    const file = fileOf(
      'bad.json',
      '{ "kernel": "7.3", "sessions": [{ "name": "\\u001b[2J", "files": 3 }] }',
    );
    const { code, stdout, stderr } = kho(['build', file, '-o', out]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`kho: ${file}: .sessions[0].files: BAD_DESCRIPTION: expected an array, found 3\n`);
    expect(existsSync(out)).toBe(false);
    expect(kho(['build', fileOf('no.json', 'x'), '-o', out]).stderr).toContain('not JSON');
    expect(kho(['build', file, '-o', file]).stderr).toContain('it is not overwritten');
  });
});

describe('kho migrate', () => {
  it('writes an image that it reads again', () => {
    const folder = newFolder();
    const [there, back] = [join(folder, 'there.elf'), join(folder, 'back.elf')];
    const first = kho(['migrate', CAPTURE, '--to', '7.1', '-o', there, '--json']);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(JSON.parse(first.stdout)).toMatchObject({ from: 'kho-v4', to: 'kho-v3', losses: [] });
    expect(kho(['compat', there, '7.1']).code).toBe(0);
    expect(kho(['migrate', there, '--to', '7.3', '-o', back]).code).toBe(0);
    expect(kho(['compat', back, '7.3']).code).toBe(0);
  });

  it('writes nothing where something would be lost, unless it is told to', () => {
    const out = join(newFolder(), 'a.elf');
    const refused = kho(['migrate', CAPTURE, '--to', '6.19', '-o', out]);
    expect(refused.code).toBe(1);
    expect(refused.stdout.split('\n').filter((line) => line.startsWith('lost: '))).toHaveLength(7);
    expect(refused.stderr).toBe('kho: 7 things would be lost: nothing written; see --lossy\n');
    expect(existsSync(out)).toBe(false);
    const lossy = kho(['migrate', CAPTURE, '--to', '6.19', '-o', out, '--lossy', '--json']);
    expect([lossy.code, JSON.parse(lossy.stdout).losses.length]).toEqual([1, 7]);
    expect(kho(['compat', out, '6.19']).code).toBe(0);
  });

  it('says what it cannot read or do', () => {
    const out = join(newFolder(), 'a.elf');
    expect(kho(['migrate', CAPTURE, '--to', '5.10', '-o', out])).toMatchObject({ code: 2 });
    const tight = kho(['migrate', CAPTURE, '--to', '7.1', '-o', out, '--free', '0x9000000:8K']);
    expect([tight.code, tight.stderr]).toMatchObject([2, expect.stringContaining('NO_ROOM')]);
    expect(kho(['migrate', CAPTURE, '--to', '7.1', '-o', CAPTURE]).code).toBe(2);
    expect(kho(['migrate', 'fixtures/image/core.elf', '--to', '7.1', '-o', out])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('UNREADABLE'),
    });
    expect(existsSync(out)).toBe(false);
  });
});
