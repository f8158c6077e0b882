// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type GivenCase, textCases, writeCases } from '../fuzz/case-folder.js';
import { fileOf, kho, newFolder, program, type Run } from './kho.js';

/** Does what the text of the case says. */
const OBEY = ['sh', '-c', '. "$0"'];
const WAYS = {
  good: 'exit 0',
  refused: 'echo no >&2; exit 3',
  dies: 'kill -SEGV $$',
  wrapped: 'exit 134',
  odd: 'exit 200',
  hangs: 'sleep 60 & sleep 60',
  killed: 'kill -KILL $$',
  asan: 'echo "SUMMARY: AddressSanitizer: heap-buffer-overflow /x/y/a.c:7:3 in f" >&2; exit 1',
};

function run(folder: string, options: readonly string[], ...words: readonly string[]): Run {
  return kho(['fuzz', 'run', '--cases', folder, ...options, '--', ...words]);
}

interface Told {
  readonly outcomes: readonly {
    readonly class: string;
    readonly what: string;
    readonly finding: boolean;
    readonly count: number;
    readonly cases: readonly { readonly file: string }[];
  }[];
}

function told(stdout: string): Told {
  return JSON.parse(stdout);
}

function lines(folder: string): Record<string, unknown>[] {
  const text = readFileSync(join(folder, 'results.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('kho fuzz run', () => {
  it('sorts what a program does, worst first', () => {
    const folder = writeCases('made-up', textCases(WAYS));
    const { code, stdout } = run(folder, ['--timeout', '0.4', '--json', '-j', '4'], ...OBEY);
    expect(code).toBe(1);
    const rows = told(stdout).outcomes.map((each) => [
      each.class,
      each.what,
      each.cases.map(({ file }) => file),
    ]);
    expect(rows).toEqual([
      ['crash', 'SIGSEGV', ['dies']],
      ['crash', 'SIGABRT', ['wrapped']],
      ['crash', 'AddressSanitizer: heap-buffer-overflow a.c:7:3 in f', ['asan']],
      ['memory', 'killed from outside, as for want of memory', ['killed']],
      ['timeout', 'did not end in time', ['hangs']],
      ['verdict-mismatch', 'refuses a valid case', ['refused']],
      ['exit', 'exit 200', ['odd']],
      ['ok', 'accepted', []],
    ]);
    const asan = lines(folder).find(({ file }) => file === 'asan');
    expect(asan).toMatchObject({
      class: 'crash',
      code: 1,
      command: OBEY,
      stderr: expect.stringContaining('/x/y'),
    });
  });

  it('takes only what --only names for a finding, and exit codes for what they are said to mean', () => {
    const folder = writeCases('made-up', textCases({ a: 'exit 7', b: 'exit 0' }));
    expect(run(folder, ['--accept', '0,5-7'], ...OBEY).code).toBe(0);
    expect(run(folder, ['--refuse', '7'], ...OBEY).code).toBe(1);
    expect(run(folder, ['--only', 'crash,timeout'], ...OBEY).code).toBe(0);
    expect(run(folder, ['--refuse', '0'], ...OBEY).stderr).toContain('exit 0 cannot both accept and refuse');
    expect(run(folder, ['--only', 'crush'], ...OBEY).code).toBe(2);
  });

  it('says which rules an accepted case breaks, by which operator', () => {
    const [given] = textCases({ taken: 'exit 0' }, 'invalid');
    const operators = [{ id: 'count-plus-one', family: 'counts', at: '/a\u001b', detail: '1 is 2' }];
    const cases: GivenCase[] = given === undefined ? [] : [{ ...given, operators }];
    const { code, stdout } = run(writeCases('made-up', cases), [], ...OBEY);
    expect(code).toBe(1);
    expect(stdout).toContain('verdict-mismatch      1  accepts made-up\n');
    expect(stdout).toContain('  taken  invalid: made-up  count-plus-one at /a\\x1b: 1 is 2\n');
  });

  it('holds kho check against the labels: it refuses what it should, and says why', () => {
    const folder = join(newFolder(), 'cases');
    kho(['fuzz', 'gen', '--schema', 'kho-v4', '--count', '12', '--seed', '7', '-o', folder]);
    const check = [process.execPath, program, 'check', '--schema', 'kho-v4', '{}'];
    const { code, stdout } = run(folder, ['--json', '--tells-rule', 'all', '--rule-text', '{}:'], ...check);
    expect(told(stdout).outcomes.map(({ what }) => what)).toEqual(['refused', 'accepted']);
    expect(code).toBe(0);
  });

  it('wants rules and codes of the label named, one or all of them, as words of their own', () => {
    const expected = { verdict: 'invalid', rules: ['map-ram', 'BAD_COUNT'] } as const;
    const texts = {
      both: 'printf "\\033[31merror\\033[0m \\033[1mmap-ram\\033[0m: x\\n" >&2; printf BAD_COUNT; exit 1',
      one: 'echo "not checked: BAD_COUNT"; echo "error map-ram: x"; exit 1',
      longer: 'echo "map-ram-2 xBAD_COUNT map-ramx"; exit 1',
    };
    const cases = textCases(texts, 'invalid').map((each) => ({ ...each, expected }));
    const folder = writeCases('made-up', cases);
    const whats = (...options: readonly string[]): unknown =>
      told(run(folder, ['--json', ...options], ...OBEY).stdout).outcomes.map(({ what, count }) => [
        what,
        count,
      ]);
    expect(whats()).toEqual([['refused', 3]]);
    expect(whats('--tells-rule', 'one')).toEqual([
      ['names none of map-ram, BAD_COUNT', 1],
      ['refused', 2],
    ]);
    expect(whats('--tells-rule', 'all')).toEqual([
      ['does not name map-ram, BAD_COUNT', 1],
      ['refused', 2],
    ]);
    expect(whats('--tells-rule', 'all', '--rule-text', 'error {}:')).toEqual([
      ['does not name BAD_COUNT', 2],
      ['does not name map-ram, BAD_COUNT', 1],
    ]);
    expect(run(folder, ['--tells-rule', 'all', '--rule-text', 'error'], ...OBEY).code).toBe(2);
  });

  it('gives a program the description of address spaces that a case comes with', () => {
    const cases = textCases({ a: '', b: '' }).map((each, index) => ({
      ...each,
      ...(index === 1 && { areas: { ioases: [] } }),
    }));
    const folder = writeCases('made-up', cases);
    const words = ['sh', '-c', 'printf "%s " "$@"; exit 200', 'sh', '--areas={areas}', '{}'];
    run(folder, ['-j', '1'], ...words);
    expect(lines(folder).map(({ stdout }) => stdout)).toEqual([
      `${join(folder, 'a')} `,
      `--areas=${join(folder, 'b.areas.json')} ${join(folder, 'b')} `,
    ]);
  });

  it('puts the path where {} stands, and last where it stands nowhere', () => {
    const folder = writeCases('made-up', textCases({ 'a$&b': 'text' }));
    const print = (...args: readonly string[]): unknown => {
      run(folder, ['--accept', '9'], 'sh', '-c', 'printf "%s " "$@"; exit 1', 'sh', ...args);
      return lines(folder)[0]?.['stdout'];
    };
    const path = join(folder, 'a$&b');
    expect(print('--file={}', '-', '--', '7')).toBe(`--file=${path} - -- 7 `);
    expect(print('-x')).toBe(`-x ${path} `);
  });

  it('keeps of an endless output the start and the end, and is not held up by who inherits it', () => {
    const endless = 'echo first; yes | head -c 3000000; echo last; exit 1';
    const folder = writeCases('made-up', textCases({ endless, leaves: 'sleep 30 & exit 1' }));
    const start = performance.now();
    run(folder, [], ...OBEY);
    expect(performance.now() - start).toBeLessThan(20_000);
    const found = lines(folder).find(({ file }) => file === 'endless')?.['stdout'];
    expect(found).toMatch(/^first\n(y\n)+\n\[\d+ bytes left out\]\n\n?(y\n)+last\n$/);
    expect(String(found).length).toBeLessThan(5000);
  });

  it('holds a program to a memory limit, and tells when it said that there is no more', () => {
    const texts = {
      limited: '[ "$(ulimit -v)" = 65536 ]',
      starved: 'echo "x: Cannot allocate memory" >&2; exit 200',
    };
    const folder = writeCases('made-up', textCases(texts));
    const { stdout } = run(folder, ['--memory', '64', '--json'], ...OBEY);
    const rows = told(stdout).outcomes.map((each) => [each.class, each.what, each.count]);
    expect(rows).toEqual([
      ['memory', 'no memory left', 1],
      ['ok', 'accepted', 1],
    ]);
  });

  it('goes on where it was interrupted, also in the middle of a line', () => {
    const marks = newFolder();
    const mark = `touch "${marks}/$(basename "$0").$$"`;
    const names = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`c${index}`, mark]));
    const folder = writeCases('made-up', textCases(names));
    const first = run(folder, ['--json'], ...OBEY);
    expect(first.code).toBe(0);
    const path = join(folder, 'results.jsonl');
    const all = readFileSync(path, 'utf8').trimEnd().split('\n');
    writeFileSync(path, `${all.slice(0, 5).join('\n')}\n${all[5]?.slice(0, 40)}`);
    const second = run(folder, ['--resume', '--json'], ...OBEY);
    expect({ ...second, stderr: '' }).toEqual({ ...first, stderr: '' });
    expect(second.stderr).toContain('3 cases run');
    expect(second.stderr).toContain('5 known from before');
    expect(readdirSync(marks).length).toBe(11);
    expect(lines(folder).length).toBe(8);
    expect(run(folder, ['--fresh'], ...OBEY).stderr).toContain('8 cases run');
  });

  it('keeps the results of another command, or another program, apart', () => {
    const folder = writeCases('made-up', textCases({ a: 'exit 0' }));
    const script = fileOf('obey', '#!/bin/sh\nexit 0\n');
    const runs = (...words: readonly string[]): string => run(folder, [], ...words).stderr;
    expect(runs(...OBEY)).toContain('1 case run');
    expect(runs('sh', script)).toContain('1 case run');
    expect(runs(...OBEY)).toContain('0 cases run');
    writeFileSync(script, '#!/bin/sh\nexit 1\n');
    expect(runs('sh', script)).toContain('1 case run');
    expect(run(folder, ['--resume'], 'true').stderr).toContain('no results of this command');
  });

  it('ends what is running when it is interrupted, and says how to go on', { timeout: 20_000 }, async () => {
    const marks = newFolder();
    const wait = `sleep 61 & echo $! > ${marks}/child; wait`;
    const folder = writeCases('made-up', textCases({ a: 'exit 0', b: wait, c: 'exit 0' }));
    const child = spawn(process.execPath, [
      program,
      'fuzz',
      'run',
      '--cases',
      folder,
      '-j',
      '1',
      '--',
      ...OBEY,
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    while (!existsSync(join(marks, 'child'))) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(stderr).toContain('interrupted with 2 to go');
    const pid = Number(readFileSync(join(marks, 'child'), 'utf8'));
    // Gone, or dead and not yet taken note of by its parent.
    const commandLine = `/proc/${pid}/cmdline`;
    expect(existsSync(commandLine) ? readFileSync(commandLine, 'utf8') : '').toBe('');
    expect(lines(folder).map(({ file }) => file)).toEqual(['a']);
  });

  it('runs nothing that is not what the manifest says', () => {
    const folder = writeCases('made-up', textCases({ a: 'exit 0' }));
    appendFileSync(join(folder, 'a'), ' ');
    expect(run(folder, [], ...OBEY)).toMatchObject({ code: 2, stderr: expect.stringContaining('SHA-256') });
    const given = textCases({ a: 'exit 0' });
    const manifest = join(writeCases('made-up', given), 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"a"', '"../a"'));
    const refused = run(join(manifest, '..'), [], ...OBEY);
    expect(refused.stderr).toMatch(
      /^kho: .*\.cases\[0\]\.file: BAD_DESCRIPTION: expected the name of a file/,
    );
  });

  it('is in trouble without manifest, without program, or with one that is not there', () => {
    const folder = writeCases('made-up', textCases({ a: 'exit 0' }));
    for (const words of [[], ['no-such-program'], ['./no/such'], ['']])
      expect(run(folder, [], ...words).code).toBe(2);
    expect(existsSync(join(folder, 'results.jsonl'))).toBe(false);
    rmSync(join(folder, 'manifest.json'));
    expect(run(folder, [], 'true').code).toBe(2);
  });
});
