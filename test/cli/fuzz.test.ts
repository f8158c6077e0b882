// SPDX-License-Identifier: Apache-2.0
// kho fuzz gen and repro as a user runs them.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FuzzManifest } from '../../src/fuzz/index.js';
import { kho, newFolder } from './kho.js';

const CAPTURE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
const hasGcc = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasGcc) console.warn('SKIP C arrays: gcc is not installed');

function generate(args: readonly string[]): { readonly folder: string; readonly manifest: FuzzManifest } {
  const folder = newFolder();
  const { code, stderr } = kho(['fuzz', 'gen', ...args, '-o', folder]);
  expect([code, stderr]).toEqual([0, '']);
  return { folder, manifest: JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Rules that kho verify tells of a case. */
function told(folder: string, { file, areas }: FuzzManifest['cases'][number]): string[] {
  const beside = areas === undefined ? [] : ['--areas', join(folder, areas)];
  const { stdout } = kho(['verify', join(folder, file), '--json', ...beside]);
  return JSON.parse(stdout).findings.map(({ rule }: { rule: string }) => rule);
}

describe('kho fuzz gen', () => {
  it('writes blobs with a manifest, the same for the same seed', () => {
    const args = ['--schema', 'luo-v5', '--count', '40', '--seed', '7'];
    const { folder, manifest } = generate(args);
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      kind: 'fuzz-cases',
      seed: 7,
      schema: 'luo-v5',
      form: 'blob',
    });
    expect(manifest.cases).toHaveLength(40);
    for (const { file, bytes, sha256: hash } of manifest.cases) {
      const content = readFileSync(join(folder, file));
      expect([content.length, sha256(content)]).toEqual([bytes, hash]);
    }
    expect(generate(args).manifest).toEqual(manifest);
    // The same parameters again: the folder is made anew.
    expect(kho(['fuzz', 'gen', ...args, '-o', folder]).code).toBe(0);
    expect(readdirSync(folder)).toHaveLength(41);
  });

  it('writes images of which kho verify tells what the manifest says', () => {
    const { folder, manifest } = generate(['--schema', 'handover', '--count', '10', '--seed', '3']);
    for (const each of manifest.cases.slice(0, 2)) {
      const rules = told(folder, each);
      expect(rules, each.file).toEqual(expect.arrayContaining([...each.expected.rules]));
      if (each.expected.verdict === 'valid') expect(rules).toEqual([]);
    }
  });

  it('changes a captured handover', () => {
    const base = ['--base', CAPTURE, '--operators', 'session-count-plus-one', '--valid-every', '0'];
    const { folder, manifest } = generate(['--schema', 'handover', '--count', '1', ...base]);
    const [only] = manifest.cases;
    expect(only?.expected).toEqual({ verdict: 'invalid', rules: ['luo-values'], effect: 'silent' });
    expect(manifest.baseSha256).toBe(sha256(readFileSync(CAPTURE)));
    expect(only && told(folder, only)).toContain('luo-values');
    const out = join(newFolder(), 'again.elf');
    const repro = only?.repro ?? '';
    expect(kho(['fuzz', 'repro', repro, '-o', out]).stderr).toContain('--base');
    expect(kho(['fuzz', 'repro', repro, '-o', out, '--base', CAPTURE]).code).toBe(0);
    expect(sha256(readFileSync(out))).toBe(only?.sha256);
  });

  it.skipIf(!hasGcc)('writes C headers that compile without a warning', () => {
    const { folder, manifest } = generate(['--schema', 'memblock-v1', '--form', 'c-array', '--count', '30']);
    const source = `#include <stdio.h>\n#include "cases.h"\nint main(void)\n{\n\tfor (int i = 0; i < kho_fuzz_case_count; i++)\n\t\tprintf("%lu %d %s\\n", kho_fuzz_cases[i].size, kho_fuzz_cases[i].valid, kho_fuzz_cases[i].repro);\n\treturn 0;\n}\n`;
    writeFileSync(join(folder, 'main.c'), source);
    const program = join(folder, 'main');
    const strict = ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
    execFileSync('gcc', [...strict, '-o', program, join(folder, 'main.c')], { stdio: 'pipe' });
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    expect(lines.map((line) => line.split(' ')[2])).toEqual(manifest.cases.map(({ repro }) => repro));
    const valid = manifest.cases.map(({ expected }) => (expected.verdict === 'valid' ? '1' : '0'));
    expect(lines.map((line) => line.split(' ')[1])).toEqual(valid);
  });

  it('says what it does not do', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'mine.txt'), 'x');
    const full = kho(['fuzz', 'gen', '--schema', 'luo-v5', '-o', folder]);
    expect([full.code, full.stderr]).toEqual([2, expect.stringContaining('is not empty')]);
    expect(readdirSync(folder)).toEqual(['mine.txt']);
    const failures: [string[], string][] = [
      [['--schema', 'luo-v6'], 'did you mean "luo-v1"'],
      [['--schema', 'luo-v5', '--operators', 'no-such'], 'there is no operator "no-such"'],
      [
        ['--schema', 'luo-v5', '--operators', 'fdt-magic', '--valid-every', '0'],
        'none of the changes applies',
      ],
      [['--schema', 'pci-v1', '--form', 'image'], '--form blob'],
      [['--schema', 'handover', '--form', 'blob'], 'images or C arrays'],
    ];
    for (const [args, message] of failures) {
      const { code, stderr } = kho(['fuzz', 'gen', ...args, '-o', join(folder, 'new')]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  });
});

describe('kho fuzz repro', () => {
  it('makes one case again without the others', () => {
    const { manifest } = generate(['--schema', 'kho-v4', '--count', '12']);
    const last = manifest.cases.at(-1);
    const out = join(newFolder(), 'again');
    const { code, stdout } = kho(['fuzz', 'repro', last?.repro ?? '', '-o', out]);
    expect(code).toBe(0);
    expect(stdout).toContain(last?.operators[0]?.id);
    expect(sha256(readFileSync(out))).toBe(last?.sha256);
  });

  it('refuses what is none', () => {
    const out = join(newFolder(), 'again');
    for (const text of [
      'kho1:luo-v5:blob:1:none',
      'kho1:luo-v9:blob:1:none:2',
      'kho1:luo-v5:blob:1:no-such:2',
    ])
      expect(kho(['fuzz', 'repro', text, '-o', out]).code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });
});
