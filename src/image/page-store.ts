// SPDX-License-Identifier: Apache-2.0
import { byteAddress, missing } from './address.js';
import type { ImageMemory, PageCounts, PageVisitor } from './image-memory.js';
import { mergeRuns, type PageRun } from './page-runs.js';
import {
  type MemoryRange,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
  type PhysicalMemory,
  pointSlot,
} from './physical-memory.js';

const PAGE_BYTES = BigInt(PAGE_SIZE);

/**
 * Physical memory that can be written: pages held in this process, over another memory or over nothing. What builders
 * fill, and what a what-if is tried on: an image with a few pages changed or taken away. The memory below is never
 * written to.
 *
 * @example
 * ```ts
 * import { openImage, PageStore } from 'kho-toolkit/image';
 *
 * // What if the root said kho-v3? The image stays as it is.
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const changed = new PageStore(image);
 * changed.write(0x4b7000n, changed.read(0x4b7000n, 4096).map((byte) => (byte === 0x34 ? 0x33 : byte)));
 * image.close();
 * ```
 */
export class PageStore implements ImageMemory {
  readonly #base: PhysicalMemory | undefined;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #dropped = new Set<number>();

  /** @param base what is seen wherever nothing was written */
  constructor(base?: PhysicalMemory) {
    this.#base = base;
  }

  /** Frames of the pages that were written here, in no order. */
  writtenPages(): Iterable<number> {
    return this.#pages.keys();
  }

