// SPDX-License-Identifier: Apache-2.0
// Runs before the tests: builds the program `kho` if a source is newer, so that tests run what users run.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const program = join(root, 'dist', 'cli', 'kho.js');

export function setup(): void {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join(root, 'src', name),
  );
  const newest = Math.max(
    ...[...sources, join(root, 'package.json'), join(root, 'scripts', 'build.mjs')].map(
      (file) => statSync(file).mtimeMs,
    ),
  );
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > newest) return;
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--only-cli'], { stdio: 'pipe' });
  } catch (error) {
    // Tests that need the program fail for want of it, and not on an old one; the others can go on.
    rmSync(program, { force: true });
    console.error('kho could not be built:', error instanceof Error ? error.message : error);
  }
}
