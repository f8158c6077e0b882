// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { newPageSlot, PAGE_SIZE, type PageSlot, type PhysicalMemory } from '../image/physical-memory.js';
import {
  beyondHost,
  type EntryMasks,
  type FormatMasks,
  formatMasks,
  mappingBits,
  type WordMask,
} from './entry-masks.js';
import { type ExtentColumns, ExtentList } from './extents.js';
import { type LeafKernel, leafPath, WRONG } from './leaf-kernel.js';
import { LEVEL_SHIFT, type PagingFormat } from './paging-format.js';
import { FrameList, TableSet } from './table-set.js';
import { type EntryPlace, FindingList } from './walk-findings.js';
import type { LevelStatistics, TableRoot, WalkOptions, WalkResult } from './walk-result.js';

const ENTRIES = 512;
const ALL_PATH = 0xffff;
const PAGE_SIZE_BIT = 0x80;
/** What a walk whose extents were taken has left of them. */
const NO_EXTENTS: ExtentColumns = new ExtentList(0);
/** Tables between two calls of `progress`. */
const PROGRESS_STEP = 4096;

/** Takes extents; `enough` says that from here on they only need to be counted. */
export type Sink = (rows: ExtentColumns) => undefined | 'enough';

/** Options of a walk whose extents go somewhere. */
export type SinkOptions = Omit<WalkOptions, 'extents'> & { readonly extents: Sink };

/**
 * One walk from a top table down. Level 1 tables go through the kernel; the tables above, of which there are 512 times
 * fewer, are walked here.
 */
export class TableWalk {
  readonly #memory: PhysicalMemory;
  readonly #root: TableRoot;
  readonly #options: SinkOptions;
  readonly #format: PagingFormat;
  readonly #masks: FormatMasks;
  readonly #kernel: LeafKernel;
  readonly #beyond: WordMask;
  readonly #findings: FindingList;
  /** The entry that is being looked at. */
  readonly #at: EntryPlace = { level: 0, table: 0, index: 0, low: 0, high: 0, iovaFrame: 0 };
  readonly #seen = new TableSet();
  /** Where the table of each level is that is being walked. */
  readonly #slots: readonly PageSlot[];
  readonly #tables: readonly FrameList[];
  readonly #leaves: number[];
  readonly #entries: number[];
  /** First and last frame of IOVAs that are asked for. */
  readonly #first: number;
  readonly #last: number;
  /** First frame of IOVAs that the domain cannot have. */
  readonly #widthFrames: number;
  readonly #maxRepeats: number;
  #repeats = 0;
  /** Rows that the kernel holds. */
  #rowCount = 0;
  #tableCount = 0;

  constructor(
    memory: PhysicalMemory,
    root: TableRoot,
    options: SinkOptions,
    format: PagingFormat,
    kernel: LeafKernel,
  ) {
    this.#memory = memory;
    this.#root = root;
    this.#options = options;
    this.#format = format;
    this.#masks = formatMasks(format);
    this.#kernel = kernel;
    this.#beyond = beyondHost(options.hostBits ?? 52);
    this.#findings = new FindingList(options, this.#beyond);
    this.#slots = Array.from({ length: root.levels }, newPageSlot);
    this.#tables = this.#slots.map(() => new FrameList());
    this.#leaves = this.#slots.map(() => 0);
    this.#entries = this.#slots.map(() => 0);
    this.#first = options.only === undefined ? 0 : Number(options.only.first >> 12n);
    this.#last = options.only === undefined ? Infinity : Number(options.only.last >> 12n);
    const { widthBits } = options;
    this.#widthFrames = widthBits === undefined || format.signExtend ? Infinity : 2 ** (widthBits - 12);
    this.#maxRepeats = options.maxRepeats ?? 4096;
  }

