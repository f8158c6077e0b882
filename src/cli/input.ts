// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FileError, inFile, isSystemError, UsageError } from './failure.js';

/** No blob can be larger: its offsets are C `int`. */
const MAX_INPUT = 0x7fffffff;
const FIRST_BUFFER = 65536;
/** A single read takes a C `int`. */
const MAX_READ = 1 << 30;
const PAUSE_MS = 5;

/**
 * Reads a whole file, or stdin for `-`. Sizes are not believed: files of debugfs and pipes have none, and a live file
 * may grow; reading goes on to the end.
 *
 * @throws FileError when it cannot be read or is larger than a blob can be
 */
export function readInput(file: string): Uint8Array {
  return inFile(file, () => {
    const descriptor = file === '-' ? 0 : openSync(file, 'r');
    try {
      return readToEnd(file, descriptor);
    } finally {
      if (descriptor !== 0) closeSync(descriptor);
    }
  });
}

function readToEnd(file: string, descriptor: number): Uint8Array {
  const { size } = fstatSync(descriptor);
  if (size > MAX_INPUT) throw tooLarge(file);
  // One byte more, so that the end of a file of the expected size is seen without a larger buffer.
  let buffer = new Uint8Array(Math.min(Math.max(size + 1, FIRST_BUFFER), MAX_INPUT + 1));
  let length = 0;
  while (true) {
    const got = readSome(descriptor, buffer, length);
    if (got === 0) return buffer.subarray(0, length);
    length += got;
    if (length > MAX_INPUT) throw tooLarge(file);
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(length * 2, MAX_INPUT + 1));
      larger.set(buffer);
      buffer = larger;
    }
  }
}

function tooLarge(file: string): FileError {
  return new FileError(file, new Error('larger than 2 GiB, more than an FDT can be'));
}

function readSome(descriptor: number, buffer: Uint8Array, at: number): number {
  while (true) {
    try {
      return readSync(descriptor, buffer, at, Math.min(buffer.length - at, MAX_READ), null);
    } catch (error) {
      // A terminal or pipe that somebody else made non-blocking; and Windows tells the end of a pipe this way.
      if (isSystemError(error, 'EOF')) return 0;
      if (!isSystemError(error, 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** True when `file` names a folder; false for `-`. @throws FileError when there is nothing of that name */
export function isFolder(file: string): boolean {
  return file !== '-' && inFile(file, () => statSync(file).isDirectory());
}

/** Refuses more than one `-`: stdin can be read once. @throws UsageError */
export function requireOneStdin(...files: readonly string[]): void {
  if (files.filter((file) => file === '-').length > 1)
    throw new UsageError('stdin (-) can be only one of the inputs');
}
