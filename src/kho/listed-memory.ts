// SPDX-License-Identifier: Apache-2.0
// Does the `mem` of an RFC domain list the pages of its tables, and nothing else? The RFC's own recursion
// (save_pte_pages of <20240916113102.710522-10-jgowans@amazon.com>) begins one level off: it leaves out tables and lists
// data pages instead.
import { type ExtentColumns, leafSize } from '../vtd/extents.js';
import type { WalkResult } from '../vtd/walk-result.js';

const PAGE = 4096n;

/**
 * What is wrong with a list:
 *
 * - `missing-table`: a table page that devices read is not listed
 * - `data-page`: a page that devices read or write, no table, is listed
 * - `part-of-leaf`: the same, of a 2 MiB or 1 GiB leaf of which only 4096 bytes are listed
 * - `stranger`: a listed page is neither a table nor mapped
 */
export type ListFaultKind = 'missing-table' | 'data-page' | 'part-of-leaf' | 'stranger';

/** One fault of a list. */
export interface ListFault {
  readonly kind: ListFaultKind;
  /** Physical address of the page. */
  readonly address: bigint;
  /** Position in the list; `undefined` for what is missing. */
  readonly element: number | undefined;
  /** Level of a missing table. */
  readonly level: number | undefined;
  /** IOVA of the first leaf found that leads to a data page. */
  readonly iova: bigint | undefined;
}

/**
 * Compares a list of pages with the tables of a walk. Give {@link take} to the walk as its `extents`, beside whoever else
 * wants them, then ask {@link finish}.
 */
export class ListedMemoryCheck {
  /** Frames of whole listed pages, ascending, each once, and their first position in the list. */
  readonly #frames: Float64Array;
  readonly #positions: Uint32Array;
  /** IOVA frame of a leaf that leads to each; -1 while there is none. */
  readonly #iovas: Float64Array;
  readonly #leafSizes: Float64Array;
  readonly #faults: ListFault[] = [];
  readonly #low: number;
  readonly #high: number;

  /** @param list frames of the listed pages, in the order of the list */
  constructor(list: Float64Array) {
    const first = new Map<number, number>();
    list.forEach((frame, element) => {
      if (!first.has(frame)) first.set(frame, element);
    });
    this.#frames = Float64Array.from(first.keys()).sort();
    this.#positions = Uint32Array.from(this.#frames, (frame) => first.get(frame) ?? 0);
    this.#iovas = new Float64Array(this.#frames.length).fill(-1);
    this.#leafSizes = new Float64Array(this.#frames.length);
    this.#low = this.#frames[0] ?? Number.POSITIVE_INFINITY;
    this.#high = this.#frames.at(-1) ?? -1;
  }

  /** Looks for listed pages among what leaves lead to. */
  readonly take = (rows: ExtentColumns): void => {
    const { frame, frames, iovaFrame, bits } = rows;
    for (let row = 0; row < rows.length; row++) {
      const from = frame[row] ?? 0;
      const to = from + (frames[row] ?? 0);
      if (from > this.#high || to <= this.#low) continue;
      for (let at = this.#search(from); (this.#frames[at] ?? to) < to; at++) {
        if ((this.#iovas[at] ?? 0) >= 0) continue;
        this.#iovas[at] = (iovaFrame[row] ?? 0) + (this.#frames[at] ?? 0) - from;
        this.#leafSizes[at] = leafSize(bits[row] ?? 0);
      }
    }
  };

  /** Index of the first listed frame at or behind `frame`. */
  #search(frame: number): number {
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#frames[middle] ?? 0) < frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Ends the comparison. @returns the faults: listed pages by address, then missing tables from the top level down */
  finish({ tablePages }: Pick<WalkResult, 'tablePages'>): readonly ListFault[] {
    const tables = new Set<number>();
    for (const pages of tablePages) for (const frame of pages) tables.add(frame);
    this.#frames.forEach((frame, at) => {
      if (tables.has(frame)) return;
      const iovaFrame = this.#iovas[at] ?? -1;
      const kind =
        iovaFrame < 0 ? 'stranger' : (this.#leafSizes[at] ?? 0) > 4096 ? 'part-of-leaf' : 'data-page';
      const iova = iovaFrame < 0 ? undefined : BigInt(iovaFrame) * PAGE;
      this.#tell(kind, BigInt(frame) * PAGE, this.#positions[at] ?? 0, { iova });
    });
    for (let level = tablePages.length; level > 0; level--) {
      for (const frame of tablePages[level - 1] ?? []) {
        if (this.#frames[this.#search(frame)] === frame) continue;
        this.#tell('missing-table', BigInt(frame) * PAGE, undefined, { level });
      }
    }
    return this.#faults;
  }

  #tell(
    kind: ListFaultKind,
    address: bigint,
    element: number | undefined,
    { level, iova }: { level?: number; iova?: bigint | undefined } = {},
  ): void {
    this.#faults.push({ kind, address, element, level, iova });
  }
}
