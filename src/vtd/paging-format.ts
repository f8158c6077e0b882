// SPDX-License-Identifier: Apache-2.0
// The entries of page tables, as data. Source: kernel 7.3.4 drivers/iommu/generic_pt/fmt/vtdss.h and x86_64.h, VT-d
// specification 9.8 and 9.7; vtd-tables.md sections 6 and 7.
import { address, type BitRecord, bitRecord, flag, ignored, number, reserved } from './bit-record.js';

/** Which of the two translations a table is for: `second` has VT-d's own entries, `first` those of x86-64. */
export type Stage = 'first' | 'second';

/** What an extent says of its entries besides where they lead; a set bit is a yes. */
export const MAPPING = {
  READ: 0x1,
  WRITE: 0x2,
  EXECUTE: 0x4,
  SNOOP: 0x8,
  ACCESSED: 0x10,
  DIRTY: 0x20,
  USER: 0x40,
  GLOBAL: 0x80,
  WRITE_THROUGH: 0x100,
  CACHE_DISABLE: 0x200,
  PAT: 0x400,
} as const;

/** log2 of the place where an extent's bits hold the level of its leaves: 1 (4 KiB), 2 (2 MiB) or 3 (1 GiB). */
export const LEVEL_SHIFT = 12;

/** What bits of an entry mean for a mapping. */
export interface MappingBit {
  /** Name of the flag in the entry's record. */
  readonly field: string;
  /** The bit of {@link MAPPING} it stands for. */
  readonly mapping: number;
  /** True where the mapping has it when the entry does not. */
  readonly inverted?: boolean;
  /** True where entries of upper levels take part: a mapping has the bit only if the whole path has it. */
  readonly path?: boolean;
}

/** What entries of one level can be. */
export interface LevelFormat {
  /** Counted from 1, the level whose entries map 4 KiB. */
  readonly level: number;
  /** The entry when it leads to the next table; `undefined` at level 1. */
  readonly table: BitRecord | undefined;
  /** The entry when it maps memory; `undefined` where it cannot. */
  readonly leaf: BitRecord | undefined;
}

/** A format of page tables. */
export interface PagingFormat {
  readonly stage: Stage;
  readonly title: string;
  /** Bits of an entry of which one must be set for it to be there. */
  readonly present: number;
  /** True where an entry that is not there has to be zero as a whole: anything else is garbage that nobody wrote. */
  readonly absentIsZero: boolean;
  /** True where addresses continue the sign of their highest translated bit. */
  readonly signExtend: boolean;
  /** Which flags make the bits of an extent. */
  readonly mapping: readonly MappingBit[];
  /** Level 1 first. */
  readonly levels: readonly LevelFormat[];
  /** How many levels a table can have. */
  readonly depths: readonly number[];
}

const SECOND_PERMISSIONS = {
  R: flag(0, 'read'),
  W: flag(1, 'write'),
  X: flag(2, 'execute, where the hardware knows it'),
} as const;

const SECOND_LEAF_TYPE = {
  EMT: ignored(5, 3, 'memory type of earlier specifications'),
  IPAT: ignored(6, 6, 'ignore PAT of earlier specifications'),
} as const;

const SECOND_LEAF_STATE = {
  A: flag(8, 'accessed, where the PASID entry enables it'),
  D: flag(9, 'dirty, likewise'),
  SW: ignored(10, 10),
  SNP: flag(11, 'snoop processor caches'),
} as const;

/** Bits that software owns, and the transient-mapping bit of earlier specifications. */
const SECOND_TAIL = { HIGH: ignored(63, 52) } as const;

function secondTable(level: number): BitRecord {
  return bitRecord(`second-stage level ${level} table`, 8, 'Leads to the next lower table.', {
    ...SECOND_PERMISSIONS,
    ...SECOND_LEAF_TYPE,
    PS:
      level <= 3 ? flag(7, 'page size: 0 for a table') : reserved(7, 7, 'page size, which this level lacks'),
    A: flag(8, 'accessed'),
    IGN9: ignored(10, 9),
    SNP: reserved(11, 11, 'snoop, of leaves only'),
    ADDR: address(51, 12, 'the table'),
    ...SECOND_TAIL,
  });
}

function secondLargeLeaf(level: number): BitRecord {
  const low = 12 + 9 * (level - 1);
  return bitRecord(`second-stage level ${level} leaf`, 8, `Maps ${level === 2 ? '2 MiB' : '1 GiB'}.`, {
    ...SECOND_PERMISSIONS,
    ...SECOND_LEAF_TYPE,
    PS: flag(7, 'page size: 1 for a leaf'),
    ...SECOND_LEAF_STATE,
    ALIGN: reserved(low - 1, 12, 'the low bits of an aligned address'),
    ADDR: address(51, low, 'the memory'),
    ...SECOND_TAIL,
  });
}

