// SPDX-License-Identifier: Apache-2.0
// examples/fuzz-harness restores what real writers wrote, refuses labelled damage, never crashes; and the labelled cases
// find the bug that is planted in it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openFdt, readTree } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { codesOf } from '../../src/fuzz/own-verdict.js';
import { violationsOf } from '../../src/fuzz/violations.js';
import { encodeUnchecked, khoRootV1Tree, khoRootV4, type Layout } from '../../src/schemas/index.js';
import { kho } from '../cli/kho.js';
import { fixturePaths, fixturesFolder } from '../fixtures.js';
import { writeCases } from './case-folder.js';

const source = join(import.meta.dirname, '..', '..', 'examples', 'fuzz-harness', 'restore.c');
const installed =
  existsSync('/usr/include/libfdt.h') && spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!installed) console.warn('SKIP examples/fuzz-harness: gcc or libfdt-dev is not installed');

const folder = mkdtempSync(join(tmpdir(), 'kho-harness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds the example with the flags of its README. */
function build(name: string, ...flags: readonly string[]): string {
  const program = join(folder, name);
  execFileSync('gcc', ['-g', '-O1', '-Wall', '-Werror', ...flags, '-o', program, source, '-lfdt']);
  return program;
}

interface Case {
  readonly site: string;
  readonly blob: Uint8Array;
}

/** One case for each rule of a root: valid values with that rule broken. */
function cases(layout: Layout): Case[] {
  const found = new Map<string, Case>();
  for (const value of fc.sample(arbitraryOf(layout), { numRuns: 60, seed: 7 })) {
    for (const { site, value: broken } of violationsOf(layout, value)) {
      if (!found.has(site)) found.set(site, { site, blob: encodeUnchecked(layout, broken) });
    }
  }
  return [...found.values()];
}

/** How a program ends on a blob: `0`, `1` and what it says, or the signal that killed it. */
function ending(program: string, blob: Uint8Array): string {
  const path = join(folder, 'case');
  writeFileSync(path, blob);
  const { status, signal, stderr } = spawnSync(program, [path], { timeout: 10_000, encoding: 'utf8' });
  return signal ?? `${status} ${stderr}`.trim();
}

const BUG = '/intel-iommu/domains/<domains>/agaw: oneOf';

/** A case for each rule of the RFC's root, and as many valid ones; valid ones first. */
const labelled = [
  ...fc.sample(arbitraryOf(khoRootV1Tree), { numRuns: 5, seed: 7 }).map((value, index) => ({
    file: `valid-${index}.dtb`,
    site: 'valid',
    bytes: encodeUnchecked(khoRootV1Tree, value),
    expected: { verdict: 'valid' as const, rules: [] },
  })),
  ...cases(khoRootV1Tree).map(({ site, blob }, index) => ({
    file: `broken-${index}.dtb`,
    site,
    bytes: blob,
    expected: { verdict: 'invalid' as const, rules: [...codesOf(khoRootV1Tree, blob)] },
  })),
];

interface Found {
  readonly code: number | null;
  /** Classes and what they are of, in the order in which they are told. */
  readonly classes: readonly string[];
  /** Cases that are findings. */
  readonly files: readonly string[];
}

/** What `kho fuzz run` finds. */
function run(cases: string, program: string, ...options: readonly string[]): Found {
  const { code, stdout } = kho(['fuzz', 'run', '--cases', cases, '--json', ...options, '--', program, '{}']);
  const { outcomes }: { outcomes: { class: string; what: string; cases: { file: string }[] }[] } =
    JSON.parse(stdout);
  const classes = outcomes.map((each) => `${each.class} ${each.what.replace(/:\d+/g, '')}`);
  return { code, classes, files: outcomes.flatMap((each) => each.cases.map(({ file }) => file)) };
}

/** The program with the bug and a sanitizer; `undefined` where the compiler has none. */
function sanitized(): string | undefined {
  try {
    return build('restore-asan', '-DPLANTED_BUG', '-fsanitize=address');
  } catch {
    return undefined;
  }
}

describe.skipIf(!installed)('examples/fuzz-harness', () => {
  const restore = installed ? build('restore') : '';
  const withBug = installed ? build('restore-bug', '-DPLANTED_BUG') : '';

  it('restores what the RFC and a 7.3 kernel wrote', () => {
    const written = [
      ...fixturePaths('.dtb', 'rfc-2024'),
      join(fixturesFolder, 'kernel-7.3.4', 'kho-fdt.dtb'),
    ];
    for (const path of written) expect(spawnSync(restore, [path]).status, path).toBe(0);
    const several = join(fixturesFolder, 'rfc-2024/several.dtb');
    expect(spawnSync(restore, [several], { encoding: 'utf8' }).stdout).toBe(
      '0 subtrees, 2 domains (8 levels, 3 devices, 3 pages), 5 areas of 274878963713 bytes\n',
    );
  });

  it('refuses every labelled case, and takes values that break no rule', () => {
    for (const layout of [khoRootV1Tree, khoRootV4]) {
      const valid: unknown[] = fc.sample(arbitraryOf(layout), { numRuns: 20, seed: 7 });
      for (const value of valid) expect(ending(restore, encodeUnchecked(layout, value))).toBe('0');
      for (const { site, blob } of cases(layout)) expect(ending(restore, blob), site).toMatch(/^1 ./);
    }
  });

  it('has a planted bug that kho fuzz run finds, and nothing else', () => {
    const folder = writeCases('kho-v1=tree', labelled);
    expect(run(folder, restore)).toEqual({ code: 0, classes: ['ok refused', 'ok accepted'], files: [] });
    const { code, classes, files } = run(folder, withBug);
    expect({ code, classes }).toEqual({ code: 1, classes: ['crash SIGSEGV', 'ok refused', 'ok accepted'] });
    expect(labelled.filter(({ file }) => files.includes(file)).map(({ site }) => site)).toEqual([BUG]);
  });

  it('crashes on little of a case, says kho fuzz min', () => {
    const folder = writeCases('kho-v1=tree', labelled);
    const { file = '', bytes = new Uint8Array() } = labelled.find(({ site }) => site === BUG) ?? {};
    const path = join(folder, file);
    const small = join(folder, 'small');
    const { code, stderr, stdout } = kho([
      'fuzz',
      'min',
      path,
      '-o',
      small,
      '--max-runs',
      '60',
      '--',
      withBug,
      '{}',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('crash: SIGSEGV; 60 runs') });
    expect(stderr).toMatch(/^ +\d+ {2}\d+ -> \d+ bytes {2}drop a node of \/intel-iommu\/domains$/m);
    expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
    expect(ending(withBug, readFileSync(small))).toBe('SIGSEGV');
    // A root, the node of the unit, its domains, one of them, and what is read before the bug.
    const { root } = readTree(openFdt(readFileSync(small)));
    const [iommu] = root.children;
    const [domains] = iommu?.children ?? [];
    const [domain] = domains?.children ?? [];
    const counts = [root, iommu, domains, domain].map((node) => node?.children.length);
    expect(counts).toEqual([1, 1, 1, 0]);
    expect(domain?.properties.map(({ name }) => name)).toEqual(['persistent_id', 'pgd', 'agaw']);
  });

  it('has its crash named by a sanitizer', () => {
    const program = installed ? sanitized() : undefined;
    if (program === undefined) {
      console.warn('SKIP sanitizer: gcc has no -fsanitize=address');
      return;
    }
    const folder = writeCases(
      'kho-v1=tree',
      labelled.filter(({ site }, index) => site === BUG || index < 2),
    );
    expect(run(folder, program, '--memory', '512').classes).toEqual([
      'crash AddressSanitizer: SEGV restore.c in restore_domain',
      'ok accepted',
    ]);
  });
});
