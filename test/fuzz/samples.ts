// SPDX-License-Identifier: Apache-2.0
// Memory to begin with: a captured handover, cut down to what its pointers lead to, and the smaller fixtures.
import { readFileSync } from 'node:fs';
import { follow, khoRootV4, registryLookup } from '../../src/schemas/index.js';
import { fixturePaths } from '../fixtures.js';
import { memoryOf, openCapture, readOracle } from '../schemas/captured.js';
import type { Piece } from './pieces.js';

/** Bytes that are kept of one thing: files and tables are mostly empty, and memory that is short ends in zeros. */
const MOST = 1024;

/** What the root of fixtures/kernel-7.3.4/kho-luo.trimmed.elf leads to, the root first. */
export function capturedHandover(): Piece[] {
  const image = openCapture();
  const start = { layout: khoRootV4, address: BigInt(readOracle().fdt_phys), length: 345 };
  const pieces: Piece[] = [];
  for (const { address, bytes } of follow(start, memoryOf(image), registryLookup())) {
    let end = Math.min(bytes?.length ?? 0, MOST);
    while (end > 0 && bytes?.[end - 1] === 0) end--;
    if (bytes !== undefined && end > 0) pieces.push({ address, bytes: bytes.slice(0, end) });
  }
  image.close();
  return pieces;
}

/** The fixtures with an ending, of at most `most` bytes. */
export function smallFixtures(ending: string, most: number): Uint8Array[] {
  return fixturePaths(ending)
    .map((path) => new Uint8Array(readFileSync(path)))
    .filter((bytes) => bytes.length > 0 && bytes.length <= most);
}