/** Second stage: IOVA or guest-physical to host-physical addresses, in VT-d's own format. */
export const SECOND_STAGE: PagingFormat = Object.freeze<PagingFormat>({
  stage: 'second',
  title: 'second stage',
  present: 0x3,
  absentIsZero: true,
  signExtend: false,
  mapping: [
    { field: 'R', mapping: MAPPING.READ, path: true },
    { field: 'W', mapping: MAPPING.WRITE, path: true },
    { field: 'X', mapping: MAPPING.EXECUTE, path: true },
    { field: 'A', mapping: MAPPING.ACCESSED },
    { field: 'D', mapping: MAPPING.DIRTY },
    { field: 'SNP', mapping: MAPPING.SNOOP },
  ],
  levels: [
    {
      level: 1,
      table: undefined,
      leaf: bitRecord('second-stage level 1 leaf', 8, 'Maps 4 KiB.', {
        ...SECOND_PERMISSIONS,
        ...SECOND_LEAF_TYPE,
        PS: ignored(7, 7, 'page size, which this level ignores'),
        ...SECOND_LEAF_STATE,
        ADDR: address(51, 12, 'the memory'),
        ...SECOND_TAIL,
      }),
    },
    { level: 2, table: secondTable(2), leaf: secondLargeLeaf(2) },
    { level: 3, table: secondTable(3), leaf: secondLargeLeaf(3) },
    { level: 4, table: secondTable(4), leaf: undefined },
    { level: 5, table: secondTable(5), leaf: undefined },
  ],
  depths: [3, 4, 5],
});

const FIRST_HEAD = {
  P: flag(0, 'present'),
  RW: flag(1, 'writable'),
  U: flag(2, 'user'),
  PWT: flag(3, 'write-through'),
  PCD: flag(4, 'cache disable'),
  A: flag(5, 'accessed'),
} as const;

const FIRST_SOFTWARE = {
  SW: ignored(9, 9),
  EA: ignored(10, 10, 'extended accessed'),
  SW11: ignored(11, 11),
} as const;

/** Bits that software owns, protection keys, execute-disable. */
const FIRST_TAIL = {
  SW52: ignored(58, 52),
  PKEY: number(62, 59, 'protection key, of leaves of processor tables'),
  XD: flag(63, 'execute disable'),
} as const;

function firstTable(level: number): BitRecord {
  return bitRecord(`first-stage level ${level} table`, 8, 'Leads to the next lower table.', {
    ...FIRST_HEAD,
    D: ignored(6, 6),
    PS:
      level <= 3 ? flag(7, 'page size: 0 for a table') : reserved(7, 7, 'page size, which this level lacks'),
    IGN8: ignored(8, 8),
    ...FIRST_SOFTWARE,
    ADDR: address(51, 12, 'the table'),
    ...FIRST_TAIL,
  });
}

function firstLargeLeaf(level: number): BitRecord {
  const low = 12 + 9 * (level - 1);
  return bitRecord(`first-stage level ${level} leaf`, 8, `Maps ${level === 2 ? '2 MiB' : '1 GiB'}.`, {
    ...FIRST_HEAD,
    D: flag(6, 'dirty'),
    PS: flag(7, 'page size: 1 for a leaf'),
    G: flag(8, 'global'),
    ...FIRST_SOFTWARE,
    PAT: flag(12, 'page attribute table'),
    ALIGN: reserved(low - 1, 13, 'the low bits of an aligned address'),
    ADDR: address(51, low, 'the memory'),
    ...FIRST_TAIL,
  });
}

/** First stage: the format of x86-64 processors, for PASIDs with first-stage tables and for the processor's own. */
export const FIRST_STAGE: PagingFormat = Object.freeze<PagingFormat>({
  stage: 'first',
  title: 'first stage',
  present: 0x1,
  absentIsZero: false,
  signExtend: true,
  mapping: [
    { field: 'P', mapping: MAPPING.READ, path: true },
    { field: 'RW', mapping: MAPPING.WRITE, path: true },
    { field: 'U', mapping: MAPPING.USER, path: true },
    { field: 'XD', mapping: MAPPING.EXECUTE, inverted: true, path: true },
    { field: 'A', mapping: MAPPING.ACCESSED },
    { field: 'D', mapping: MAPPING.DIRTY },
    { field: 'G', mapping: MAPPING.GLOBAL },
    { field: 'PWT', mapping: MAPPING.WRITE_THROUGH },
    { field: 'PCD', mapping: MAPPING.CACHE_DISABLE },
    { field: 'PAT', mapping: MAPPING.PAT },
  ],
  levels: [
    {
      level: 1,
      table: undefined,
      leaf: bitRecord('first-stage level 1 leaf', 8, 'Maps 4 KiB.', {
        ...FIRST_HEAD,
        D: flag(6, 'dirty'),
        PAT: flag(7, 'page attribute table'),
        G: flag(8, 'global'),
        ...FIRST_SOFTWARE,
        ADDR: address(51, 12, 'the memory'),
        ...FIRST_TAIL,
      }),
    },
    { level: 2, table: firstTable(2), leaf: firstLargeLeaf(2) },
    { level: 3, table: firstTable(3), leaf: firstLargeLeaf(3) },
    { level: 4, table: firstTable(4), leaf: undefined },
    { level: 5, table: firstTable(5), leaf: undefined },
  ],
  depths: [4, 5],
});

/** The format of a stage's tables. */
export function pagingFormat(stage: Stage): PagingFormat {
  return stage === 'first' ? FIRST_STAGE : SECOND_STAGE;
}
