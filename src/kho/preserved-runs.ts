// SPDX-License-Identifier: Apache-2.0
import { NumberColumn } from '../bytes/number-column.js';

/** Page orders that an address of 64 bits has room for. */
export const ORDERS = 53;

/** Runs of one page order, in the order in which they were found. */
class OrderRuns {
  readonly starts = new NumberColumn();
  readonly blocks = new NumberColumn();
  /** Whether every run starts behind the one before. */
  isSorted = true;
}

/** Runs of preserved blocks by ascending start, and of one start the largest order first. Columns of equal length. */
export interface RunColumns {
  /** Page frame of the first block. */
  readonly starts: Float64Array;
  /** Page order of all blocks of the run: 2^order pages each. */
  readonly orders: Uint8Array;
  /** How many blocks follow one another. */
  readonly blocks: Float64Array;
}

/** Collects runs of blocks while a map of preserved memory is read, and sorts them. */
export class RunBuilder {
  readonly #byOrder = new Map<number, OrderRuns>();
  /** Runs so far. */
  count = 0;

  /** `blocks` blocks of 2^order pages from page frame `start` on. */
  add(order: number, start: number, blocks: number): void {
    let runs = this.#byOrder.get(order);
    if (runs === undefined) {
      runs = new OrderRuns();
      this.#byOrder.set(order, runs);
    }
    const last = runs.starts.length - 1;
    const end = last < 0 ? -1 : runs.starts.at(last) + runs.blocks.at(last) * 2 ** order;
    if (start === end) {
      runs.blocks.replaceLast(runs.blocks.at(last) + blocks);
      return;
    }
    if (start < end) runs.isSorted = false;
    runs.starts.push(start);
    runs.blocks.push(blocks);
    this.count++;
  }

  /** All runs, in time linear in their number unless an order's came out of order. */
  build(): RunColumns {
    const lists = [...this.#byOrder]
      .sort(([a], [b]) => b - a)
      .map(([order, runs]) => ({ order, next: 0, ...sorted(runs) }));
    const starts = new Float64Array(this.count);
    const blocks = new Float64Array(this.count);
    const orders = new Uint8Array(this.count);
    for (let at = 0; at < this.count; at++) {
      let best = lists[0];
      let lowest = Number.POSITIVE_INFINITY;
      // At most 53 lists; of equal starts the larger order wins, since it comes first.
      for (const list of lists) {
        const start =
          list.next < list.starts.length ? (list.starts[list.next] ?? 0) : Number.POSITIVE_INFINITY;
        if (start < lowest) {
          best = list;
          lowest = start;
        }
      }
      if (best === undefined) break;
      starts[at] = lowest;
      blocks[at] = best.blocks[best.next] ?? 0;
      orders[at] = best.order;
      best.next++;
    }
    return { starts, orders, blocks };
  }
}

function sorted(runs: OrderRuns): { readonly starts: Float64Array; readonly blocks: Float64Array } {
  const starts = runs.starts.toArray();
  const blocks = runs.blocks.toArray();
  if (runs.isSorted) return { starts, blocks };
  const order = Uint32Array.from(starts, (_, index) => index).sort(
    (a, b) => (starts[a] ?? 0) - (starts[b] ?? 0),
  );
  return {
    starts: Float64Array.from(order, (index) => starts[index] ?? 0),
    blocks: Float64Array.from(order, (index) => blocks[index] ?? 0),
  };
}

/** Told a run of set bits: number of the first, and how many. */
export type BitRunSink = (first: number, count: number) => void;

/** Visits the runs of set bits, lowest bit of the first byte first. `bytes.length` is a multiple of 4. */
export function bitRuns(bytes: Uint8Array, sink: BitRunSink): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = -1;
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getUint32(at, true);
    const bit = at * 8;
    if (word === 0) {
      if (start >= 0) sink(start, bit - start);
      start = -1;
    } else if (word === 0xffff_ffff) {
      if (start < 0) start = bit;
    } else {
      for (let b = 0; b < 32; b++) {
        if (((word >>> b) & 1) === 1) {
          if (start < 0) start = bit + b;
        } else if (start >= 0) {
          sink(start, bit + b - start);
          start = -1;
        }
      }
    }
  }
  if (start >= 0) sink(start, bytes.length * 8 - start);
}
