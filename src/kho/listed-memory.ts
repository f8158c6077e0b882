// SPDX-License-Identifier: Apache-2.0
// Does the `mem` of an RFC domain list the pages of its tables, and nothing else? The RFC's own recursion
// (save_pte_pages of <20240916113102.710522-10-jgowans@amazon.com>) begins one level off: it leaves out tables and lists
// data pages instead.
import { firstWhere } from '../bytes/first-where.js';
import { type ExtentColumns, leafSize } from '../vtd/extents.js';
import { TableSet } from '../vtd/table-set.js';
import type { WalkResult } from '../vtd/walk-result.js';

const PAGE = 4096n;
/** In the place of a table's level: it is listed. */
const LISTED = 0xff;

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
 * Compares a list of pages with the tables of a walk.
 *
 * @param list - frames of the listed pages, in the order of the list
 * @param tablePages - of the walk
 * @param walkAgain - hands over the mappings once more, for the listed pages that are no tables; else it is not called
 * @returns the faults: listed pages by address, then missing tables from the top level down
 */
export function listFaults(
  list: Float64Array,
  tablePages: WalkResult['tablePages'],
  walkAgain: (extents: (rows: ExtentColumns) => void) => void,
): ListFault[] {
  const tables = new TableSet();
  tablePages.forEach((frames, at) => {
    for (const frame of frames) tables.add(frame, at + 1);
  });
  const positions = new Map<number, number>();
  list.forEach((frame, element) => {
    if (tables.level(frame) !== 0) tables.add(frame, LISTED);
    else if (!positions.has(frame)) positions.set(frame, element);
  });
  const extra = [...positions.keys()].sort((a, b) => a - b);
  const leaves = extra.length === 0 ? [] : leavesTo(extra, walkAgain);
  const faults = extra.map((frame, at): ListFault => {
    const leaf = leaves[at];
    const kind = leaf === undefined ? 'stranger' : leaf.size > 4096 ? 'part-of-leaf' : 'data-page';
    return {
      kind,
      address: BigInt(frame) * PAGE,
      element: positions.get(frame),
      level: undefined,
      iova: leaf?.iova,
    };
  });
  for (let level = tablePages.length; level > 0; level--) {
    for (const frame of tablePages[level - 1] ?? []) {
      if (tables.level(frame) === LISTED) continue;
      const address = BigInt(frame) * PAGE;
      faults.push({ kind: 'missing-table', address, element: undefined, level, iova: undefined });
    }
  }
  return faults;
}

/** A leaf that leads to a listed page. */
interface Leaf {
  readonly iova: bigint;
  /** In bytes. */
  readonly size: number;
}

/** The first leaf that leads to each of some frames, which ascend. */
function leavesTo(
  wanted: readonly number[],
  walkAgain: (extents: (rows: ExtentColumns) => void) => void,
): (Leaf | undefined)[] {
  const leaves: (Leaf | undefined)[] = Array.from(wanted, () => undefined);
  const low = wanted[0] ?? 0;
  const high = wanted.at(-1) ?? 0;
  walkAgain(({ length, frame, frames, iovaFrame, bits }) => {
    for (let row = 0; row < length; row++) {
      const from = frame[row] ?? 0;
      const to = from + (frames[row] ?? 0);
      if (from > high || to <= low) continue;
      const first = firstWhere(0, wanted.length, (index) => (wanted[index] ?? 0) >= from);
      for (let at = first; (wanted[at] ?? to) < to; at++) {
        const iova = BigInt((iovaFrame[row] ?? 0) + (wanted[at] ?? 0) - from) * PAGE;
        leaves[at] ??= { iova, size: leafSize(bits[row] ?? 0) };
      }
    }
  });
  return leaves;
}
