// SPDX-License-Identifier: Apache-2.0
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

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
