// SPDX-License-Identifier: Apache-2.0
// Areas of an I/O address space, and the memory behind them.
import type { AddressRange, MemoryPlace } from './log.js';

/** Bytes of a page. */
export const PAGE = 4096n;
/** What devices may do with an area: IOMMU_CACHE is always there, so that values are 5, 6 and 7. */
export const PROT = { READ: 1, WRITE: 2, CACHE: 4 } as const;

/** Memory that one call brought in; areas that copies made share it. */
export interface Pages {
  /** What identifies the memory, and where in it the pages begin (a page boundary). */
  readonly token: string;
  readonly base: bigint;
  /** What the kernel goes by when it chooses an IOVA: user address, or offset in the file, of `base`. */
  readonly address: bigint;
  /** Bytes from `base` to the last one that was asked for. */
  readonly length: bigint;
  readonly writable: boolean;
  /** The descriptor that was mapped; `undefined` for memory of the process. */
  readonly fd: number | undefined;
  /** Whether the log says what memory it is; else it is known by its address alone. */
  readonly isNamed: boolean;
}

/** A mapped range of IOVAs. */
export interface Area extends AddressRange {
  readonly prot: number;
  readonly pages: Pages;
  /** Where in `pages` it begins, in bytes. */
  readonly startByte: bigint;
}

/** A slice of memory to be mapped as one area. */
export interface Piece {
  readonly pages: Pages;
  readonly startByte: bigint;
  readonly length: bigint;
}

/** The memory of an area: where it begins in what has its token. */
export function placeOf({ pages, startByte }: Area): MemoryPlace {
  return { token: pages.token, offset: pages.base + startByte };
}

/** Bytes of an area. */
export function lengthOf({ start, last }: AddressRange): bigint {
  return last - start + 1n;
}
