// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { type BitRecord, bitMask } from './bit-record.js';
import { WalkError } from './error.js';
import type { ExtentColumns } from './extents.js';
import { LEVEL_SHIFT, MAPPING, type PagingFormat, pagingFormat, type Stage } from './paging-format.js';
import type { TableRoot } from './walk-result.js';

const ENTRIES = 512;
/** Frames in 4 GiB: what the low half of an entry holds of an address. */
const LOW_FRAMES = 0x10_0000;
/** Canonical IOVAs end here, in frames of 4 KiB; with sign extension the upper half of a table's IOVAs lies right below. */
const IOVA_FRAMES = 2 ** 52;

/** The bits of an extent without its level. */
const LEVEL_BELOW = (1 << LEVEL_SHIFT) - 1;

/** Where the pages of new tables lie and go. */
export interface TableBuildOptions {
  readonly stage: Stage;
  /** 3, 4 or 5; first-stage tables have 4 or 5. */
  readonly levels: number;
  /** Gives the frame of a new table page. The top table asks first, then each page when it gets its first entry. */
  readonly allocate: () => number;
  /** Takes a finished page. Its bytes are used again: keep a copy. */
  readonly put: (pfn: number, page: Uint8Array) => void;
  /** The largest leaves that are made where a mapping does not say which: level 1 (4 KiB, default), 2 or 3. */
  readonly largestLeaf?: number;
  /**
   * Bits of {@link MAPPING} in entries that lead to tables. Default what Linux writes: read and write; for the first stage
   * all but dirty.
   */
  readonly tableBits?: number;
}

/** A page that is being filled. */
interface OpenTable {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Which of all possible tables of its level it is: IOVA frame / frames that it spans; -1 for none. */
  id: number;
  pfn: number;
}

/** An entry without its address: the two halves of what its flags are. */
interface EntryFlags {
  readonly low: number;
  readonly high: number;
}

const TABLE_BITS: Readonly<Record<Stage, number>> = {
  second: MAPPING.READ | MAPPING.WRITE,
  first: MAPPING.READ | MAPPING.WRITE | MAPPING.EXECUTE | MAPPING.USER | MAPPING.ACCESSED,
};

/**
 * Makes page tables of mappings: the inverse of a walk, for tests, benchmarks and teaching. Mappings come by ascending
 * IOVA; at any time only one page of each level is held, so that tables of any size can be streamed to a file.
 */
export class TableBuilder {
  readonly #options: TableBuildOptions;
  readonly #format: PagingFormat;
  readonly #open: OpenTable[];
  readonly #tableFlags: readonly EntryFlags[];
  readonly #leafFlags = new Map<number, EntryFlags>();
  readonly #topPfn: number;
  /** Frame behind the last mapping, counted within the table's width. */
  #next = 0;
  #tables = 1;

