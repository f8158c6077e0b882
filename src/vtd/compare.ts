// SPDX-License-Identifier: Apache-2.0
import { newPageSlot, type PageSlot, type PhysicalMemory } from '../image/physical-memory.js';
import { type DifferenceColumns, DifferenceList, MappingJoin, UNMAPPED } from './differences.js';
import { type EntryMasks, type FormatMasks, formatMasks, mappingBits } from './entry-masks.js';
import { type ExtentColumns, ExtentList } from './extents.js';
import { type LeafKernel, leafPath, withLeafKernel } from './leaf-kernel.js';
import { LEVEL_SHIFT, type PagingFormat, pagingFormat } from './paging-format.js';
import { type SamePage, samePageAnywhere } from './same-page.js';
import { TableSet } from './table-set.js';
import { walkTable } from './walk.js';
import type { TableRoot, WalkResult } from './walk-result.js';

const ENTRIES = 512;
const ALL_PATH = 0xffff;
const PAGE_SIZE_BIT = 0x80;
/** Frames of all IOVAs, the sign extended ones included. */
const ALL_FRAMES = 2 ** 52;
const BITS = (1 << LEVEL_SHIFT) - 1;

/** How two tables are compared. */
export interface CompareOptions {
  /** Tells whether two pages are equal; default a portable loop. The image floor has a native one. */
  readonly samePage?: SamePage | undefined;
  /** Bits of {@link MAPPING} that make no difference, such as those that hardware sets. Default 0. */
  readonly ignore?: number | undefined;
  /**
   * Tables that are compared again when they are reached once more on either side; what is below further ones is left
   * out, and counted. Default 4,096.
   */
  readonly maxRepeats?: number | undefined;
}

/** What a comparison brought to light. */
export interface CompareResult {
  readonly differences: DifferenceColumns;
  /** Pairs of table pages that were looked at. */
  readonly tablePairs: number;
  /** Pairs of which the bytes were equal. */
  readonly equalPairs: number;
  /** Tables that one of the images does not have; what they would map counts as not mapped. */
  readonly missingTables: number;
  /** Tables that were left out because too many are reached more than once: there may be more differences. */
  readonly leftOut: number;
}

/**
 * Where two tables translate differently. Both are walked down in step; a table page that is the same page of the same
 * image is not looked at, one with the same bytes as the other side's is, unless it is of level 1, only followed: what
 * lies behind equal addresses of two images may differ. Tables of different shape are walked and merged.
 *
 * The size of leaves makes no difference, nor does anything but addresses and mapping bits.
 *
 * @throws WalkError as {@link walkTable}; ImageError when an image cannot be read
 */
export function compareTables(
  beforeMemory: PhysicalMemory,
  before: TableRoot,
  afterMemory: PhysicalMemory,
  after: TableRoot,
  options: CompareOptions = {},
): CompareResult {
  return withLeafKernel((kernel) =>
    new Compare(new Side(beforeMemory, before), new Side(afterMemory, after), options, kernel).run(),
  );
}

/** One of the two tables. */
class Side {
  readonly memory: PhysicalMemory;
  readonly root: TableRoot;
  readonly seen = new TableSet();
  readonly slots: readonly PageSlot[];

  constructor(memory: PhysicalMemory, root: TableRoot) {
    this.memory = memory;
    this.root = root;
    this.slots = Array.from({ length: root.levels }, newPageSlot);
  }
}

/** What one side has at an index of a table. */
interface EntryState {
  kind: 'absent' | 'leaf' | 'table';
  /** Frame of the memory or table. */
  frame: number;
  /** Bits of a leaf, or what a table leaves of them. */
  bits: number;
}

class Compare {
  readonly #before: Side;
  readonly #after: Side;
  readonly #samePage: SamePage;
  readonly #ignore: number;
  readonly #maxRepeats: number;
  readonly #kernel: LeafKernel;
  readonly #format: PagingFormat;
  readonly #masks: FormatMasks;
  readonly #differences = new DifferenceList();
  readonly #rows = new ExtentList();
  #repeats = 0;
  #pairs = 0;
  #equal = 0;
  #missing = 0;
  #leftOut = 0;

