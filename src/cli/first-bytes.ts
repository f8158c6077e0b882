// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from 'node:fs';
import { inFile } from './failure.js';

/** The first `length` bytes of a file, fewer where it is shorter. @throws FileError */
export function firstBytes(file: string, length: number): Uint8Array {
  return inFile(file, () => {
    const descriptor = openSync(file, 'r');
    try {
      const buffer = new Uint8Array(length);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, 0));
    } finally {
      closeSync(descriptor);
    }
  });
}
