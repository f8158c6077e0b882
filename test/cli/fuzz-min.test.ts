// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { codesOf } from '../../src/fuzz/own-verdict.js';
import { violationsOf } from '../../src/fuzz/violations.js';
import { encodeUnchecked, type Layout, versionsOf } from '../../src/schemas/index.js';
import { type GivenCase, textCases, writeCases } from '../fuzz/case-folder.js';
import { fileOf, kho, newFolder, type Run } from './kho.js';

function min(path: string, options: readonly string[], ...words: readonly string[]): Run {
  return kho(['fuzz', 'min', path, ...options, '--', ...words]);
}

/** Crashes on what contains a word. */
const CRASH = ['sh', '-c', 'grep -q boom "$1" && kill -SEGV $$; exit 0', 'sh', '{}'];

describe('kho fuzz min', () => {
  it('leaves what the program crashes on, writes beside it, and tells every step', () => {
    const path = fileOf('case', 'What comes before boom and after it.');
    const { code, stdout, stderr } = min(path, [], ...CRASH);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\S+case\.min {2}36 -> 4 bytes, crash: SIGSEGV; \d+ runs\n$/),
    });
    expect(readFileSync(`${path}.min`, 'utf8')).toBe('boom');
    expect(readFileSync(path, 'utf8')).toBe('What comes before boom and after it.');
    const steps = [...stderr.matchAll(/^ +(\d+) {2}(\d+) -> (\d+) bytes {2}cut .*$/gm)];
    expect(steps[0]?.[2]).toBe('36');
    expect(steps.at(-1)?.[3]).toBe('4');
    // The same command takes the same steps.
    expect(min(path, ['--json'], ...CRASH).stderr).toBe(stderr);
  });

  it('keeps the exit code and what is printed, within as many runs as it may have', () => {
    const path = fileOf('case', 'a bad count other c');
    const words = ['sh', '-c', 'cat "$1"; grep -q "bad count" "$1" && exit 3; exit 1', 'sh'];
    const out = join(newFolder(), 'small');
    expect(min(path, ['-o', out], ...words).stdout).toContain(', exit 3;');
    expect(readFileSync(out, 'utf8')).toBe('bad count');
    expect(min(path, ['-o', out, '--match', 'other'], ...words).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^bad count ?other$|^bad countother$/);
    const short = min(path, ['-o', out, '--max-runs', '3', '--json'], ...words);
    expect(JSON.parse(short.stdout)).toMatchObject({
      kind: 'fuzz-min',
      runs: 3,
      complete: false,
      outcome: 'exit 3',
    });
    expect(min(path, ['--match', 'no such'], ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('does not print "no such"'),
    });
  });

  it('has nothing to keep where the program does not fail, or fails in one way and then in another', () => {
    const path = fileOf('case', 'fine');
    expect(min(path, [], 'true')).toMatchObject({ code: 1, stderr: expect.stringContaining('takes it') });
    const mark = join(newFolder(), 'mark');
    const { code, stderr } = min(path, [], 'sh', '-c', `[ -e ${mark} ] && exit 3; touch ${mark}; exit 4`);
    expect({ code, told: stderr.includes('once exit 4, then exit 3') }).toEqual({ code: 2, told: true });
    expect(existsSync(`${path}.min`)).toBe(false);
    expect(min(path, ['-o', path], 'false').stderr).toContain('it is not overwritten');
  });

  it('does not turn a case about its verdict into one that deserves another', () => {
    const layout: Layout | undefined = versionsOf('memfd-v2')[0]?.version.layout;
    if (layout === undefined) throw new Error('no layout');
    const [value] = fc.sample<unknown>(arbitraryOf(layout), { numRuns: 1, seed: 11 });
    const [broken] = violationsOf(layout, value);
    const bytes = encodeUnchecked(layout, value);
    const wrong = encodeUnchecked(layout, broken?.value);
    const rules = [...codesOf(layout, wrong)];
    const cases: GivenCase[] = [
      { file: 'valid', bytes, expected: { verdict: 'valid', rules: [] } },
      { file: 'broken', bytes: wrong, expected: { verdict: 'invalid', rules } },
    ];
    const folder = writeCases('memfd-v2', cases);
    const small = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, `${name}.min`)));
    expect(min(join(folder, 'valid'), ['--max-runs', '100'], 'false').code).toBe(0);
    expect(codesOf(layout, small('valid')).size).toBe(0);
    expect(min(join(folder, 'broken'), ['--max-runs', '100'], 'true').stdout).toContain(', accepted;');
    expect(rules.every((rule) => codesOf(layout, small('broken')).has(rule))).toBe(true);
    expect(min(join(folder, 'broken'), [], 'false').stderr).toContain('refuses it as it should');
  });

  it('makes whole handovers small by what they are made of, then where they lie', () => {
    const folder = newFolder();
    const gen = ['fuzz', 'gen', '--schema', 'handover-7.3', '--count', '1', '--valid-every', '0'];
    expect(kho([...gen, '--operators', 'file-token-twice', '--force', '-o', folder]).code).toBe(0);
    const path = join(folder, '0-file-token-twice.elf');
    const words = ['sh', '-c', 'grep -aq memfd-v2 "$1" && kill -SEGV $$; exit 1', 'sh', '{}'];
    const { stdout, stderr } = min(path, ['--json', '--max-runs', '60'], ...words);
    const { bytes, operators, expected } = JSON.parse(stdout);
    expect(bytes.after).toBeLessThan(bytes.before / 2);
    // A crash needs no fault, and this one no session of several.
    expect({ operators, expected }).toEqual({
      operators: [],
      expected: { verdict: 'valid', rules: [], effect: 'none' },
    });
    const steps = stderr.split('\n').slice(1);
    expect(steps[0]).toMatch(/ no change$/);
    expect(steps.findIndex((step) => /leave out/.test(step))).toBeLessThan(
      steps.findIndex((step) => /write the core anew|drop/.test(step)),
    );
    expect(steps.some((step) => / \/\S*: drop /.test(step))).toBe(true);
  });

  it('keeps a case about what is named one whose rule is not', () => {
    const folder = writeCases('made-up', textCases({ text: 'no boom at all' }, 'invalid'));
    const path = join(folder, 'text');
    const words = ['sh', '-c', 'grep -o "boom" "$1"; exit 1', 'sh', '{}'];
    expect(min(path, [], ...words).code).toBe(1);
    expect(min(path, ['--tells-rule', 'one', '--match', 'boom'], ...words).code).toBe(0);
    expect(readFileSync(`${path}.min`, 'utf8')).toBe('boom');
    const unlabelled = fileOf('case', 'text');
    expect(min(unlabelled, ['--tells-rule', 'all'], ...words).stderr).toContain(
      'no manifest says which rules',
    );
  });
});
