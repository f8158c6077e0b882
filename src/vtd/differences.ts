// SPDX-License-Identifier: Apache-2.0
import type { ExtentColumns } from './extents.js';
import { LEVEL_SHIFT } from './paging-format.js';

/** Frame of a side on which an IOVA is not mapped. */
export const UNMAPPED = -1;

const BITS = (1 << LEVEL_SHIFT) - 1;

/**
 * IOVAs that two tables translate differently, as columns of equal length by ascending IOVA. Neighbours are one row when
 * both sides continue.
 */
export interface DifferenceColumns {
  /** How many rows count; the arrays may be longer. */
  readonly length: number;
  /** IOVA / 4096 of the first byte. */
  readonly iovaFrame: Float64Array;
  /** Size in 4 KiB pages. */
  readonly frames: Float64Array;
  /** Physical address / 4096 of the first byte in the first table, or {@link UNMAPPED}. */
  readonly beforeFrame: Float64Array;
  /** Bits of {@link MAPPING} in the first table, without a level; 0 where unmapped. */
  readonly beforeBits: Uint16Array;
  /** As `beforeFrame`, in the second table. */
  readonly afterFrame: Float64Array;
  /** As `beforeBits`, in the second table. */
  readonly afterBits: Uint16Array;
}

/** What one table makes of some IOVAs. */
export interface MappingSide {
  readonly phys: bigint;
  /** Bits of {@link MAPPING}. */
  readonly bits: number;
}

/** One difference, for people and for places where speed does not matter. */
export interface Difference {
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** `undefined` where the first table maps nothing. */
  readonly before: MappingSide | undefined;
  /** Likewise for the second table. */
  readonly after: MappingSide | undefined;
}

/** A difference of columns. @param row below `columns.length` */
export function differenceAt(columns: DifferenceColumns, row: number): Difference {
  const side = (frame = UNMAPPED, bits = 0) =>
    frame === UNMAPPED ? undefined : { phys: BigInt(frame) << 12n, bits };
  return {
    iova: BigInt(columns.iovaFrame[row] ?? 0) << 12n,
    length: BigInt(columns.frames[row] ?? 0) << 12n,
    before: side(columns.beforeFrame[row], columns.beforeBits[row]),
    after: side(columns.afterFrame[row], columns.afterBits[row]),
  };
}

/** Differences as they are found, merged. */
export class DifferenceList implements DifferenceColumns {
  iovaFrame: Float64Array<ArrayBuffer> = new Float64Array(64);
  frames: Float64Array<ArrayBuffer> = new Float64Array(64);
  beforeFrame: Float64Array<ArrayBuffer> = new Float64Array(64);
  beforeBits: Uint16Array<ArrayBuffer> = new Uint16Array(64);
  afterFrame: Float64Array<ArrayBuffer> = new Float64Array(64);
  afterBits: Uint16Array<ArrayBuffer> = new Uint16Array(64);
  length = 0;

  /** Appends a row, or lets the last one go on. */
  add(
    iovaFrame: number,
    frames: number,
    beforeFrame: number,
    beforeBits: number,
    afterFrame: number,
    afterBits: number,
  ): void {
    const last = this.length - 1;
    const length = this.frames[last] ?? 0;
    if (
      last >= 0 &&
      (this.iovaFrame[last] ?? 0) + length === iovaFrame &&
      this.beforeBits[last] === beforeBits &&
      this.afterBits[last] === afterBits &&
      goesOn(this.beforeFrame[last] ?? 0, length, beforeFrame) &&
      goesOn(this.afterFrame[last] ?? 0, length, afterFrame)
    ) {
      this.frames[last] = length + frames;
      return;
    }
    if (this.length === this.frames.length) this.#grow();
    this.iovaFrame[this.length] = iovaFrame;
    this.frames[this.length] = frames;
    this.beforeFrame[this.length] = beforeFrame;
    this.beforeBits[this.length] = beforeBits;
    this.afterFrame[this.length] = afterFrame;
    this.afterBits[this.length++] = afterBits;
  }

