// SPDX-License-Identifier: Apache-2.0
// `kho try` with programs in place of QEMU that say what a real guest said; test/try/boots.test.ts boots kernels.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { kernelBytes } from '../try/kernel-bytes.js';
import { kho, newFolder, program, type Run, root } from './kho.js';

const folder = newFolder();
const kernel = join(folder, 'bzImage-made-up');
const image = join(folder, 'vm.elf');

/** A folder with a QEMU that writes these to its serial ports. */
function qemuThatSays(name: string, console: string, report: string): string {
  const bin = join(folder, name);
  mkdirSync(bin);
  writeFileSync(join(bin, 'said.console'), console);
  writeFileSync(join(bin, 'said.report'), report);
  const script = `#!/bin/sh\nfor word; do case $word in\nfile:*/console) cat '${bin}/said.console' > "\${word#file:}" ;;\nfile:*/report) cat '${bin}/said.report' > "\${word#file:}" ;;\nesac; done\n`;
  writeFileSync(join(bin, 'qemu-system-x86_64'), script);
  chmodSync(join(bin, 'qemu-system-x86_64'), 0o755);
  return bin;
}

const said = (name: string): string => readFileSync(join(root, 'fixtures', 'try', name), 'utf8');
const tryWith = (bin: string, ...args: string[]): Run =>
  kho(['try', ...args], { env: { PATH: `${bin}:/usr/bin:/bin`, KHO_KERNEL: kernel } });

beforeAll(() => {
  writeFileSync(kernel, kernelBytes());
  expect(kho(['build', 'fixtures/made-up/vm.json', '-o', image]).code).toBe(0);
});

