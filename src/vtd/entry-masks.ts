// SPDX-License-Identifier: Apache-2.0
// Declared entries compiled to masks. A u64 is two u32 here, low and high: loops over entries know no bigint.
import { type BitField, type BitRecord, bitMask } from './bit-record.js';
import type { PagingFormat } from './paging-format.js';

/** A mask of a u64 as two u32. */
export interface WordMask {
  readonly low: number;
  readonly high: number;
}

/** A flag of an entry and what it gives a mapping. */
interface FlagMask extends WordMask {
  readonly mapping: number;
  readonly inverted: boolean;
}

/** What the declaration of an entry says, as masks. */
export interface EntryMasks {
  /** Bits that must be zero, without those of `align`. */
  readonly reserved: WordMask;
  /** Address bits that must be zero because a leaf is larger. */
  readonly align: WordMask;
  readonly address: WordMask;
  readonly flags: readonly FlagMask[];
  /** All flags together: entries that agree in these bits have the same mapping bits. */
  readonly flagged: WordMask;
}

/** The entries of one level. */
export interface LevelMasks {
  readonly table: EntryMasks | undefined;
  readonly leaf: EntryMasks | undefined;
}

/** A paging format as masks; level 1 first. */
export interface FormatMasks {
  readonly levels: readonly LevelMasks[];
  /** Bits of a mapping that only its leaf decides. */
  readonly offPath: number;
}

const compiled = new WeakMap<PagingFormat, FormatMasks>();

/** The masks of a format; the same object each time. */
export function formatMasks(format: PagingFormat): FormatMasks {
  const known = compiled.get(format);
  if (known !== undefined) return known;
  const masks: FormatMasks = {
    levels: format.levels.map(({ table, leaf }) => ({
      table: table === undefined ? undefined : entryMasks(format, table),
      leaf: leaf === undefined ? undefined : entryMasks(format, leaf),
    })),
    offPath: format.mapping.reduce((all, { mapping, path }) => (path === true ? all : all | mapping), 0),
  };
  compiled.set(format, masks);
  return masks;
}

function entryMasks(format: PagingFormat, record: BitRecord): EntryMasks {
  const mask = (wanted: (field: BitField, name: string) => boolean) => words(bitMask(record, wanted));
  const fields = new Set(format.mapping.map(({ field }) => field));
  return {
    reserved: mask(({ kind }, name) => kind === 'reserved' && name !== 'ALIGN'),
    align: mask((_, name) => name === 'ALIGN'),
    address: mask(({ kind }) => kind === 'address'),
    flags: format.mapping.map(({ field, mapping, inverted = false }) => ({
      ...mask((_, name) => name === field),
      mapping,
      inverted,
    })),
    flagged: mask((_, name) => fields.has(name)),
  };
}

function words(mask: bigint): WordMask {
  return { low: Number(mask & 0xffff_ffffn), high: Number(mask >> 32n) };
}

/** The mapping bits that an entry has, whatever the path to it. @param low, high its halves as u32 */
export function mappingBits({ flags }: EntryMasks, low: number, high: number): number {
  let bits = 0;
  for (let index = 0; index < flags.length; index++) {
    const flag = flags[index];
    if (flag !== undefined && (((low & flag.low) | (high & flag.high)) !== 0) !== flag.inverted) {
      bits |= flag.mapping;
    }
  }
  return bits;
}

/** Address bits that a platform whose addresses have `hostBits` bits lacks. */
export function beyondHost(hostBits: number): WordMask {
  return words(hostBits >= 52 ? 0n : ((1n << 52n) - 1n) & ~((1n << BigInt(hostBits)) - 1n) & ~0xfffn);
}