  run(): WalkResult {
    const { levels, table } = this.#root;
    this.#kernel.start(this.#format, (BigInt(this.#beyond.high) << 32n) | BigInt(this.#beyond.low));
    if (this.#options.joinFrames === true) this.#kernel.joinFrames();
    this.#at.level = levels + 1;
    this.#at.low = Number(table & 0xffff_ffffn);
    this.#at.high = Number(table >> 32n);
    this.#enter(levels, Number(table >> 12n), 0, ALL_PATH);
    const { rows } = this.#kernel;
    rows.length = this.#rowCount;
    this.#take();
    this.#leaves[0] = this.#kernel.leaves();
    return {
      root: this.#root,
      extents: NO_EXTENTS,
      extentCount: this.#kernel.extents(),
      mappedFrames: this.#leaves.reduce((sum, count, at) => sum + count * 2 ** (9 * at), 0),
      tablePages: this.#tables.map((frames) => frames.toArray()),
      levels: this.#tables.map(
        (frames, at): LevelStatistics => ({
          level: at + 1,
          tables: frames.length,
          tableEntries: this.#entries[at] ?? 0,
          leaves: this.#leaves[at] ?? 0,
        }),
      ),
      findings: this.#findings.kept,
      findingCounts: this.#findings.counts,
    };
  }

