// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { looksLikeImage } from '../kho/file-kind.js';
import { inFile } from './failure.js';
import { firstBytes } from './first-bytes.js';

const MAGIC = 16;

/** Whether `file` names a memory image; false for `-`. @throws FileError when there is nothing of that name */
export function isImageFile(file: string): boolean {
  if (file === '-') return false;
  const found = inFile(file, () => statSync(file));
  return found.isFile() && looksLikeImage(firstBytes(file, MAGIC), found.size);
}
