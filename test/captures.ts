// SPDX-License-Identifier: Apache-2.0
// Full captures of guests: they lie beside the checkout, compressed, and are decompressed into build/captures once.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';

const captures = process.env['KHO_CAPTURES'];
const hasZstd = spawnSync('zstd', ['--version'], { stdio: 'ignore' }).status === 0;

/** Why there are no full captures; `undefined` when there are. */
export const missingCaptures: string | undefined =
  captures === undefined ? 'KHO_CAPTURES is not set' : hasZstd ? undefined : 'zstd is not installed';

/** Why whole guests are not read, page by page: `.ci/run` has a gate for that. `undefined` when they are. */
export const leftOutGuests: string | undefined =
  missingCaptures ??
  (process.env['KHO_FULL_CAPTURES'] === undefined ? 'KHO_FULL_CAPTURES is not set' : undefined);

/** Decompresses a capture, unless that was done before, and gives the path of the result. */
export function capture(name: string): string {
  const target = join(import.meta.dirname, '..', 'build', 'captures', name);
  if (existsSync(target)) return target;
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  const source = join(captures ?? '', 'kernel-7.3.4', `${name}.zst`);
  execFileSync('zstd', ['-dqf', '--sparse', source, '-o', temporary], { stdio: 'inherit' });
  renameSync(temporary, target);
  return target;
}

/** The text of a file that is not compressed. */
export function captureText(name: string): string {
  return readFileSync(join(captures ?? '', 'kernel-7.3.4', name), 'utf8');
}
