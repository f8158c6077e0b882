// SPDX-License-Identifier: Apache-2.0
import { formatOf } from '../image/sniff.js';
import { looksLikeFdt } from './debugfs-folder.js';

/** Whatever has no magic of an image and is at least this large is raw memory: no blob or catalogue is. */
const SMALLEST_RAW = 16 << 20;

/** Whether a file of `size` bytes that begins so (16 bytes are enough) is a memory image. */
export function looksLikeImage(first: Uint8Array, size: number): boolean {
  if (formatOf(first) !== 'raw') return true;
  return size >= SMALLEST_RAW && !looksLikeFdt(first) && first[0] !== 0x7b;
}