  constructor(before: Side, after: Side, options: CompareOptions, kernel: LeafKernel) {
    this.#before = before;
    this.#after = after;
    this.#samePage = options.samePage ?? samePageAnywhere;
    this.#ignore = options.ignore ?? 0;
    this.#maxRepeats = options.maxRepeats ?? 4096;
    this.#kernel = kernel;
    this.#format = pagingFormat(before.root.stage);
    this.#masks = formatMasks(this.#format);
  }

  run(): CompareResult {
    const before = this.#before.root;
    const after = this.#after.root;
    if (before.stage === after.stage && before.levels === after.levels) {
      this.#kernel.start(this.#format, 0n);
      const frames = [before, after].map(({ table }) => Number(table >> 12n));
      this.#pair(before.levels, frames[0] ?? 0, frames[1] ?? 0, 0, ALL_PATH, ALL_PATH);
    } else {
      this.#walkBoth(0, 0, ALL_FRAMES);
    }
    return {
      differences: this.#differences,
      tablePairs: this.#pairs,
      equalPairs: this.#equal,
      missingTables: this.#missing,
      leftOut: this.#leftOut,
    };
  }

  #pair(
    level: number,
    before: number,
    after: number,
    iovaFrame: number,
    beforePath: number,
    afterPath: number,
  ): void {
    const samePath = beforePath === afterPath;
    if (samePath && before === after && this.#before.memory === this.#after.memory) return;
    if (this.#isTooMuch(level, before, after)) return;
    const one = this.#before.slots[level - 1];
    const other = this.#after.slots[level - 1];
    if (one === undefined || other === undefined) return;
    const hasOne = this.#before.memory.locate(before, one) === undefined;
    const hasOther = this.#after.memory.locate(after, other) === undefined;
    if (!hasOne && !hasOther) {
      this.#missing += 2;
      return;
    }
    if (!hasOne || !hasOther) {
      const isTop = level === this.#before.root.levels;
      this.#walkBoth(level, isTop ? 0 : iovaFrame, isTop ? ALL_FRAMES : ENTRIES ** level);
      return;
    }
    this.#pairs++;
    const same = this.#samePage(one, other);
    if (same) this.#equal++;
    if (level > 1) this.#upper(level, one, other, iovaFrame, beforePath, afterPath);
    else if (!same || !samePath) this.#lowest(one, other, iovaFrame, beforePath, afterPath);
  }

  #isTooMuch(level: number, before: number, after: number): boolean {
    const { seen } = this.#before;
    const otherSeen = this.#after.seen;
    if (seen.level(before) === 0 && otherSeen.level(after) === 0) {
      seen.add(before, level);
      otherSeen.add(after, level);
      return false;
    }
    if (++this.#repeats <= this.#maxRepeats) return false;
    this.#leftOut++;
    return true;
  }

  #upper(
    level: number,
    { view, offset }: PageSlot,
    { view: otherView, offset: otherOffset }: PageSlot,
    iovaFrame: number,
    beforePath: number,
    afterPath: number,
  ): void {
    const span = ENTRIES ** (level - 1);
    const wrap = this.#format.signExtend && level === this.#before.root.levels ? 2 ** 52 - span * ENTRIES : 0;
    const one: EntryState = { kind: 'absent', frame: UNMAPPED, bits: 0 };
    const other: EntryState = { kind: 'absent', frame: UNMAPPED, bits: 0 };
    for (let index = 0; index < ENTRIES; index++) {
      this.#read(level, view, offset + index * 8, beforePath, one);
      this.#read(level, otherView, otherOffset + index * 8, afterPath, other);
      const iova = iovaFrame + index * span + (index >= ENTRIES / 2 ? wrap : 0);
      if (one.kind === 'table' && other.kind === 'table') {
        this.#pair(level - 1, one.frame, other.frame, iova, one.bits, other.bits);
      } else if (one.kind !== 'table' && other.kind !== 'table') {
        const bitsDiffer = ((one.bits ^ other.bits) & BITS & ~this.#ignore) !== 0;
        if (one.frame !== other.frame || bitsDiffer) {
          this.#differences.add(iova, span, one.frame, one.bits, other.frame, other.bits);
        }
      } else if (level > 2) {
        this.#walkBoth(level - 1, iova, span);
      } else {
        // Tables against leaves come in numbers: from here on all of this table at once.
        this.#walkBoth(level - 1, iova, (ENTRIES - index) * span);
        return;
      }
    }
  }

  #read(level: number, view: DataView, at: number, path: number, state: EntryState): void {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    const masks = this.#masks.levels[level - 1];
    const leaf = (low & PAGE_SIZE_BIT) === 0 ? undefined : masks?.leaf;
    const entry: EntryMasks | undefined = leaf ?? masks?.table;
    if ((low & this.#format.present) === 0 || entry === undefined) {
      state.kind = 'absent';
      state.frame = UNMAPPED;
      state.bits = 0;
      return;
    }
    const bits = mappingBits(entry, low, high) & path;
    state.kind = leaf === undefined ? 'table' : 'leaf';
    state.bits = leaf === undefined ? bits | this.#masks.offPath : bits;
    state.frame = (high & entry.address.high) * 0x10_0000 + ((low & entry.address.low) >>> 12);
  }

  #lowest(one: PageSlot, other: PageSlot, iovaFrame: number, beforePath: number, afterPath: number): void {
    this.#rows.length = 0;
    this.#rows.append(this.#leaves(one, iovaFrame, beforePath));
    const join = new MappingJoin(this.#differences, this.#rows, this.#ignore);
    join.take(this.#leaves(other, iovaFrame, afterPath));
    join.finish();
  }

  /** What a level 1 table maps. */
  #leaves({ bytes, offset }: PageSlot, iovaFrame: number, path: number): ExtentColumns {
    const { entries, rows, table } = this.#kernel;
    this.#kernel.start(this.#format, 0n);
    entries.set(bytes.subarray(offset, offset + 4096));
    rows.length = table(iovaFrame, leafPath(path), 0, ENTRIES) & 0xffff;
    return rows;
  }

  /** Compares some IOVAs by walking both tables: those of `level` and below are new to the comparison. */
  #walkBoth(level: number, iovaFrame: number, frames: number): void {
    if (this.#repeats > this.#maxRepeats) {
      this.#leftOut++;
      return;
    }
    const only = { first: BigInt(iovaFrame) << 12n, last: (BigInt(iovaFrame + frames) << 12n) - 1n };
    const options = { only, maxFindings: 0, maxRepeats: this.#maxRepeats - this.#repeats };
    const before = walkTable(this.#before.memory, this.#before.root, options);
    const join = new MappingJoin(this.#differences, before.extents, this.#ignore);
    const after = walkTable(this.#after.memory, this.#after.root, {
      ...options,
      extents: (rows) => join.take(rows),
    });
    join.finish();
    this.#charge(this.#before, before, level);
    this.#charge(this.#after, after, level);
  }

  /** Counts what a walk came across. */
  #charge({ seen }: Side, { tablePages, findingCounts: found }: WalkResult, level: number): void {
    this.#leftOut += found.LIMIT ?? 0;
    this.#missing += (found.OUTSIDE_IMAGE ?? 0) + (found.EXCLUDED ?? 0);
    this.#repeats += (found.SHARED_TABLE ?? 0) + (found.TABLE_LOOP ?? 0);
    for (let at = 0; at < level; at++) {
      for (const frame of tablePages[at] ?? []) {
        if (seen.level(frame) !== 0) this.#repeats++;
        else seen.add(frame, at + 1);
      }
    }
  }
}
