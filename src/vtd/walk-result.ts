// SPDX-License-Identifier: Apache-2.0
import type { ExtentColumns } from './extents.js';
import type { Stage } from './paging-format.js';

/** A page table: where it starts and how it is read. */
export interface TableRoot {
  readonly stage: Stage;
  /** Physical address of the top table. */
  readonly table: bigint;
  /** 3, 4 or 5; first-stage tables have 4 or 5. */
  readonly levels: number;
}

/** How a table is walked. */
export interface WalkOptions {
  /** Width in bits of the domain's addresses where it is less than the levels give: entries beyond are findings. */
  readonly widthBits?: number | undefined;
  /** Width in bits of the platform's physical addresses; bits above it are reserved. Default 52. */
  readonly hostBits?: number | undefined;
  /** Walk only these IOVAs, first and last byte; default all. Tables outside are not read. */
  readonly only?: { readonly first: bigint; readonly last: bigint } | undefined;
  /**
   * Takes the extents instead of the result: called with rows in order as they are found, a few thousand at a time.
   * The columns are used again after it returns.
   */
  readonly extents?: ((rows: ExtentColumns) => void) | undefined;
  /**
   * Joins extents of the same bits whose IOVAs go on, wherever they lead: rows tell what is mapped and how, `frame` only
   * where the first page of a row lies. Much faster for scattered memory. Default false.
   */
  readonly joinFrames?: boolean | undefined;
  /** Findings kept in the result; all are counted. Default 1,000. */
  readonly maxFindings?: number | undefined;
  /**
   * Tables that are walked again when they are reached once more, as hardware would; what is below further ones is left
   * out, with a LIMIT finding. Default 4,096.
   */
  readonly maxRepeats?: number | undefined;
  /** Told now and then how many table pages have been read. */
  readonly progress?: ((tables: number) => void) | undefined;
}

/**
 * What can be wrong with an entry:
 *
 * - `RESERVED_BITS`: bits that must be zero are not
 * - `GARBAGE`: the entry grants nothing, so hardware sees none, but is not zero (second stage)
 * - `OUTSIDE_IMAGE`, `EXCLUDED`: it leads to a table that the image does not have, or whose contents were left out
 * - `MISALIGNED`: a 2 MiB or 1 GiB leaf whose address is not a multiple of its size
 * - `BEYOND_HOST`: the address is beyond what the platform's memory bus can carry
 * - `BEYOND_WIDTH`: it translates addresses beyond the domain's width
 * - `SHARED_TABLE`: a table page that was already reached, at the same level
 * - `TABLE_LOOP`: a table page that was already reached at another level, maybe as its own parent
 * - `LIMIT`: too many tables were reached more than once to go on into this one
 */
export type WalkFindingCode =
  | 'RESERVED_BITS'
  | 'GARBAGE'
  | 'OUTSIDE_IMAGE'
  | 'EXCLUDED'
  | 'MISALIGNED'
  | 'BEYOND_HOST'
  | 'BEYOND_WIDTH'
  | 'SHARED_TABLE'
  | 'TABLE_LOOP'
  | 'LIMIT';

/** Something wrong with one entry. The top table itself is reported as entry 0 of level `levels + 1`. */
export interface WalkFinding {
  readonly code: WalkFindingCode;
  /** One sentence: what was expected and what was found. */
  readonly message: string;
  /** Level of the entry, 1 for the lowest tables. */
  readonly level: number;
  /** Physical address of the entry. */
  readonly address: bigint;
  readonly entry: bigint;
  /** First IOVA that it translates. */
  readonly iova: bigint;
}

/** Statistics of one level. */
export interface LevelStatistics {
  /** 1 for the lowest tables. */
  readonly level: number;
  /** Table pages, each counted once. */
  readonly tables: number;
  /** Entries that lead to a table. */
  readonly tableEntries: number;
  /** Entries that map memory. */
  readonly leaves: number;
}

/** What a walk brought to light. */
export interface WalkResult {
  readonly root: TableRoot;
  /** All mappings; empty when `extents` of the options took them. */
  readonly extents: ExtentColumns;
  /** How many extents there are, wherever they went; joined or not. */
  readonly extentCount: number;
  /** Pages of 4 KiB that are mapped. */
  readonly mappedFrames: number;
  /** Frames of the table pages that were read, by level: `[0]` are those of level 1; each once, in order of the walk. */
  readonly tablePages: readonly Float64Array[];
  /** Level 1 first. */
  readonly levels: readonly LevelStatistics[];
  /** The first findings, in order of the walk. */
  readonly findings: readonly WalkFinding[];
  /** How many there are of each code. */
  readonly findingCounts: Readonly<Partial<Record<WalkFindingCode, number>>>;
}
