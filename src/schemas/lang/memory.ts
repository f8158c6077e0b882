// SPDX-License-Identifier: Apache-2.0
import type { Layout } from './type.js';

/**
 * Physical memory as this floor needs it: the `length` bytes at physical address `address`, or `undefined` where any of
 * them is not there. Views are welcome; they are not written to.
 */
export type Memory = (address: bigint, length: number) => Uint8Array | undefined;

/**
 * What layout the registry knows for something that a pointer leads to.
 *
 * @param group - which kind of thing: `kho-subtree`, `luo-file`, `luo-flb`
 * @param key - its name or version string
 * @param bytes - its bytes, where the pointer's struct says how many there are
 * @param address - its physical address, where it is known
 * @returns `inline` when what stands in place of the address is itself the value
 */
export type Lookup = (
  group: string,
  key: string,
  bytes: Uint8Array | undefined,
  address?: bigint,
) => Layout | 'inline' | undefined;

/** Something in physical memory that a handover leads to. */
export interface Reached {
  readonly address: bigint;
  /** In bytes. */
  readonly length: number;
  /** How it was reached: field names and, in brackets, positions. */
  readonly path: string;
  /**
   * Physical address of the pointer that led here: of the FDT where the pointer is in a property, `undefined` where the
   * walk began.
   */
  readonly from?: bigint | undefined;
  /** Its layout; `undefined` for contents that nobody describes. */
  readonly layout?: Layout | undefined;
  /** Its bytes, where it has a layout. */
  readonly bytes?: Uint8Array | undefined;
  /** Its decoded value, where it has a layout and was to be decoded. */
  readonly value?: unknown;
  /** Elements that were put together from scattered pages: where they lie, in order. `address` is that of the first. */
  readonly pieces?: readonly { readonly address: bigint; readonly length: number }[] | undefined;
}

/**
 * Physical address of the byte at `offset` of something that may be put together from pieces; `undefined` where its own
 * address is not known.
 */
export function addressIn<A extends bigint | undefined>(
  { address, pieces }: { readonly address: A; readonly pieces?: Reached['pieces'] },
  offset: number,
): bigint | A {
  let left = offset;
  for (const piece of pieces ?? []) {
    if (left < piece.length) return piece.address + BigInt(left);
    left -= piece.length;
  }
  return address === undefined ? address : address + BigInt(offset);
}