  #grow(): void {
    this.iovaFrame = twice(this.iovaFrame);
    this.frames = twice(this.frames);
    this.beforeFrame = twice(this.beforeFrame);
    this.beforeBits = twiceBits(this.beforeBits);
    this.afterFrame = twice(this.afterFrame);
    this.afterBits = twiceBits(this.afterBits);
  }
}

function goesOn(frame: number, length: number, next: number): boolean {
  return frame === UNMAPPED || next === UNMAPPED ? frame === next : frame + length === next;
}

function twice(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(column.length * 2);
  grown.set(column);
  return grown;
}

function twiceBits(column: Uint16Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const grown = new Uint16Array(column.length * 2);
  grown.set(column);
  return grown;
}

/**
 * Holds the mappings of a first table against those of a second one that come bit by bit, in order, and notes where they
 * differ. The size of leaves makes no difference.
 */
export class MappingJoin {
  readonly #out: DifferenceList;
  readonly #before: ExtentColumns;
  readonly #compared: number;
  #row = 0;
  /** Frames of the row that are done. */
  #done = 0;

  /** @param ignore bits of {@link MAPPING} that make no difference */
  constructor(out: DifferenceList, before: ExtentColumns, ignore: number) {
    this.#out = out;
    this.#before = before;
    this.#compared = BITS & ~ignore;
  }

  /** Takes the next mappings of the second table. */
  take(after: ExtentColumns): void {
    for (let row = 0; row < after.length; row++) {
      this.#takeRow(
        after.iovaFrame[row] ?? 0,
        after.frames[row] ?? 0,
        after.frame[row] ?? 0,
        (after.bits[row] ?? 0) & BITS,
      );
    }
  }

  /** The second table has no more mappings. */
  finish(): void {
    this.#removed(Infinity);
  }

  #takeRow(start: number, frames: number, frame: number, bits: number): void {
    const end = start + frames;
    this.#removed(start);
    for (let at = start; at < end; ) {
      const { iovaFrame, frame: frameColumn, frames: counts, bits: bitsColumn } = this.#before;
      const row = this.#row;
      const rowStart = row < this.#before.length ? (iovaFrame[row] ?? 0) + this.#done : Infinity;
      if (rowStart > at) {
        const stop = Math.min(end, rowStart);
        this.#out.add(at, stop - at, UNMAPPED, 0, frame + (at - start), bits);
        at = stop;
        continue;
      }
      const stop = Math.min(end, (iovaFrame[row] ?? 0) + (counts[row] ?? 0));
      const before = (frameColumn[row] ?? 0) + this.#done;
      const beforeBits = (bitsColumn[row] ?? 0) & BITS;
      const after = frame + (at - start);
      if (before !== after || ((beforeBits ^ bits) & this.#compared) !== 0) {
        this.#out.add(at, stop - at, before, beforeBits, after, bits);
      }
      this.#advance(stop - at);
      at = stop;
    }
  }

  /** What the first table maps below `end` and the second one does not. */
  #removed(end: number): void {
    const { iovaFrame, frame, frames, bits } = this.#before;
    while (this.#row < this.#before.length) {
      const row = this.#row;
      const start = (iovaFrame[row] ?? 0) + this.#done;
      const stop = Math.min(end, (iovaFrame[row] ?? 0) + (frames[row] ?? 0));
      if (start >= stop) return;
      this.#out.add(
        start,
        stop - start,
        (frame[row] ?? 0) + this.#done,
        (bits[row] ?? 0) & BITS,
        UNMAPPED,
        0,
      );
      this.#advance(stop - start);
    }
  }

  #advance(frames: number): void {
    this.#done += frames;
    if (this.#done < (this.#before.frames[this.#row] ?? 0)) return;
    this.#row++;
    this.#done = 0;
  }
}
