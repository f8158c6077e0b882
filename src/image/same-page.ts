// SPDX-License-Identifier: Apache-2.0
import { PAGE_SIZE, type PageSlot } from './physical-memory.js';

/** Tells whether two pages hold the same bytes, by the C library's memcmp. */
export function samePage(one: PageSlot, other: PageSlot): boolean {
  const page = one.bytes.subarray(one.offset, one.offset + PAGE_SIZE);
  return Buffer.compare(page, other.bytes.subarray(other.offset, other.offset + PAGE_SIZE)) === 0;
}
