// SPDX-License-Identifier: Apache-2.0
import type { Issue } from '../bytes/issue.js';
import type { CONTEXT_ENTRY, PASID_ENTRY, SCALABLE_CONTEXT_ENTRY } from './abi/device-tables.js';
import { addressWidth } from './agaw.js';
import type { BitValues } from './bit-record.js';
import type { TableRoot } from './walk-result.js';

/** How the tables of a unit are laid out: RTADDR bits 11:10. */
export type TableMode = 'legacy' | 'scalable';

/** What is done to the addresses of a request. */
export type TranslationType = 'first-stage' | 'second-stage' | 'nested' | 'pass-through';

/** What a context or PASID entry says of translation. */
export interface DomainTables {
  readonly type: TranslationType;
  /** Domain id. */
  readonly did: number;
  /** IOVA to physical, or to guest-physical address where the type is nested: then `table` is guest-physical too. */
  readonly first: TableRoot | undefined;
  /** IOVA, or guest-physical where the type is nested, to physical address. */
  readonly second: TableRoot | undefined;
  /**
   * Width of an IOVA in bits, of first-stage ones with their sign; `undefined` for pass-through, which has none of its
   * own.
   */
  readonly widthBits: number | undefined;
}

/** A device that has a present context entry. */
export interface DeviceEntry {
  readonly segment: number;
  /** Bus, device and function: see `formatSourceId`. */
  readonly sourceId: number;
  /** Physical addresses of its entries. */
  readonly rootEntry: bigint;
  readonly contextEntry: bigint;
  /** The PASID of requests that carry none; `undefined` in legacy mode. */
  readonly ridPasid: number | undefined;
}

/** One context or PASID entry that puts requests into a domain. */
export interface Attachment {
  /** One device in legacy mode; all that share the PASID directory in scalable mode. */
  readonly devices: readonly DeviceEntry[];
  /** `undefined` in legacy mode. */
  readonly pasid: number | undefined;
  /** Physical address of the entry. */
  readonly entry: bigint;
}

/** All requests that are translated by the same tables under the same id. */
export interface Domain extends DomainTables {
  readonly attachments: readonly Attachment[];
}

/**
 * What can be wrong on the way from a device to its page tables:
 *
 * - `RESERVED_BITS`: bits that must be zero are not
 * - `RESERVED_VALUE`: a field holds a value that means nothing
 * - `OUTSIDE_IMAGE`, `EXCLUDED`: a table is not in the image, or its contents were left out
 * - `BEYOND_HOST`: an address beyond what the platform's memory bus can carry
 * - `SHARED_TABLE`: a table page that was already reached as the same kind of table
 * - `TABLE_LOOP`: a table page that was already reached as another kind of table
 * - `DID_CONFLICT`: another entry has the same domain id and other tables
 * - `UNSUPPORTED`: CAP and ECAP say that the hardware cannot do what the entry asks for
 * - `LIMIT`: too much to go on; what is further down is left out
 */
export type DomainFindingCode =
  | 'RESERVED_BITS'
  | 'RESERVED_VALUE'
  | 'OUTSIDE_IMAGE'
  | 'EXCLUDED'
  | 'BEYOND_HOST'
  | 'SHARED_TABLE'
  | 'TABLE_LOOP'
  | 'DID_CONFLICT'
  | 'UNSUPPORTED'
  | 'LIMIT';

/** Something wrong with one entry: `address` is the physical address of the entry, `path` says whose it is. */
export interface DomainFinding extends Issue<DomainFindingCode> {
  readonly address: bigint;
}

/** Values of an entry, as `decodeBits` gives them. */
export type ContextValues = BitValues<(typeof CONTEXT_ENTRY)['fields']>;
/** Values of an entry, as `decodeBits` gives them. */
export type ScalableContextValues = BitValues<(typeof SCALABLE_CONTEXT_ENTRY)['fields']>;
/** Values of an entry, as `decodeBits` gives them. */
export type PasidValues = BitValues<(typeof PASID_ENTRY)['fields']>;

/**
 * Tables; or what is wrong with a field whose reserved values depend on others; or `undefined` where a field has a
 * value that is always reserved, which `checkBits` tells.
 */
export type TablesOrReason = DomainTables | string | undefined;

function secondRoot(aw: number, table: bigint): TableRoot | string {
  const width = addressWidth(aw);
  if (width === undefined) return `AW: expected one of 1, 2, 3, found ${aw}`;
  return { stage: 'second', table, levels: width.levels };
}

function firstRoot(mode: number, table: bigint): TableRoot | string {
  if (mode > 1) return `FSPM: expected 0 or 1, found ${mode}`;
  return { stage: 'first', table, levels: mode + 4 };
}

/** The width in bits of the input addresses that tables of so many levels translate. */
export function levelsWidth(levels: number): number {
  return 12 + 9 * levels;
}

/** What a legacy context entry says of translation. Source: VT-d specification 9.3. */
export function contextTables({ TT, DID: did, AW, SSPTPTR }: ContextValues): TablesOrReason {
  if (TT === 2)
    return { type: 'pass-through', did, first: undefined, second: undefined, widthBits: undefined };
  const second = secondRoot(AW, SSPTPTR);
  if (TT > 2 || typeof second === 'string') return undefined;
  return { type: 'second-stage', did, first: undefined, second, widthBits: levelsWidth(second.levels) };
}

/** What a PASID entry says of translation. Source: VT-d specification 9.6. */
export function pasidTables({ PGTT, DID: did, AW, SSPTPTR, FSPM, FSPTPTR }: PasidValues): TablesOrReason {
  const second = secondRoot(AW, SSPTPTR);
  const first = firstRoot(FSPM, FSPTPTR);
  switch (PGTT) {
    case 1:
      if (typeof first === 'string') return first;
      return { type: 'first-stage', did, first, second: undefined, widthBits: levelsWidth(first.levels) };
    case 2:
      if (typeof second === 'string') return second;
      return { type: 'second-stage', did, first: undefined, second, widthBits: levelsWidth(second.levels) };
    case 3:
      if (typeof first === 'string') return first;
      if (typeof second === 'string') return second;
      return { type: 'nested', did, first, second, widthBits: levelsWidth(first.levels) };
    case 4:
      return { type: 'pass-through', did, first: undefined, second: undefined, widthBits: undefined };
    default:
      return undefined;
  }
}
