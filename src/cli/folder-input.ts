// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { openFdt } from '../fdt/fdt.js';
import { type DebugfsSide, isDebugfsFile, looksLikeFdt, openDebugfsFolder } from '../kho/debugfs-folder.js';
import { inFile } from './failure.js';
import { readInput } from './input.js';

/**
 * Reads and opens a KHO debugfs folder.
 *
 * @param options - tolerant: damaged FDTs are no error
 * @throws FileError with the name of the file that is wrong
 */
export function openFolder(folder: string, options: { readonly tolerant?: boolean } = {}): DebugfsSide[] {
  const files = readDebugfsFolder(folder);
  if (options.tolerant !== true) {
    for (const [name, bytes] of files) {
      if (name.endsWith('fdt') || looksLikeFdt(bytes)) inFile(`${folder}/${name}`, () => openFdt(bytes));
    }
  }
  return inFile(folder, () => openDebugfsFolder(files, options));
}

/** Contents by name of the files that the kernel puts there; nothing else that lies about is read. */
export function readDebugfsFolder(folder: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const pending = [''];
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    const path = `${folder}/${prefix}`;
    const entries = inFile(path, () => readdirSync(path, { withFileTypes: true }));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = `${prefix}${entry.name}`;
      if (entry.isFile() && isDebugfsFile(name)) files.set(name, readInput(`${folder}/${name}`));
      else if (entry.isDirectory() && isDebugfsFile(`${name}/fdt`)) pending.push(`${name}/`);
    }
  }
  return files;
}