describe('kho try', () => {
  it('tells what came back, and exits 0 when all did', () => {
    const bin = qemuThatSays('good', said('console.txt'), said('report.txt'));
    const { code, stdout, stderr } = tryWith(bin, image);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.replace(/[\d.]+ s;/, '4.0 s;')).toBe(`${image} -> Linux 7.3.4  complete

  came back: 4 of 4 sessions, 5 of 5 files, 1 of 1 reserve_mem region
  subtrees found: kexec-metadata, LUO, memblock
  4.0 s; LUO lists no sessions: only those named here were asked for
`);
    const { boots, ...document } = JSON.parse(tryWith(bin, image, '--json').stdout);
    expect(document).toEqual({ schemaVersion: 1, kind: 'try', image });
    expect(boots).toHaveLength(1);
    expect(boots[0]).toMatchObject({
      kernel,
      release: '7.3.4',
      outcome: 'complete',
      silent: false,
      losses: [],
    });
    expect(boots[0].commandLine).toMatch(/kho=on liveupdate=on reserve_mem=65536:4096:trace0$/);
  });

  it('exits 1 when something was lost, and says what', () => {
    const bin = qemuThatSays(
      'bad',
      said('console.txt'),
      said('report.txt').replace('file 0 1 0 2710 6 ', 'file 0 1 0 2710 e '),
    );
    const { code, stdout } = tryWith(bin, image);
    expect(code).toBe(1);
    expect(stdout).toContain('content differs in silence');
    expect(stdout).toContain('session "vm-1", file 0x1: expected seals 0x6, found 0xe (no error)');
  });

  it('tells a panic with its words made safe', () => {
    const bin = qemuThatSays('panic', 'Kernel panic - not syncing: \u001b[2Jluo\n', '');
    const { code, stdout } = tryWith(bin, image);
    expect(code).toBe(1);
    expect(stdout).toContain('bzImage-made-up  PANIC');
    expect(stdout).toContain('Kernel panic - not syncing: \\x1b[2Jluo');
  });

  it('takes its machine with it when it is interrupted', async () => {
    const bin = join(folder, 'endless');
    mkdirSync(bin);
    const where = join(bin, 'where');
    const script = `#!/bin/sh\necho "$@" > '${where}.new' && mv '${where}.new' '${where}'\nexec sleep 60\n`;
    writeFileSync(join(bin, 'qemu-system-x86_64'), script);
    chmodSync(join(bin, 'qemu-system-x86_64'), 0o755);
    const child = spawn(process.execPath, [program, 'try', image], {
      cwd: root,
      env: { PATH: `${bin}:/usr/bin:/bin`, KHO_KERNEL: kernel },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await expect.poll(() => existsSync(where), { timeout: 20_000 }).toBe(true);
    const memory = /mem-path=([^,]+)/.exec(readFileSync(where, 'utf8'))?.[1] ?? '';
    expect(existsSync(memory)).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(existsSync(memory)).toBe(false);
  });

  it('compares with an undamaged image, or with JSON', () => {
    const bin = qemuThatSays('again', said('console.txt'), said('report.txt'));
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ memfds: [{ session: 'vm-1', token: '0x0', size: 1 }] }));
    expect(tryWith(bin, image, '--expect', image).code).toBe(0);
    const { code, stdout } = tryWith(bin, image, '--expect', other);
    expect(code).toBe(1);
    expect(stdout).toContain('expected size 1, found 8388608');
  });

  it('tries the kernels of a folder, and the cases of one', () => {
    const bin = qemuThatSays('many', said('console.txt'), said('report.txt'));
    const matrix = tryWith(bin, image, '--kernels', folder);
    expect(matrix.code).toBe(0);
    expect(matrix.stdout.split('\n')[1]).toMatch(
      /bzImage-made-up +7\.3\.4 +4 of 4 +5 of 5 +1 of 1 +complete$/,
    );
    const cases = join(folder, 'cases');
    expect(
      kho(['fuzz', 'gen', '--schema', 'handover-7.3', '--count', '2', '--valid-every', '1', '-o', cases])
        .code,
    ).toBe(0);
    // The guest restores another handover than these.
    const tried = tryWith(bin, '--cases', cases);
    expect([tried.code, tried.stderr]).toEqual([1, '']);
    expect(tried.stdout).toContain('2 cases: 0 as predicted');
    const results = readFileSync(join(cases, 'try-results.jsonl'), 'utf8');
    expect(results.trim().split('\n')).toHaveLength(2);
    // What is known is not tried again, whatever QEMU says now.
    const again = tryWith(
      qemuThatSays('dead', 'Kernel panic - not syncing\n', ''),
      '--cases',
      cases,
      '--json',
    );
    expect(JSON.parse(again.stdout)).toMatchObject({
      kind: 'try-cases',
      rules: [{ cases: 2, disagrees: 2 }],
    });
    expect(readFileSync(join(cases, 'try-results.jsonl'), 'utf8')).toBe(results);
  });

  it.each([
    [
      'a kernel that is none',
      ['--kernel', join(root, 'package.json'), image],
      /package\.json: .*BAD_KERNEL: expected a bzImage/,
    ],
    ['nothing', [], /expected kho try IMAGE, or kho try --cases FOLDER/],
    [
      'a folder without kernels',
      [image, '--kernels', join(root, 'docs')],
      /holds no file with bzImage or vmlinuz/,
    ],
    ['an image that is none', [join(root, 'package.json')], /NO_ROOT|no handover|format/],
    [
      'a long command line',
      [image, '--append', 'x'.repeat(3000)],
      /vm\.elf: TOO_LONG: expected a command line/,
    ],
  ])('exits 2 and says in one line what is wrong with %s', (_, args, message) => {
    const { code, stderr } = tryWith('/nowhere', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says what to install', () => {
    const { code, stderr } = kho(['try', image], { env: { PATH: '/nowhere', KHO_KERNEL: kernel } });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^kho: NO_QEMU: expected qemu-system-x86_64, found ENOENT: apt install qemu-system-x86\n$/,
    );
    const none = kho(['try', image], { env: {} });
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/--kernel bzImage or set KHO_KERNEL; docs\/kernels\.md/);
  });
});
