// SPDX-License-Identifier: Apache-2.0
import { ImageError } from './error.js';
import type { PageMiss } from './physical-memory.js';

/** No byte at or above this address is ever held: physical addresses have 52 bits on x86-64 and arm64. */
export const ADDRESS_LIMIT: number = 2 ** 52;

/** One `read` hands out at most this many bytes. */
const READ_LIMIT = 0x4000_0000;

/**
 * Checks the arguments of a read and gives the address as a number, which holds all addresses an image can have.
 *
 * @throws ImageError BAD_ARGUMENT, LIMIT, or ABSENT for an address beyond any memory
 */
export function byteAddress(pa: bigint, length: number): number {
  if (pa < 0n || !Number.isSafeInteger(length) || length < 0) {
    throw new ImageError({ code: 'BAD_ARGUMENT', message: `cannot read ${length} bytes at address ${pa}` });
  }
  if (length > READ_LIMIT) {
    throw new ImageError({
      code: 'LIMIT',
      message: `one read gives at most 1 GiB, asked for ${length} bytes`,
      address: pa,
    });
  }
  if (pa >= BigInt(ADDRESS_LIMIT)) throw missing(pa, 'absent');
  return Number(pa);
}

/** The error for a byte that is not there. */
export function missing(address: bigint, miss: PageMiss): ImageError {
  return miss === 'absent'
    ? new ImageError({ code: 'ABSENT', message: 'this image holds no memory at this address', address })
    : new ImageError({
        code: 'EXCLUDED',
        message: 'the dumper left the contents of this page out',
        address,
      });
}

/** Rethrows an error of the file below with the physical address that was wanted. */
export function rethrowAt(error: unknown, address: number): never {
  throw error instanceof ImageError ? error.at(BigInt(address)) : error;
}
