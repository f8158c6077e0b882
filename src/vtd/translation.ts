// SPDX-License-Identifier: Apache-2.0
// What translating one address is asked and gives.
import type { BitRecord } from './bit-record.js';
import type { FieldValue } from './device-path.js';
import type { Stage } from './paging-format.js';
import type { TableRoot } from './walk-result.js';

/** A first stage whose addresses, those of its own tables too, go through a second stage. */
export interface NestedRoot {
  readonly first: TableRoot;
  readonly second: TableRoot;
}

/** What a request is and what is known of the hardware. */
export interface TranslateOptions {
  /** What the device does; a mapping that does not allow it is a fault. Default: anything the mapping allows. */
  readonly access?: 'read' | 'write' | undefined;
  /** Width in bits of the domain's addresses where it is less than the levels give. */
  readonly widthBits?: number | undefined;
  /** Width in bits of the platform's physical addresses. Default 52. */
  readonly hostBits?: number | undefined;
}

/** One entry that was read. */
export interface TranslationStep {
  readonly stage: Stage;
  /** 1 for the lowest tables. */
  readonly level: number;
  /** Where in its table, 0 to 511. */
  readonly index: number;
  /** Physical address of the entry; of first-stage entries behind a second stage the one that was found for it. */
  readonly address: bigint;
  /** The address that is being translated: an IOVA, or a guest-physical address in the second stage of a nested one. */
  readonly input: bigint;
  readonly entry: bigint;
  /** What the entry is read as; `undefined` when it is not present. */
  readonly record: BitRecord | undefined;
  /** Its fields; none when it is not present. */
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/**
 * Why an address is not translated:
 *
 * - `BEYOND_WIDTH`: it has more bits than the domain
 * - `NOT_CANONICAL`: a first-stage address whose upper bits do not continue its sign
 * - `NOT_PRESENT`: an entry is not present
 * - `RESERVED_BITS`: an entry has reserved bits set, among them low bits of a large leaf's address
 * - `BEYOND_HOST`: an entry leads beyond what the platform's memory bus can carry
 * - `OUTSIDE_IMAGE`, `EXCLUDED`: a table is not in the image, or was left out of the dump
 * - `NO_READ`, `NO_WRITE`: the entries of the path together do not allow the access
 */
export type TranslationFaultCode =
  | 'BEYOND_WIDTH'
  | 'NOT_CANONICAL'
  | 'NOT_PRESENT'
  | 'RESERVED_BITS'
  | 'BEYOND_HOST'
  | 'OUTSIDE_IMAGE'
  | 'EXCLUDED'
  | 'NO_READ'
  | 'NO_WRITE';

/** Why, in one sentence, and in which stage. */
export interface TranslationFault {
  readonly code: TranslationFaultCode;
  readonly message: string;
  readonly stage: Stage;
}

/** One address and what becomes of it. */
export interface Translation {
  readonly iova: bigint;
  /** The physical address; `undefined` when there is a fault. */
  readonly phys: bigint | undefined;
  /** Bytes that are mapped by the same leaf, the smaller one of two stages; 0 when there is a fault. */
  readonly pageSize: number;
  /** Bits of `MAPPING` and the leaf's level, as those of extents; of two stages what both allow. */
  readonly bits: number;
  /** All entries in the order in which hardware reads them. */
  readonly steps: readonly TranslationStep[];
  readonly fault: TranslationFault | undefined;
}