  /** Walks the table at `frame`, to which the entry {@link #at} leads. @param path bits that the tables above leave */
  #enter(level: number, frame: number, iovaFrame: number, path: number): void {
    const before = this.#seen.level(frame);
    if (before !== 0 && !this.#enterAgain(frame, level, before)) return;
    const slot = this.#slots[level - 1];
    if (slot === undefined) return;
    const miss = this.#memory.locate(frame, slot);
    if (miss !== undefined) {
      this.#findings.add(miss === 'absent' ? 'OUTSIDE_IMAGE' : 'EXCLUDED', this.#at, () => {
        const why = miss === 'absent' ? 'not in the image' : 'left out of the dump';
        return `a level ${level} table expected at ${frameText(frame)}, ${why}`;
      });
      return;
    }
    if (before === 0) {
      this.#seen.add(frame, level);
      this.#tables[level - 1]?.push(frame);
    }
    if (++this.#tableCount % PROGRESS_STEP === 0) this.#options.progress?.(this.#tableCount);
    if (level === 1) this.#lowest(slot, frame, iovaFrame, path);
    else this.#upper(level, slot, frame, iovaFrame, path);
  }

  /** Notes that a table is reached once more; false when it is not to be walked again. */
  #enterAgain(frame: number, level: number, before: number): boolean {
    this.#findings.add(
      before === level ? 'SHARED_TABLE' : 'TABLE_LOOP',
      this.#at,
      () => `a table of its own expected, ${frameText(frame)} was already reached at level ${before}`,
    );
    if (++this.#repeats <= this.#maxRepeats) return true;
    const message = 'too many tables are reached more than once; left out from here on';
    this.#findings.add('LIMIT', this.#at, () => message);
    return false;
  }

  #upper(level: number, { view, offset }: PageSlot, table: number, iovaFrame: number, path: number): void {
    const at = this.#at;
    const span = 2 ** (9 * (level - 1));
    const masks = this.#masks.levels[level - 1];
    const { present, absentIsZero, signExtend } = this.#format;
    const offPath = this.#masks.offPath;
    const first = this.#first;
    const last = this.#last;
    const widthFrames = this.#widthFrames;
    // The upper half of the top table continues the sign.
    const wrap = signExtend && level === this.#root.levels ? 2 ** 52 - span * ENTRIES : 0;
    let leaves = 0;
    let entries = 0;
    // Most entries of a table have the flags of the one before.
    let flags = 0;
    let sameAs: EntryMasks | undefined;
    let lastLow = 0;
    let lastHigh = 0;
    for (let index = 0; index < ENTRIES; index++) {
      const low = view.getUint32(offset + index * 8, true);
      const high = view.getUint32(offset + index * 8 + 4, true);
      if ((low | high) === 0) continue;
      const iova = iovaFrame + index * span + (index >= ENTRIES / 2 ? wrap : 0);
      if (iova > last || iova + span <= first) continue;
      at.level = level;
      at.table = table;
      at.index = index;
      at.low = low;
      at.high = high;
      at.iovaFrame = iova;
      if ((low & present) === 0) {
        if (absentIsZero) this.#findings.addGarbage(at);
        continue;
      }
      const leaf = (low & PAGE_SIZE_BIT) === 0 ? undefined : masks?.leaf;
      const entry = leaf ?? masks?.table;
      if (entry === undefined) continue;
      if (this.#isWrong(entry, low, high) || iova >= widthFrames) {
        this.#findings.check(at, entry, iova >= widthFrames);
      }
      const { flagged, address } = entry;
      if (entry !== sameAs || (((low ^ lastLow) & flagged.low) | ((high ^ lastHigh) & flagged.high)) !== 0) {
        flags = mappingBits(entry, low, high) & path;
        sameAs = entry;
        lastLow = low;
        lastHigh = high;
      }
      const target = (high & address.high) * 0x10_0000 + ((low & address.low) >>> 12);
      if (leaf === undefined) {
        entries++;
        this.#enter(level - 1, target, iova, flags | offPath);
      } else {
        leaves++;
        this.#noteRows(this.#kernel.map(iova, target, span, flags | (level << LEVEL_SHIFT)));
      }
    }
    this.#leaves[level - 1] = (this.#leaves[level - 1] ?? 0) + leaves;
    this.#entries[level - 1] = (this.#entries[level - 1] ?? 0) + entries;
  }

  #lowest({ bytes, view, offset }: PageSlot, table: number, iovaFrame: number, path: number): void {
    const kernel = this.#kernel;
    const first = Math.max(0, this.#first - iovaFrame);
    const last = Math.min(ENTRIES, this.#last - iovaFrame + 1);
    if (first >= last) return;
    kernel.entries.set(bytes.subarray(offset, offset + PAGE_SIZE));
    const result = kernel.table(iovaFrame, leafPath(path), first, last);
    if (result < 0 || iovaFrame + last > this.#widthFrames) {
      this.#checkLowest(view, offset, table, iovaFrame, first, last);
    }
    this.#noteRows(result & ~WRONG);
  }

  /** Finds what is wrong in a level 1 table. */
  #checkLowest(
    view: DataView,
    offset: number,
    table: number,
    iovaFrame: number,
    first: number,
    last: number,
  ): void {
    const at = this.#at;
    const masks = this.#masks.levels[0]?.leaf;
    if (masks === undefined) return;
    const { present, absentIsZero } = this.#format;
    at.level = 1;
    at.table = table;
    for (let index = first; index < last; index++) {
      const low = view.getUint32(offset + index * 8, true);
      const high = view.getUint32(offset + index * 8 + 4, true);
      if ((low | high) === 0) continue;
      const isPresent = (low & present) !== 0;
      if (!isPresent && !absentIsZero) continue;
      const tooWide = iovaFrame + index >= this.#widthFrames;
      if (isPresent && !tooWide && !this.#isWrong(masks, low, high)) continue;
      at.index = index;
      at.low = low;
      at.high = high;
      at.iovaFrame = iovaFrame + index;
      if (isPresent) this.#findings.check(at, masks, tooWide);
      else this.#findings.addGarbage(at);
    }
  }

  #isWrong({ reserved, align, address }: EntryMasks, low: number, high: number): boolean {
    const beyond = this.#beyond;
    return (
      ((low & (reserved.low | align.low | (address.low & beyond.low))) |
        (high & (reserved.high | align.high | (address.high & beyond.high)))) !==
      0
    );
  }

  /** Takes the kernel's rows when there are many, all but the last, which may go on. */
  #noteRows(count: number): void {
    this.#rowCount = count;
    if (count <= this.#kernel.rowLimit) return;
    this.#kernel.rows.length = count - 1;
    this.#take();
    this.#kernel.keepLast();
    this.#rowCount = 1;
  }

  #take(): void {
    const { rows } = this.#kernel;
    if (rows.length > 0 && this.#options.extents(rows) === 'enough') this.#kernel.joinFrames();
  }
}

function frameText(frame: number): string {
  return formatHex(BigInt(frame) << 12n);
}