  /** The page to write to: a copy of what is below, or zeros where nothing is. */
  #writable(pfn: number): Uint8Array {
    const own = this.#pages.get(pfn);
    if (own !== undefined) return own;
    const below = this.page(pfn);
    const page = typeof below === 'string' ? new Uint8Array(PAGE_SIZE) : below.slice();
    this.#pages.set(pfn, page);
    this.#dropped.delete(pfn);
    return page;
  }

  /**
   * Writes bytes from physical address `pa` on. Pages that are not there come into being, zeros around the bytes.
   *
   * @throws ImageError BAD_ARGUMENT, ABSENT for an address beyond any memory
   */
  write(pa: bigint, bytes: Uint8Array): void {
    let at = byteAddress(pa, bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const within = at % PAGE_SIZE;
      const length = Math.min(PAGE_SIZE - within, bytes.length - done);
      this.#writable((at - within) / PAGE_SIZE).set(bytes.subarray(done, done + length), within);
      done += length;
      at += length;
    }
  }

  /** Writes a little-endian u64. @throws ImageError as {@link write} */
  writeU64(pa: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.write(pa, bytes);
  }

  /** Takes over a page without copying it; it must be 4096 bytes long and not change afterwards. */
  putPage(pfn: number, page: Uint8Array): void {
    this.#pages.set(pfn, page);
    this.#dropped.delete(pfn);
  }

  /** Takes a page away: it is absent from now on. */
  drop(pfn: number): void {
    this.#pages.delete(pfn);
    this.#dropped.add(pfn);
  }

  page(pfn: number): Uint8Array | PageMiss {
    const own = this.#pages.get(pfn);
    if (own !== undefined) return own;
    if (this.#base === undefined || this.#dropped.has(pfn)) return 'absent';
    return this.#base.page(pfn);
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    const own = this.#pages.get(pfn);
    if (own !== undefined) {
      pointSlot(slot, own);
      return undefined;
    }
    if (this.#base === undefined || this.#dropped.has(pfn)) return 'absent';
    return this.#base.locate(pfn, slot);
  }

  read(pa: bigint, length: number): Uint8Array {
    const at = byteAddress(pa, length);
    const first = Math.floor(at / PAGE_SIZE);
    const last = Math.floor((at + Math.max(length, 1) - 1) / PAGE_SIZE);
    if (first === last) return this.#part(first, at % PAGE_SIZE, length);
    const bytes = new Uint8Array(length);
    for (let pfn = first, done = 0; pfn <= last; pfn++) {
      const within = pfn === first ? at % PAGE_SIZE : 0;
      const part = this.#part(pfn, within, Math.min(PAGE_SIZE - within, length - done));
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** Bytes within one page, which may be one that the memory below holds only a part of. */
  #part(pfn: number, within: number, length: number): Uint8Array {
    const page = this.page(pfn);
    if (typeof page !== 'string') return page.subarray(within, within + length);
    const address = BigInt(pfn) * PAGE_BYTES + BigInt(within);
    if (this.#base === undefined || this.#dropped.has(pfn)) throw missing(address, page);
    return this.#base.read(address, length);
  }

  u64(pa: bigint): bigint {
    const bytes = this.read(pa, 8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  *ranges(): Generator<MemoryRange, void> {
    // Pages that were written or taken away cut holes into the ranges below; written ones are ranges of their own.
    const changed = mergeRuns([...this.#pages.keys(), ...this.#dropped].map((pfn) => ({ pfn, count: 1 })));
    const written = mergeRuns([...this.#pages.keys()].map((pfn) => ({ pfn, count: 1 }))).map(asRange);
    yield* joined(inOrder(without(this.#base?.ranges() ?? [], changed.map(asRange)), written));
  }

  counts(): PageCounts {
    const counts = { present: 0, excluded: 0 };
    for (const { pfn, count, state } of this.#wholePages()) {
      if (count > 0 && pfn >= 0) counts[state] += count;
    }
    return counts;
  }

  stream(visit: PageVisitor): void {
    for (const { pfn, count, state } of this.#wholePages()) {
      if (state === 'excluded') continue;
      for (let at = pfn; at < pfn + count; at++) {
        const page = this.page(at);
        if (typeof page !== 'string' && !visit(at, page)) return;
      }
    }
  }

  *#wholePages(): Generator<PageRun & { readonly state: MemoryRange['state'] }> {
    for (const { start, end, state } of this.ranges()) {
      const pfn = Number((start + PAGE_BYTES - 1n) >> BigInt(PAGE_SHIFT));
      yield { pfn, count: Math.max(0, Number(end >> BigInt(PAGE_SHIFT)) - pfn), state };
    }
  }
}

function asRange({ pfn, count }: PageRun): MemoryRange {
  const start = BigInt(pfn) * PAGE_BYTES;
  return { start, end: start + BigInt(count) * PAGE_BYTES, state: 'present' };
}

/** `ranges` without the bytes of `holes`; both ascending. */
function* without(ranges: Iterable<MemoryRange>, holes: readonly MemoryRange[]): Generator<MemoryRange> {
  let index = 0;
  for (const { start, end, state } of ranges) {
    let at = start;
    for (let hole = holes[index]; hole !== undefined && hole.start < end; hole = holes[index]) {
      if (hole.start > at) yield { start: at, end: hole.start, state };
      if (hole.end > at) at = hole.end;
      if (hole.end > end) break;
      index++;
    }
    if (at < end) yield { start: at, end, state };
  }
}

/** Two ascending lists of disjoint ranges as one. */
function* inOrder(left: Iterable<MemoryRange>, right: readonly MemoryRange[]): Generator<MemoryRange> {
  let index = 0;
  for (const range of left) {
    for (let other = right[index]; other !== undefined && other.start < range.start; other = right[index]) {
      yield other;
      index++;
    }
    yield range;
  }
  yield* right.slice(index);
}

/** Neighbours of the same state made one. */
function* joined(ranges: Iterable<MemoryRange>): Generator<MemoryRange> {
  let open: MemoryRange | undefined;
  for (const range of ranges) {
    if (open !== undefined && open.end === range.start && open.state === range.state) {
      open = { ...open, end: range.end };
    } else {
      if (open !== undefined) yield open;
      open = range;
    }
  }
  if (open !== undefined) yield open;
}
