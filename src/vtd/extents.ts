// SPDX-License-Identifier: Apache-2.0
import { WalkError } from './error.js';
import { LEVEL_SHIFT, MAPPING } from './paging-format.js';

/**
 * Mappings as columns of equal length, by ascending IOVA. One extent stands for all neighbouring leaf entries whose
 * IOVAs, physical addresses and bits continue.
 */
export interface ExtentColumns {
  /** How many rows count; the arrays may be longer. */
  readonly length: number;
  /** IOVA / 4096 of the first byte. */
  readonly iovaFrame: Float64Array;
  /** Physical address / 4096 of the first byte. */
  readonly frame: Float64Array;
  /** Size in 4 KiB pages. */
  readonly frames: Float64Array;
  /** Bits of {@link MAPPING}, and the level of the leaves from bit {@link LEVEL_SHIFT} on. */
  readonly bits: Uint16Array;
}

/** One extent, for people and for places where speed does not matter. */
export interface Extent {
  readonly iova: bigint;
  readonly phys: bigint;
  /** In bytes. */
  readonly length: bigint;
  readonly bits: number;
}

/** An extent of columns. @param row below `columns.length` */
export function extentAt(columns: ExtentColumns, row: number): Extent {
  return {
    iova: BigInt(columns.iovaFrame[row] ?? 0) << 12n,
    phys: BigInt(columns.frame[row] ?? 0) << 12n,
    length: BigInt(columns.frames[row] ?? 0) << 12n,
    bits: columns.bits[row] ?? 0,
  };
}

/** What an extent lets a device do: `rw`, `r-`, `-w` or `--`. */
export function permissionText(bits: number): string {
  return `${bits & MAPPING.READ ? 'r' : '-'}${bits & MAPPING.WRITE ? 'w' : '-'}`;
}

/** Size in bytes of the leaves of an extent: 4 KiB, 2 MiB or 1 GiB. */
export function leafSize(bits: number): number {
  return 2 ** (12 + 9 * ((bits >> LEVEL_SHIFT) - 1));
}

const FIRST_CAPACITY = 1024;
/** No array can be longer. */
const MOST_ROWS = 2 ** 30;

/** Columns that grow. */
export class ExtentList implements ExtentColumns {
  iovaFrame: Float64Array;
  frame: Float64Array;
  frames: Float64Array;
  bits: Uint16Array;
  length = 0;

  /**
   * @param capacity rows that there will be room for without growing
   * @throws WalkError TOO_MANY for more rows than an array can have
   */
  constructor(capacity: number = FIRST_CAPACITY) {
    if (capacity > MOST_ROWS) {
      throw new WalkError({
        code: 'TOO_MANY',
        message: `at most ${MOST_ROWS} extents fit into columns: take them as they are found`,
      });
    }
    this.iovaFrame = new Float64Array(capacity);
    this.frame = new Float64Array(capacity);
    this.frames = new Float64Array(capacity);
    this.bits = new Uint16Array(capacity);
  }

  /** Appends the rows of other columns. @throws WalkError TOO_MANY for more rows than an array can have */
  append(rows: ExtentColumns): void {
    const end = this.length + rows.length;
    if (end > this.bits.length) this.#grow(end);
    this.iovaFrame.set(rows.iovaFrame.subarray(0, rows.length), this.length);
    this.frame.set(rows.frame.subarray(0, rows.length), this.length);
    this.frames.set(rows.frames.subarray(0, rows.length), this.length);
    this.bits.set(rows.bits.subarray(0, rows.length), this.length);
    this.length = end;
  }

  #grow(least: number): void {
    const grown = new ExtentList(Math.max(least, Math.min(MOST_ROWS, 2 * this.bits.length)));
    grown.append(this);
    this.iovaFrame = grown.iovaFrame;
    this.frame = grown.frame;
    this.frames = grown.frames;
    this.bits = grown.bits;
  }
}
