// SPDX-License-Identifier: Apache-2.0
// examples/fuzz-harness restores what real writers wrote, refuses labelled damage, never crashes; and the labelled cases
// find the bug that is planted in it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { violationsOf } from '../../src/fuzz/violations.js';
import { encodeUnchecked, khoRootV1Tree, khoRootV4, type Layout } from '../../src/schemas/index.js';
import { fixturePaths, fixturesFolder } from '../fixtures.js';

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

  it('has a planted bug that the labelled cases find, and only the one', () => {
    const crashed = cases(khoRootV1Tree).filter(({ blob }) => ending(withBug, blob) === 'SIGSEGV');
    expect(crashed.map(({ site }) => site)).toEqual(['/intel-iommu/domains/<domains>/agaw: oneOf']);
  });
});
