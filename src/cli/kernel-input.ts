// SPDX-License-Identifier: Apache-2.0
// Kernels to boot, from the command line and the environment.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelFile } from '../try/kernel-file.js';
import { readKernelFile } from '../try/kernel-file.js';
import { inFile, UsageError } from './failure.js';
import { readInput } from './input.js';

/** A kernel with the name of its file. */
export interface NamedKernel {
  readonly file: string;
  readonly kernel: KernelFile;
}

/**
 * The kernel given, else that of the environment variable KHO_KERNEL.
 *
 * @throws UsageError when there is none; FileError for a file that is none
 */
export function openKernel(given: string | undefined): NamedKernel {
  const file = given ?? process.env['KHO_KERNEL'];
  if (file === undefined || file === '') {
    throw new UsageError(
      'no kernel to boot: give --kernel bzImage or set KHO_KERNEL; docs/kernels.md says how to build one',
    );
  }
  return namedKernel(file);
}

function namedKernel(file: string): NamedKernel {
  const bytes = readInput(file);
  return { file, kernel: inFile(file, () => readKernelFile(bytes)) };
}

/** All kernels in a folder, by name; other files are passed over. @throws UsageError when there is none */
export function openKernels(folder: string): NamedKernel[] {
  const names = inFile(folder, () => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && /bzImage|vmlinuz/.test(entry.name))
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) throw new UsageError(`${folder} holds no file with bzImage or vmlinuz in its name`);
  return names.map((name) => namedKernel(join(folder, name)));
}
