// SPDX-License-Identifier: Apache-2.0
import { MAX_BLOB_SIZE } from './check-header.js';
import { FdtError } from './error.js';

/**
 * Refuses what is no size of a buffer.
 *
 * @throws FdtError NOSPACE when `size` is less than `least`; BADVALUE when it is not a whole number below 2^31
 */
export function checkCapacity(size: number, least: number): void {
  if (size < least) {
    const message = `expected a buffer of at least ${least} bytes, found ${size}`;
    throw new FdtError({ code: 'NOSPACE', message });
  }
  if (Number.isInteger(size) && size <= MAX_BLOB_SIZE) return;
  const message = `expected a buffer of at most ${MAX_BLOB_SIZE} bytes, found ${size}`;
  throw new FdtError({ code: 'BADVALUE', message });
}
