// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import {
  type CompatSide,
  sideOfBlob,
  sideOfCatalogue,
  sideOfFolder,
  sideOfKernel,
  sideOfRelease,
} from '../kho/compat-side.js';
import { looksLikeFdt } from '../kho/debugfs-folder.js';
import { looksLikeElf } from '../kho/elf-sections.js';
import { looksLikeImage } from '../kho/file-kind.js';
import { sideInImage } from '../kho/image-side.js';
import { readKernelVersions } from '../kho/kernel-versions-section.js';
import { memoryOf } from '../kho/memory-of.js';
import type { IdentifyOptions } from '../schemas/identify.js';
import { inFile, UsageError } from './failure.js';
import { firstBytes } from './first-bytes.js';
import { openFolder } from './folder-input.js';
import { readInput } from './input.js';
import { parseJson } from './json-input.js';

/**
 * One side of `kho compat`: a release, or what a file or folder is.
 *
 * @throws UsageError for what is neither, FileError for a file that cannot be a side
 */
export async function readSide(word: string, options: IdentifyOptions): Promise<CompatSide> {
  const found = word === '-' ? undefined : statSync(word, { throwIfNoEntry: false });
  if (word !== '-' && found === undefined) {
    const side = sideOfRelease(word);
    if (side !== undefined) return side;
    throw new UsageError(
      `"${word}" is no file, and no release with a handover (6.16 and later, as 7.3 or 6.17.9; rfc-2024)`,
    );
  }
  if (found?.isDirectory()) return inFile(word, () => sideOfFolder(word, openFolder(word), options));
  if (found?.isFile()) {
    const first = firstBytes(word, ELF_TYPE + 2);
    if (looksLikeElf(first) && first[ELF_TYPE] !== ET_CORE) return inFile(word, () => kernelSide(word));
    if (looksLikeImage(first, found.size)) return await imageSide(word, options);
  }
  const bytes = readInput(word);
  return inFile(word, () => {
    if (bytes[0] === 0x7b) return sideOfCatalogue(word, parseJson(word, bytes));
    const name = word === '-' ? 'stdin' : word;
    return sideOfBlob(name, word.replace(/^.*\//s, ''), bytes, looksLikeFdt(bytes), options);
  });
}

/** Where an ELF file says what it is, and what it says when it is a dump and no kernel. */
const ELF_TYPE = 16;
const ET_CORE = 4;
/** Loaded when asked for: most calls have no image. */
async function imageSide(file: string, options: IdentifyOptions): Promise<CompatSide> {
  const { openImage } = await import('../image/open.js');
  return inFile(file, () => {
    const image = openImage(file);
    try {
      const side = sideInImage(image);
      return sideOfFolder(file, side === undefined ? [] : [side], { ...options, memory: memoryOf(image) });
    } finally {
      image.close();
    }
  });
}

function kernelSide(file: string): CompatSide {
  return withFile(file, (read, size) => sideOfKernel(file, readKernelVersions(read, size)));
}

/** A vmlinux may have a gigabyte of debug information: only what is asked for is read. */
function withFile<T>(
  file: string,
  use: (read: (at: number, length: number) => Uint8Array, size: number) => T,
): T {
  const descriptor = openSync(file, 'r');
  try {
    const read = (at: number, length: number): Uint8Array => {
      const buffer = new Uint8Array(length);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, at));
    };
    return use(read, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}
