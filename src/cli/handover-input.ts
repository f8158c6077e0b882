// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { escapeText } from '../bytes/printable.js';
import type { OpenImageOptions } from '../image/open.js';
import { looksLikeFdt } from '../kho/debugfs-folder.js';
import { Handover, type HandoverOptions } from '../kho/handover.js';
import { locateHandovers } from '../kho/locate.js';
import { memoryOfSide } from '../kho/side-memory.js';
import { inFile } from './failure.js';
import { firstBytes } from './first-bytes.js';
import { readInput } from './input.js';
import { startProgress } from './progress.js';

/**
 * Opens the handover in a file, which is a root FDT or a memory image, and uses it while the file is open.
 *
 * @param file - `-` for a blob on stdin
 * @throws FileError for a file that cannot be read, or that holds no handover
 */
export async function openHandoverInput<T>(
  file: string,
  image: OpenImageOptions,
  options: HandoverOptions,
  use: (handover: Handover) => T,
): Promise<T> {
  const isBlob =
    image.format !== 'raw' &&
    (file === '-' || !inFile(file, () => statSync(file)).isFile() || looksLikeFdt(firstBytes(file, 4)));
  if (isBlob) {
    const bytes = readInput(file);
    return inFile(file, () => {
      const { memory, root } = memoryOfSide({ root: bytes, blobs: [] });
      return use(Handover.open(memory, { ...options, root, partial: true }));
    });
  }
  // Loaded when asked for: blobs do without.
  const { openImage } = await import('../image/open.js');
  return inFile(file, () => {
    const opened = openImage(file, image);
    try {
      const progress = startProgress(`looking through ${escapeText(file)}`);
      let located: HandoverOptions['located'];
      try {
        located = locateHandovers(opened, progress.update);
      } finally {
        progress.end();
      }
      return use(Handover.open(opened, { ...options, located }));
    } finally {
      opened.close();
    }
  });
}
