// SPDX-License-Identifier: Apache-2.0
// Physical memory by what it is for, as columns that can be drawn to scale and handed to another thread.
import { NumberColumn } from '../bytes/number-column.js';
import type { Handover } from '../kho/handover.js';
import type { ReachKind } from '../kho/reach.js';

/** Disjoint intervals of page frames by ascending start. */
export interface FrameIntervals {
  readonly starts: Float64Array;
  /** Frame behind the last one. */
  readonly ends: Float64Array;
}

/** Preserved runs by ascending start; runs of a damaged map may overlap. */
export interface PreservedLane extends FrameIntervals {
  /** Page order of each. */
  readonly orders: Uint8Array;
}

/** What lies where. */
export interface MemoryLanes {
  /** Memory that the image knows of, contents or not. */
  readonly known: FrameIntervals;
  /** Memory whose contents the image holds. */
  readonly held: FrameIntervals;
  readonly scratch: FrameIntervals;
  readonly preserved: PreservedLane;
  /** Contents of files, and regions reserved by name. */
  readonly contents: FrameIntervals;
  /** Root, blobs, structs, pages of arrays, and the map of preserved memory. */
  readonly own: FrameIntervals;
  /** Page tables of domains, root, context and PASID tables. */
  readonly tables: FrameIntervals;
}

const OWN: ReadonlySet<ReachKind> = new Set(['root', 'blob', 'struct', 'page']);
const CONTENTS: ReadonlySet<ReachKind> = new Set(['folio', 'region']);
/** Page frames below 2^52 bytes. */
const FRAMES = 2 ** 40;

class Collector {
  readonly #starts = new NumberColumn();
  readonly #ends = new NumberColumn();

  add(start: number, pages: number): void {
    if (pages <= 0 || start < 0 || start + pages > FRAMES) return;
    this.#starts.push(start);
    this.#ends.push(start + pages);
  }

  /** The intervals, those that touch or overlap made one. Takes O(n log n). */
  build(): FrameIntervals {
    const starts = this.#starts.toArray();
    const ends = this.#ends.toArray();
    const order = Uint32Array.from(starts, (_, row) => row);
    if (!isAscending(starts)) order.sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0));
    const out = { starts: new NumberColumn(), ends: new NumberColumn() };
    let reached = -1;
    for (const row of order) {
      const start = starts[row] ?? 0;
      const end = ends[row] ?? 0;
      if (start > reached) {
        out.starts.push(start);
        out.ends.push(end);
        reached = end;
      } else if (end > reached) {
        out.ends.replaceLast(end);
        reached = end;
      }
    }
    return { starts: out.starts.toArray().slice(), ends: out.ends.toArray().slice() };
  }
}

function isAscending(values: Float64Array): boolean {
  for (let at = 1; at < values.length; at++) if ((values[at - 1] ?? 0) > (values[at] ?? 0)) return false;
  return true;
}

/** Sorts physical memory by what it is for. Walks the page tables where that was not done before. */
export function memoryLanes(handover: Handover): MemoryLanes {
  const known = new Collector();
  const held = new Collector();
  if (!handover.partial)
    for (const { start, end, state } of handover.memory.ranges()) {
      const first = Math.floor(Number(start) / 4096);
      const pages = Math.ceil(Number(end) / 4096) - first;
      known.add(first, pages);
      if (state === 'present') held.add(first, pages);
    }
  const scratch = new Collector();
  for (const { address, size } of handover.scratch.regions ?? [])
    scratch.add(Math.floor(Number(address) / 4096), Math.ceil(Number(size) / 4096));
  const contents = new Collector();
  const own = new Collector();
  const tables = new Collector();
  const { reach, preserved } = handover;
  for (let run = 0; run < reach.count; run++) {
    const kind = reach.kind(run);
    const lane = OWN.has(kind) ? own : CONTENTS.has(kind) ? contents : tables;
    // Where a root without an image lay is not known.
    if (!(handover.partial && kind === 'root')) lane.add(reach.pfn(run), reach.pages(run));
  }
  for (const pfn of preserved?.nodes ?? []) own.add(pfn, 1);
  for (const { result } of handover.walks)
    for (const pages of result?.tablePages ?? []) for (const pfn of pages) tables.add(pfn, 1);
  return {
    known: known.build(),
    held: held.build(),
    scratch: scratch.build(),
    preserved: preservedLane(handover),
    contents: contents.build(),
    own: own.build(),
    tables: tables.build(),
  };
}

function preservedLane({ preserved, partial }: Handover): PreservedLane {
  if (preserved === undefined || (partial && preserved.form !== 'mem'))
    return { starts: new Float64Array(0), ends: new Float64Array(0), orders: new Uint8Array(0) };
  const { starts, orders } = preserved.runs;
  return {
    starts: starts.slice(),
    ends: Float64Array.from(starts, (_, run) => preserved.end(run)),
    orders: orders.slice(),
  };
}

/** The first interval that ends behind `frame`; the count where none does. Takes O(log n). */
export function firstEndingAfter({ ends }: FrameIntervals, frame: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) <= frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many page frames the intervals hold. */
export function framesIn({ starts, ends }: FrameIntervals): number {
  let sum = 0;
  for (let at = 0; at < starts.length; at++) sum += (ends[at] ?? 0) - (starts[at] ?? 0);
  return sum;
}