  /** @throws WalkError BAD_ARGUMENT for a number of levels that the stage does not have */
  constructor(options: TableBuildOptions) {
    const { stage, levels, allocate, tableBits = TABLE_BITS[stage] } = options;
    this.#options = options;
    this.#format = pagingFormat(stage);
    if (!this.#format.depths.includes(levels)) {
      throw badArgument(
        `${this.#format.title} tables have ${this.#format.depths.join(', ')} levels, not ${levels}`,
      );
    }
    this.#open = Array.from({ length: levels }, () => {
      const bytes = new Uint8Array(PAGE_SIZE);
      return { bytes, view: new DataView(bytes.buffer), id: -1, pfn: -1 };
    });
    this.#tableFlags = this.#format.levels.map(({ table }) =>
      table === undefined ? { low: 0, high: 0 } : this.#flags(table, tableBits, false),
    );
    this.#topPfn = allocate();
    const top = this.#open[levels - 1];
    if (top !== undefined) Object.assign(top, { id: 0, pfn: this.#topPfn });
  }

  /** How many table pages there are so far. */
  get tables(): number {
    return this.#tables;
  }

  /**
   * Maps one range.
   *
   * @param bits of {@link MAPPING}; with a level from bit {@link LEVEL_SHIFT} on, leaves of that level, else the largest
   * that fit
   * @throws WalkError BAD_ARGUMENT for a range that is not of whole pages, comes before or over what was mapped, does
   * not fit the table or its leaves
   */
  map(iova: bigint, phys: bigint, length: bigint, bits: number): void {
    const whole = ((iova | phys | length) & 0xfffn) === 0n && iova >= 0n && phys >= 0n && length >= 0n;
    if (!whole || iova + length > 1n << 64n || phys + length > 1n << 52n) {
      throw badArgument(`cannot map ${length} bytes at ${formatHex(iova)} to ${formatHex(phys)}`);
    }
    this.#map(Number(iova >> 12n), Number(phys >> 12n), Number(length >> 12n), bits);
  }

  /** Maps what columns hold, such as a walk gives. @throws WalkError as {@link map} */
  add(rows: ExtentColumns): void {
    for (let row = 0; row < rows.length; row++) {
      this.#map(rows.iovaFrame[row] ?? 0, rows.frame[row] ?? 0, rows.frames[row] ?? 0, rows.bits[row] ?? 0);
    }
  }

  /** Gives the remaining pages away. @returns the finished table */
  finish(): TableRoot {
    for (const table of this.#open) this.#close(table);
    const { stage, levels } = this.#options;
    return { stage, table: BigInt(this.#topPfn) << 12n, levels };
  }

  #map(iovaFrame: number, physFrame: number, count: number, bits: number): void {
    let at = this.#inTable(iovaFrame, count);
    let frame = physFrame;
    let left = count;
    if (at < this.#next) {
      throw badArgument(`IOVA ${formatFrame(iovaFrame)} comes after ${formatFrame(this.#next)} was reached`);
    }
    while (left > 0) {
      const level = bits >> LEVEL_SHIFT || this.#fittingLevel(at, frame, left);
      const span = ENTRIES ** (level - 1);
      if (at % span !== 0 || frame % span !== 0 || left < span || level > 3) {
        throw badArgument(
          `leaves of level ${level} do not fit IOVA ${formatFrame(at)}, frame ${formatFrame(frame)}`,
        );
      }
      const table = this.#tableFor(level, at);
      const index = (at / span) % ENTRIES;
      const entries = Math.min(ENTRIES - index, Math.floor(left / span));
      this.#fill(table, index, entries, frame, span, this.#leaf(level, bits));
      at += entries * span;
      frame += entries * span;
      left -= entries * span;
    }
    this.#next = at;
  }

  /** An IOVA frame within the width of the table, sign extension taken off. */
  #inTable(iovaFrame: number, count: number): number {
    const frames = ENTRIES ** this.#options.levels;
    const { signExtend } = this.#format;
    const lower = signExtend ? frames / 2 : frames;
    if (iovaFrame + count <= lower) return iovaFrame;
    const upper = IOVA_FRAMES - frames / 2;
    if (signExtend && iovaFrame >= upper) return iovaFrame - IOVA_FRAMES + frames;
    throw badArgument(
      `IOVA ${formatFrame(iovaFrame)} and ${count} pages do not fit ${this.#options.levels} levels`,
    );
  }

  #fittingLevel(at: number, frame: number, left: number): number {
    for (let level = this.#options.largestLeaf ?? 1; level > 1; level--) {
      const span = ENTRIES ** (level - 1);
      if (at % span === 0 && frame % span === 0 && left >= span) return level;
    }
    return 1;
  }

  /** The open table of `level` that translates IOVA frame `at`. */
  #tableFor(level: number, at: number): OpenTable {
    const table = this.#open[level - 1];
    if (table === undefined) throw badArgument(`no leaves at level ${level}`);
    const id = Math.floor(at / ENTRIES ** level);
    if (table.id === id) return table;
    const parent = this.#tableFor(level + 1, at);
    for (const below of this.#open.slice(0, level)) this.#close(below);
    table.id = id;
    table.pfn = this.#options.allocate();
    this.#tables++;
    const flags = this.#tableFlags[level] ?? { low: 0, high: 0 };
    this.#fill(parent, id % ENTRIES, 1, table.pfn, 1, flags);
    return table;
  }

  #fill(
    table: OpenTable,
    index: number,
    entries: number,
    frame: number,
    span: number,
    flags: EntryFlags,
  ): void {
    const { view } = table;
    const { low, high } = flags;
    for (let entry = index, at = frame; entry < index + entries; entry++, at += span) {
      const above = Math.floor(at / LOW_FRAMES);
      view.setUint32(entry * 8, ((at - above * LOW_FRAMES) * PAGE_SIZE) | low, true);
      view.setUint32(entry * 8 + 4, above | high, true);
    }
  }

  #close(table: OpenTable): void {
    if (table.id < 0) return;
    this.#options.put(table.pfn, table.bytes);
    table.bytes.fill(0);
    table.id = -1;
  }

  #leaf(level: number, bits: number): EntryFlags {
    const key = (bits & LEVEL_BELOW) | (level << LEVEL_SHIFT);
    const known = this.#leafFlags.get(key);
    if (known !== undefined) return known;
    const record = this.#format.levels[level - 1]?.leaf;
    if (record === undefined) throw badArgument(`no leaves at level ${level}`);
    const flags = this.#flags(record, bits, level > 1);
    const said = this.#format.mapping.reduce((all, { mapping }) => all | mapping, 0);
    if ((flags.low & this.#format.present) === 0 || (bits & ~said & LEVEL_BELOW) !== 0) {
      throw badArgument(`${this.#format.title} leaves cannot say ${formatHex(bits & LEVEL_BELOW)}`);
    }
    this.#leafFlags.set(key, flags);
    return flags;
  }

  #flags(record: BitRecord, bits: number, pageSize: boolean): EntryFlags {
    let flags = pageSize ? bitMask(record, (_, name) => name === 'PS') : 0n;
    for (const { field, mapping, inverted = false } of this.#format.mapping) {
      if (((bits & mapping) !== 0) !== inverted)
        flags |= bitMask(record, ({ kind }, name) => name === field && kind === 'flag');
    }
    return { low: Number(flags & 0xffff_ffffn), high: Number(flags >> 32n) };
  }
}

function badArgument(message: string): WalkError {
  return new WalkError({ code: 'BAD_ARGUMENT', message });
}

function formatFrame(frame: number): string {
  return formatHex(BigInt(frame) << 12n);
}
