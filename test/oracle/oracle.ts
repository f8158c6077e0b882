// SPDX-License-Identifier: Apache-2.0
// Independent producers of golden bytes: C programs against Debian's libfdt, and dtc. Tests that need one skip, and
// say so, where it is not installed; what they would have produced is also committed under fixtures/.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const buildFolder = join(root, 'build', 'oracle');

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function skip(what: string, reason: string): undefined {
  console.warn(`SKIP ${what}: ${reason}`);
  return undefined;
}

/** True when dtc can be run; says on stderr that tests skip when not. */
export function hasDtc(): boolean {
  return isInstalled('dtc') || (skip('dtc comparisons', 'device-tree-compiler is not installed') ?? false);
}

/**
 * Compiles `test/oracle/<name>.c` with gcc against libfdt, unless it is up to date.
 *
 * @returns path of the program, or `undefined` (and a line on stderr) where gcc or libfdt-dev is missing
 */
export function buildOracle(name: string): string | undefined {
  if (!existsSync('/usr/include/libfdt.h')) return skip(`oracle ${name}`, 'libfdt-dev is not installed');
  return buildWithGcc(name, ['-lfdt']);
}

/**
 * Compiles `test/oracle/<name>.c` with gcc, unless it is up to date.
 *
 * @returns path of the program, or `undefined` (and a line on stderr) where gcc is missing
 */
export function buildWithGcc(name: string, libraries: readonly string[] = []): string | undefined {
  if (!isInstalled('gcc')) return skip(`oracle ${name}`, 'gcc is not installed');
  const source = join(root, 'test', 'oracle', `${name}.c`);
  const program = join(buildFolder, name);
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  mkdirSync(buildFolder, { recursive: true });
  const temporary = `${program}.${process.pid}`;
  execFileSync('gcc', ['-O2', '-Wall', '-Werror', '-o', temporary, source, ...libraries], {
    stdio: 'inherit',
  });
  renameSync(temporary, program);
  return program;
}
