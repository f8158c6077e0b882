// SPDX-License-Identifier: Apache-2.0
// The built program, run as a user would.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The root of the repository: tests run in it, so that names of fixtures are short. */
export const root: string = join(import.meta.dirname, '..', '..');
/** The program. */
export const program: string = join(root, 'dist', 'cli', 'kho.js');

/** What a run left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: Uint8Array | string;
  readonly env?: Record<string, string>;
}

// The environment of whoever runs the tests must not colour or change what is seen.
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: tmpdir(),
  ...more,
});

/** Runs `kho` in the root of the repository. */
export function kho(args: readonly string[], { input = '', env }: RunOptions = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    input,
    env: environment(env),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  return { code: status, stdout, stderr };
}

/** The same without waiting. */
export function khoAsync(args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { cwd: root, env: environment() },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** A new folder for the files of a test. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'kho-test-'));
}

/** A file with these bytes in a new folder. @returns its path */
export function fileOf(name: string, bytes: Uint8Array | string): string {
  const path = join(newFolder(), name);
  writeFileSync(path, bytes);
  return path;
}
