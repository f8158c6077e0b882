// SPDX-License-Identifier: Apache-2.0
// Image files for tests: those under fixtures/, and what is built of bytes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ImageIo } from '../../src/image/byte-source.js';
import { ImageError } from '../../src/image/error.js';
import { loadLibc } from '../../src/image/libc.js';
import { type MemoryImage, type OpenImageOptions, openImage } from '../../src/image/open.js';
import { openSplitImage } from '../../src/image/split-image.js';

export { avmlBlock, elfCore, limeRange, noise } from './image-bytes.js';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');

/** Path of a file in fixtures/image. */
export function fixture(name: string): string {
  return join(fixtures, 'image', name);
}

/** Path of a trimmed core of a real guest. */
export function trimmedCore(name: 'kho-luo' | 'vtd-legacy' | 'vtd-scalable'): string {
  return join(fixtures, 'kernel-7.3.4', `${name}.trimmed.elf`);
}

/** A new folder that goes away after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kho-image-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `bytes` to a file that goes away after the test. */
export function fileOf(bytes: Uint8Array, name = 'image'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** Opens an image (or a split set) and closes it after the test. */
export function opened(path: string | readonly string[], options?: OpenImageOptions): MemoryImage {
  const image = typeof path === 'string' ? openImage(path, options) : openSplitImage(path, options);
  onTestFinished(() => image.close());
  return image;
}

/** Opens an image made of `bytes`. */
export function imageOf(bytes: Uint8Array, options?: OpenImageOptions): MemoryImage {
  return opened(fileOf(bytes), options);
}

/** A page that must be there. */
export function pageOf(image: MemoryImage, pfn: number): Uint8Array {
  const page = image.page(pfn);
  if (typeof page === 'string') throw new Error(`page ${pfn} is ${page}`);
  return page;
}

function mappable(): readonly ['read', 'mmap'] | readonly ['read'] {
  const libc = loadLibc();
  if (typeof libc !== 'string') return ['read', 'mmap'];
  console.warn(`SKIP mapped files: ${libc}`);
  return ['read'];
}

/** The ways in which this machine can reach files. */
export const IOS: readonly ImageIo[] = mappable();

/** What is wrong according to the ImageError that `action` throws. */
export function issueOf(action: () => unknown): ImageError['issue'] {
  try {
    action();
  } catch (error) {
    if (error instanceof ImageError) return error.issue;
    throw error;
  }
  throw new Error('expected an ImageError, nothing was thrown');
}

/** Every page frame of the ranges that an image holds. */
export function framesOf(image: MemoryImage): number[] {
  const frames: number[] = [];
  for (const { start, end, state } of image.ranges()) {
    if (state !== 'present') continue;
    for (let pfn = Number((start + 4095n) >> 12n); pfn < Number(end >> 12n); pfn++) frames.push(pfn);
  }
  return frames;
}

/** The frames in which two images differ, each by why: empty when all pages of `expected` are alike in `actual`. */
export function differences(expected: MemoryImage, actual: MemoryImage): string[] {
  const found: string[] = [];
  for (const pfn of framesOf(expected)) {
    const [a, b] = [expected.page(pfn), actual.page(pfn)];
    if (typeof a === 'string') found.push(`${pfn}: expected is ${a}`);
    else if (typeof b === 'string') found.push(`${pfn}: ${b}`);
    else if (Buffer.compare(a, b) !== 0) found.push(`${pfn}: other contents`);
  }
  return found;
}
