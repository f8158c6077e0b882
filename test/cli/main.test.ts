// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder, program, root } from './kho.js';

const BLOB = 'fixtures/demo/out/fdt';
const COMMANDS = [
  'dump',
  'diff',
  'get',
  'check',
  'compat',
  'graph',
  'schema',
  'encode',
  'compile',
  'demo',
  'completion',
];

describe('kho', () => {
  it('prints the version of the package', () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(kho(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('helps with examples first and documented exit codes', () => {
    const { code, stdout } = kho(['--help']);
    expect(code).toBe(0);
    expect(stdout.indexOf('Examples:')).toBeLessThan(stdout.indexOf('Commands:'));
    expect(stdout).toContain('Exit codes: 0 ');
    for (const command of COMMANDS) expect(stdout).toContain(`\n  kho ${command}`);
  });

  it.each(COMMANDS)('helps with %s', (command) => {
    const { code, stdout, stderr } = kho([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^kho ${command}.*\n.+\n\nExamples:\n  kho ${command}`));
    expect(stdout).toContain('Exit codes: 0 ');
  });

  it.each([
    [['dupm', 'x'], 'unknown command "dupm", did you mean "dump"?'],
    [['frobnicate'], 'unknown command "frobnicate"'],
    [[], 'a command is needed'],
    [['dump'], 'expected kho dump <blob> (see kho dump --help)'],
    [['dump', 'a', 'b'], 'unknown argument: b'],
    [['dump', 'a', '--froamt', 'hex'], 'unknown argument: froamt'],
    [['dump', 'a', '--format', 'xml'], 'invalid values: Argument: format'],
  ])('refuses %j in one line', (args, text) => {
    const { code, stdout, stderr } = kho(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(`kho: ${text}`)).toBe(true);
    expect(stderr.split('\n').length).toBe(2);
  });

  it.each<[string, Record<string, string>, string[], boolean]>([
    ['a pipe', {}, [], false],
    ['--color always', {}, ['--color', 'always'], true],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, [], true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, [], false],
    ['--color never over FORCE_COLOR', { FORCE_COLOR: '1' }, ['--color', 'never'], false],
    ['--color always over NO_COLOR', { NO_COLOR: '1' }, ['--color', 'always'], true],
  ])('colours by %s', (_name, env, args, isColoured) => {
    const { stdout } = kho([...args, 'dump', BLOB], { env });
    expect(stdout.includes('\u001b[')).toBe(isColoured);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0).each<[string, boolean]>([
    ['TERM=xterm', true],
    ['TERM=dumb', false],
    ['TERM=xterm NO_COLOR=1', false],
  ])('on a terminal with %s', (setting, isColoured) => {
    const line = `env -u NO_COLOR -u FORCE_COLOR ${setting} ${process.execPath} ${program} dump ${BLOB}`;
    const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd: root, encoding: 'utf8' });
    expect(stdout).toContain('kho-v4');
    expect(stdout.includes('\u001b[')).toBe(isColoured);
  });

  it('ends quietly when its reader goes away', () => {
    const nodes = Array.from({ length: 50_000 }, (_, index) => `n${index}{};`);
    const file = join(newFolder(), 'large.dtb');
    kho(['compile', '-', '-o', file], { input: `/dts-v1/;/{${nodes.join('')}};` });
    const line = `{ "${process.execPath}" "${program}" dump ${file}; echo "code $?" >&2; } | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: root, encoding: 'utf8' });
    expect(stdout).toMatch(/^\S+large.dtb {2}FDT version 17, .*, 50001 nodes\n$/);
    expect(stderr).toBe('code 0\n');
  });

  it('dies of SIGINT as the shell expects: 130', async () => {
    const child = spawn(process.execPath, [program, 'dump', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: null, signal: 'SIGINT' });
  });

  it.skipIf(!existsSync('/dev/full'))('tells when its output cannot be written', () => {
    const line = `"${process.execPath}" "${program}" dump ${BLOB} > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: root, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'kho: stdout: ENOSPC: no space left on device\n',
    });
  });

  it('escapes control characters of file names in errors', () => {
    const { stderr } = kho(['dump', '/no\u001b[2Jsuch\nfile']);
    expect(stderr).toBe('kho: /no\\x1b[2Jsuch\\x0afile: ENOENT: no such file or directory\n');
  });

  it('shows the demo', () => {
    const { code, stdout, stderr } = kho(['demo']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const text of [
      '$ kho dump fixtures/demo/out\n',
      'trace0',
      '$ kho check ',
      ': valid\n',
      '$ kho diff ',
      '+ /trace1',
    ])
      expect(stdout).toContain(text);
  });

  it.each(['bash', 'zsh', 'fish'])('completes in %s what there is', (shell) => {
    const { code, stdout } = kho(['completion', shell]);
    expect(code).toBe(0);
    for (const word of [...COMMANDS, 'tolerant', 'u64le', 'boot-cpu']) expect(stdout).toContain(word);
    if (spawnSync(shell, ['--version']).status !== 0) {
      console.warn(`SKIP syntax of the ${shell} script: ${shell} is not installed`);
      return;
    }
    const { status, stderr } = spawnSync(shell, ['-n', fileOf('completion', stdout)], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('completes commands, options and their values in bash', () => {
    const script = fileOf('completion', kho(['completion', 'bash']).stdout);
    const complete = (words: string): string[] => {
      const line = `source ${script}; COMP_WORDS=(kho ${words} ''); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _kho; echo "\${COMPREPLY[@]}"`;
      return spawnSync('bash', ['-c', line], { encoding: 'utf8' }).stdout.trim().split(' ');
    };
    expect(complete('')).toEqual(expect.arrayContaining(COMMANDS));
    expect(complete('dump --format')).toEqual(['tree', 'dts', 'json', 'hex']);
    expect(complete('completion')).toEqual(['bash', 'zsh', 'fish']);
  });
});
