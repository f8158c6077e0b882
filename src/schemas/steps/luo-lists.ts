// SPDX-License-Identifier: Apache-2.0
// LUO's two ways to keep a list: one array, or linked blocks.
import { formatHex } from '../../bytes/hex.js';
import { luoFileBlock, type luoSession } from '../abi/luo.js';
import { LUO_FILE_ARRAY_CAPACITY, type luoArraySession, luoFileArray } from '../abi/luo-arrays.js';
import type { luoFile } from '../abi/luo-entries.js';
import { PAGE_SIZE } from '../abi/page.js';
import { failAt, type SchemaErrorCode } from '../lang/error.js';
import { sizeOf } from '../lang/size.js';
import type { StepMemory } from '../lang/step.js';
import type { Value } from '../lang/type.js';

/** Most blocks of a list (KHO_MAX_BLOCKS, include/linux/kho/abi/block.h). */
const MAX_BLOCKS = 10_000;
const FILES_IN_BLOCK = 63;

function fail(path: string, code: SchemaErrorCode, expected: string, found: string, base?: bigint): Error {
  return failAt({ offset: 0, path, base }, code, expected, found);
}

/**
 * Reads linked blocks.
 *
 * @param first - physical address of the first, 0 for an empty list
 * @throws SchemaError LOOP for a list that comes back to a block, LIMIT for more than 10000 of them
 */
export function readBlocks<B extends { readonly next: bigint }>(
  first: bigint,
  read: (address: bigint) => B,
): B[] {
  const blocks: B[] = [];
  const seen = new Set<bigint>();
  for (let address = first; address !== 0n; ) {
    if (seen.has(address)) throw fail('', 'LOOP', 'a block not seen before', formatHex(address), address);
    if (seen.size === MAX_BLOCKS) throw fail('', 'LIMIT', `at most ${MAX_BLOCKS} blocks`, 'more', address);
    seen.add(address);
    const block = read(address);
    blocks.push(block);
    address = block.next;
  }
  return blocks;
}

/**
 * Writes elements as linked blocks, the last block first.
 *
 * @returns physical address of the first, 0 for no elements
 */
export function writeBlocks<E>(
  elements: readonly E[],
  capacity: number,
  write: (elements: readonly E[], next: bigint) => bigint,
): bigint {
  let next = 0n;
  for (let block = Math.ceil(elements.length / capacity) - 1; block >= 0; block--) {
    next = write(elements.slice(block * capacity, (block + 1) * capacity), next);
  }
  return next;
}

/**
 * Throws where a list has more elements than an array holds.
 *
 * @throws SchemaError LIMIT
 */
export function requireRoom(path: string, count: number, capacity: number): void {
  if (count > capacity) throw fail(path, 'LIMIT', `at most ${capacity}`, `${count}`);
}

type File = Value<typeof luoFile>;

/** A session whose files are in an array, with its files in blocks. */
export function sessionWithBlocks(
  { name, files, count }: Value<typeof luoArraySession>,
  memory: StepMemory,
): Value<typeof luoSession> {
  if (count === 0n) return { name, files: 0n, count };
  requireRoom(`${name}.count`, Number(count), LUO_FILE_ARRAY_CAPACITY);
  const all = memory.read(luoFileArray, files, Number(count) * (sizeOf(luoFileArray.of) ?? 0));
  const first = writeBlocks<File>(all, FILES_IN_BLOCK, (some, next) =>
    memory.write(luoFileBlock, { next, count: BigInt(some.length), files: some }),
  );
  return { name, files: first, count };
}

/**
 * A session whose files are in blocks, with its files in an array.
 *
 * @throws SchemaError LIMIT for more than 128 files, BAD_COUNT when blocks hold another number than the session says
 */
export function sessionWithArray(
  { name, files, count }: Value<typeof luoSession>,
  memory: StepMemory,
): Value<typeof luoArraySession> {
  const all = readBlocks(files, (address) => memory.read(luoFileBlock, address)).flatMap(
    (block) => block.files,
  );
  if (BigInt(all.length) !== count)
    throw fail(`${name}.count`, 'BAD_COUNT', `${count} files`, `${all.length}`);
  requireRoom(`${name}.files`, all.length, LUO_FILE_ARRAY_CAPACITY);
  return { name, files: all.length === 0 ? 0n : memory.write(luoFileArray, all, 2 * PAGE_SIZE), count };
}
