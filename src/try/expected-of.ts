// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import type { Handover, ReservedRegion } from '../kho/handover.js';
import type { HandoverFile } from '../kho/luo-state.js';
import type { Expected, ExpectedFile, ExpectedRegion } from './expected.js';

const ZEROS = new Uint8Array(PAGE_SIZE);

/** How contents are hashed. */
export interface ExpectedOptions {
  /** Files and regions of more bytes than this are not hashed: no machine has that memory. */
  readonly limit: bigint;
  /** What pages are that the image lacks: `zeros`, as a machine has them that is filled from it; or not known. */
  readonly absent: 'zeros' | 'unknown';
}

/**
 * What an image says should come back of its handover: sessions and files as their structs have them, and hashes of
 * their contents.
 *
 * @throws ImageError when the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { Handover } from 'kho-toolkit/kho';
 * import { expectedOf } from 'kho-toolkit/try';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const { sessions } = expectedOf(Handover.open(image), { limit: 1n << 30n, absent: 'unknown' });
 * for (const { name, files } of sessions) console.log(name, files.length);
 * image.close();
 * ```
 */
export function expectedOf(handover: Handover, options: ExpectedOptions): Expected {
  return {
    sessions: handover.sessions.map(({ name, files }) => ({
      name,
      files: files.map((file) => expectedFile(handover, file, options)),
    })),
    regions: handover.reservedRegions
      .filter(({ size }) => size <= options.limit)
      .map((region) => expectedRegion(handover.memory, region, options)),
  };
}

/** A page; `undefined` where what it holds is not known. */
function pageOf(memory: PhysicalMemory, pfn: number, { absent }: ExpectedOptions): Uint8Array | undefined {
  const page = memory.page(pfn);
  if (typeof page !== 'string') return page;
  return absent === 'zeros' ? ZEROS : undefined;
}

function expectedFile(handover: Handover, file: HandoverFile, options: ExpectedOptions): ExpectedFile {
  const { token, memfd } = file;
  const nothing = { token, size: undefined, seals: undefined, position: undefined, sha256: undefined };
  if (memfd === undefined) return nothing;
  const { size, seals, position } = memfd;
  const sha256 = size <= options.limit ? hashOfFile(handover, file, Number(size), options) : undefined;
  return { token, size, seals, position, sha256 };
}

/** SHA-256 of a file's contents; `undefined` where the image lacks some of them. */
function hashOfFile(
  handover: Handover,
  file: HandoverFile,
  size: number,
  options: ExpectedOptions,
): string | undefined {
  if (file.memfd?.folios === undefined) return undefined;
  const runs = [...handover.fileRuns(file)].sort((a, b) => a.index - b.index);
  const hash = createHash('sha256');
  const pages = Math.ceil(size / PAGE_SIZE);
  let at = 0;
  const add = (page: Uint8Array): void => {
    hash.update(page.subarray(0, Math.min(PAGE_SIZE, size - at * PAGE_SIZE)));
    at++;
  };
  for (const { index, pfn, pages: count } of runs) {
    while (at < Math.min(index, pages)) add(ZEROS);
    for (let page = at - index; page < count && at < pages; page++) {
      if (page < 0) continue;
      const bytes = pageOf(handover.memory, pfn + page, options);
      if (bytes === undefined) return undefined;
      add(bytes);
    }
  }
  while (at < pages) add(ZEROS);
  return hash.digest('hex');
}

function expectedRegion(
  memory: PhysicalMemory,
  { name, address, size }: ReservedRegion,
  options: ExpectedOptions,
): ExpectedRegion {
  return { name, address, size, sha256: hashOfMemory(memory, address, size, options) };
}

function hashOfMemory(
  memory: PhysicalMemory,
  address: bigint,
  size: bigint,
  options: ExpectedOptions,
): string | undefined {
  const hash = createHash('sha256');
  for (let at = address; at < address + size; ) {
    const pfn = Number(at / BigInt(PAGE_SIZE));
    const within = Number(at % BigInt(PAGE_SIZE));
    const length = Math.min(PAGE_SIZE - within, Number(address + size - at));
    const page = pageOf(memory, pfn, options);
    if (page === undefined) return undefined;
    hash.update(page.subarray(within, within + length));
    at += BigInt(length);
  }
  return hash.digest('hex');
}
