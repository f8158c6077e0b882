// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { formatOf } from '../image/sniff.js';
import { looksLikeFdt } from '../kho/debugfs-folder.js';
import { inFile } from './failure.js';
import { firstBytes } from './first-bytes.js';

/** Whatever has no magic of an image and is at least this large is raw memory: no blob or catalogue is. */
const SMALLEST_RAW = 16 << 20;
const MAGIC = 16;

/** Whether a file of `size` bytes that begins so is a memory image. */
export function looksLikeImage(first: Uint8Array, size: number): boolean {
  if (formatOf(first) !== 'raw') return true;
  return size >= SMALLEST_RAW && !looksLikeFdt(first) && first[0] !== 0x7b;
}

/** Whether `file` names a memory image; false for `-`. @throws FileError when there is nothing of that name */
export function isImageFile(file: string): boolean {
  if (file === '-') return false;
  const found = inFile(file, () => statSync(file));
  return found.isFile() && looksLikeImage(firstBytes(file, MAGIC), found.size);
}
