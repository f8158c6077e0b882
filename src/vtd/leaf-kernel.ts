// SPDX-License-Identifier: Apache-2.0
import { type EntryMasks, formatMasks, mappingBits } from './entry-masks.js';
import type { ExtentColumns } from './extents.js';
import { LEAF_KERNEL_BYTES } from './leaf-kernel-bytes.js';
import { LEVEL_SHIFT, type PagingFormat } from './paging-format.js';

/** The meaning of an entry that is there, besides the bits of its extent. */
const PRESENT = 0x4000;
/** The meaning of an entry that breaks no rule. */
const CLEAN = 0x8000;

/** What {@link LeafKernel.table} returns for a table in which something is wrong, besides the number of rows. */
export const WRONG: number = -0x8000_0000;

// The part of WebAssembly's interface that is used: this floor knows no globals of a platform.
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: KernelExports };
}
interface WasmConstant {
  readonly value: number;
}
interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly entries: WasmConstant;
  readonly lowMeaning: WasmConstant;
  readonly highMeaning: WasmConstant;
  readonly iovaFrame: WasmConstant;
  readonly frame: WasmConstant;
  readonly frames: WasmConstant;
  readonly bits: WasmConstant;
  readonly rowRoom: WasmConstant;
  readonly reset: (beyond: bigint) => void;
  readonly leaves: () => number;
  readonly extents: () => number;
  readonly joinFrames: () => void;
  readonly keepLast: () => void;
  readonly map: (iovaFrame: number, frame: number, frames: number, bits: number) => number;
  readonly table: (iovaFrame: number, path: number, first: number, last: number) => number;
}
declare const WebAssembly: Wasm;

/** Rows of extents, each either done or the last and open to be continued. */
export interface KernelRows extends ExtentColumns {
  length: number;
}

/** The inner loop of the walk in memory of its own; leaf-kernel.wat is what runs. */
export class LeafKernel {
  /** Where the 4096 bytes of a level 1 table go before {@link table} is called. */
  readonly entries: Uint8Array;
  /** The rows; `length` is for the caller to set. */
  readonly rows: KernelRows;
  /** How many rows there may be before a call of {@link table} or {@link map}. */
  readonly rowLimit: number;
  /**
   * Adds the rows of the table in {@link entries}: of entries `first` to `last` - 1.
   *
   * @param iovaFrame IOVA / 4096 of entry 0
   * @param path what {@link leafPath} makes of the bits that the tables above leave
   * @returns the number of rows, plus {@link WRONG}
   */
  readonly table: (iovaFrame: number, path: number, first: number, last: number) => number;
  /** Adds one mapping, in frames of 4 KiB; returns the number of rows. */
  readonly map: (iovaFrame: number, frame: number, frames: number, bits: number) => number;
  /** Forgets all rows but the last. */
  readonly keepLast: () => void;
  /** How many level 1 leaves there were since {@link start}. */
  readonly leaves: () => number;
  /** How many extents there were since {@link start}, joined or not. */
  readonly extents: () => number;
  /**
   * From here on until the next {@link start}, extents of the same bits whose IOVAs go on are one row, wherever they
   * lead: `frame` tells of the first page only.
   */
  readonly joinFrames: () => void;
  readonly #reset: (beyond: bigint) => void;
  readonly #low: Uint16Array;
  readonly #high: Uint16Array;
  #format: PagingFormat | undefined;

  constructor() {
    const { exports } = new WebAssembly.Instance(compiledKernel());
    const { buffer } = exports.memory;
    const room = exports.rowRoom.value;
    this.entries = new Uint8Array(buffer, exports.entries.value, 4096);
    this.rows = {
      length: 0,
      iovaFrame: new Float64Array(buffer, exports.iovaFrame.value, room),
      frame: new Float64Array(buffer, exports.frame.value, room),
      frames: new Float64Array(buffer, exports.frames.value, room),
      bits: new Uint16Array(buffer, exports.bits.value, room),
    };
    this.rowLimit = room - 512;
    this.table = exports.table;
    this.map = exports.map;
    this.keepLast = exports.keepLast;
    this.leaves = exports.leaves;
    this.extents = exports.extents;
    this.joinFrames = exports.joinFrames;
    this.#reset = exports.reset;
    this.#low = new Uint16Array(buffer, exports.lowMeaning.value, 4096);
    this.#high = new Uint16Array(buffer, exports.highMeaning.value, 4096);
  }

  /** Makes it ready for a walk. @param beyond address bits that the platform lacks: none below one that it has */
  start(format: PagingFormat, beyond: bigint): void {
    this.#reset(beyond);
    if (this.#format === format) return;
    const masks = formatMasks(format).levels[0]?.leaf;
    if (masks !== undefined) fillMeanings(format, masks, this.#low, this.#high);
    this.#format = format;
  }
}

/** What the kernel wants to know of the tables above a leaf. @param path mapping bits that all of them leave */
export function leafPath(path: number): number {
  return (path & ((1 << LEVEL_SHIFT) - 1)) | (1 << LEVEL_SHIFT) | PRESENT | CLEAN;
}

let kernelModule: object | undefined;

function compiledKernel(): object {
  kernelModule ??= new WebAssembly.Module(Uint8Array.from(LEAF_KERNEL_BYTES));
  return kernelModule;
}

/** What bits 11:0 and 63:52 of a leaf mean, each by all values they can have; the AND of both is the meaning. */
function fillMeanings(format: PagingFormat, masks: EntryMasks, low: Uint16Array, high: Uint16Array): void {
  // Flags that the other half holds must not be decided here.
  const inLow = masks.flags.reduce((all, flag) => (flag.low === 0 ? all : all | flag.mapping), 0);
  const inHigh = masks.flags.reduce((all, flag) => (flag.high === 0 ? all : all | flag.mapping), 0);
  const frame = 1 << LEVEL_SHIFT;
  for (let bits = 0; bits < 4096; bits++) {
    const present = (bits & format.present) !== 0;
    const clean = present ? (bits & masks.reserved.low) === 0 : !format.absentIsZero;
    low[bits] =
      (mappingBits(masks, bits, 0) & inLow) | inHigh | frame | (present ? PRESENT : 0) | (clean ? CLEAN : 0);
    const top = (bits << 20) >>> 0;
    high[bits] =
      (mappingBits(masks, 0, top) & inHigh) |
      inLow |
      frame |
      PRESENT |
      ((top & masks.reserved.high) === 0 ? CLEAN : 0);
  }
}

const idle: LeafKernel[] = [];

/** Lends a kernel to `work`: they are costly to make, and one walk may start another. */
export function withLeafKernel<Result>(work: (kernel: LeafKernel) => Result): Result {
  const kernel = idle.pop() ?? new LeafKernel();
  try {
    return work(kernel);
  } finally {
    idle.push(kernel);
  }
}
