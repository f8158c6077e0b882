// SPDX-License-Identifier: Apache-2.0
import { PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';

/**
 * Whether a page's length of memory is zeros; of the page that it ends in as far as that is at hand.
 *
 * @param address - physical, anywhere in a page: the rest is read from the next one
 * @throws ImageError where the image cannot be read
 */
export function isEmptyMemory(memory: PhysicalMemory, address: bigint): boolean {
  const pfn = Number(address / BigInt(PAGE_SIZE));
  const start = Number(address % BigInt(PAGE_SIZE));
  const parts = [
    [memory.page(pfn), start, PAGE_SIZE] as const,
    [memory.page(pfn + 1), 0, start] as const,
  ] as const;
  return (
    typeof parts[0][0] !== 'string' &&
    parts.every(
      ([page, from, to]) => typeof page === 'string' || page.subarray(from, to).every((byte) => byte === 0),
    )
  );
}
