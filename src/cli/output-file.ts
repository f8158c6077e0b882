// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { inFile } from './failure.js';
import { Output } from './output.js';

/** Whether two names on the command line are one file. */
export function isSameFile(a: string, b: string): boolean {
  const identity = (file: string): string | undefined => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? undefined : `${found.dev}:${found.ino}`;
  };
  const first = identity(a);
  return b !== '-' && first !== undefined && first === identity(b);
}

/** Writes beside the file, then renames: nobody sees half a blob. Devices and pipes are written to as they are. */
export function replaceFile(file: string, bytes: Uint8Array): void {
  const existing = statSync(file, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) {
    writeFileSync(file, bytes);
    return;
  }
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, bytes, { flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Runs `write` with an output into a file that takes the place of `file` when it is complete; nothing is left of it
 * when something goes wrong. Devices and pipes are written to as they are.
 */
export function streamFile<T>(file: string, write: (output: Output) => T): T {
  const existing = statSync(file, { throwIfNoEntry: false });
  const direct = existing !== undefined && !existing.isFile();
  const target = direct ? file : `${file}.${process.pid}.tmp`;
  const descriptor = inFile(file, () => openSync(target, direct ? 'w' : 'wx'));
  try {
    const output = new Output(descriptor);
    const result = write(output);
    output.flush();
    if (!direct) inFile(file, () => renameSync(target, file));
    return result;
  } catch (error) {
    if (!direct) rmSync(target, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
