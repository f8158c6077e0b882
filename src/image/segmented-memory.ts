// SPDX-License-Identifier: Apache-2.0
import { byteAddress, missing, rethrowAt } from './address.js';
import type { ByteSource, MappedWindow } from './byte-source.js';
import type { ImageMemory, PageCounts, PageVisitor } from './image-memory.js';
import { findInterval } from './interval-map.js';
import {
  type MemoryRange,
  newPageSlot,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
  pointSlot,
} from './physical-memory.js';
import type { Segments } from './segments.js';

const STREAM_BYTES = 0x10_0000;
const NO_WINDOW: MappedWindow = {
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  start: 0,
};

/**
 * Memory whose bytes lie uncompressed in the file, in segments: raw, ELF core, LiME and AVML images. Addresses and
 * file offsets are numbers here; both stay below 2^53.
 */
export class SegmentedMemory implements ImageMemory {
  readonly #source: ByteSource;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  /** File offset of each segment's first byte; -1 where the dumper left the contents out. */
  readonly #offsets: Float64Array;
  readonly #slot: PageSlot = newPageSlot();
  // The present segment that was used last: pages are asked for in runs.
  #start = 0;
  #end = 0;
  #shift = 0;
  // What of it lies in one window of a mapping: addresses at which whole pages start, and where its byte 0 would be.
  #windowFirst = 0;
  #windowLast = -1;
  #windowBase = 0;
  #window: MappedWindow = NO_WINDOW;

  constructor(source: ByteSource, segments: Segments) {
    this.#source = source;
    this.#starts = segments.starts;
    this.#ends = segments.ends;
    this.#offsets = segments.offsets;
  }

  /** Makes the present segment that holds all of [at, at + length) the current one; false when there is none. */
  #select(at: number, length: number): boolean {
    const index = findInterval(this.#starts, at);
    const offset = this.#offsets[index] ?? -1;
    const end = this.#ends[index] ?? 0;
    if (offset < 0 || at + length > end) return false;
    this.#start = this.#starts[index] ?? 0;
    this.#end = end;
    this.#shift = offset - this.#start;
    return true;
  }

  #holds(at: number, length: number): boolean {
    return (at >= this.#start && at + length <= this.#end) || this.#select(at, length);
  }

  /** Makes the window that holds the page at `at`, which is present, the current one. */
  #selectWindow(at: number): void {
    const window = this.#source.windowAt(at + this.#shift);
    if (window === undefined) return;
    const base = window.start - this.#shift;
    this.#window = window;
    this.#windowBase = base;
    this.#windowFirst = Math.max(this.#start, base);
    this.#windowLast = Math.min(this.#end, base + window.bytes.length) - PAGE_SIZE;
  }

  page(pfn: number): Uint8Array | PageMiss {
    const at = pfn * PAGE_SIZE;
    if (at >= this.#windowFirst && at <= this.#windowLast) {
      const offset = at - this.#windowBase;
      return this.#window.bytes.subarray(offset, offset + PAGE_SIZE);
    }
    if (!this.#holds(at, PAGE_SIZE)) {
      const miss = this.#firstMiss(at, at + PAGE_SIZE);
      return miss === undefined ? this.#assemble(at, PAGE_SIZE) : miss.why;
    }
    try {
      this.#selectWindow(at);
      return this.#source.view(at + this.#shift, PAGE_SIZE);
    } catch (error) {
      rethrowAt(error, at);
    }
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    const at = pfn * PAGE_SIZE;
    if (at >= this.#windowFirst && at <= this.#windowLast) {
      if (slot.bytes !== this.#window.bytes) {
        slot.bytes = this.#window.bytes;
        slot.view = this.#window.view;
      }
      slot.offset = at - this.#windowBase;
      return undefined;
    }
    return this.#locateElsewhere(at, slot);
  }

  #locateElsewhere(at: number, slot: PageSlot): PageMiss | undefined {
    if (!this.#holds(at, PAGE_SIZE)) {
      const page = this.page(at / PAGE_SIZE);
      if (typeof page === 'string') return page;
      pointSlot(slot, page);
      return undefined;
    }
    try {
      this.#selectWindow(at);
      this.#source.locate(at + this.#shift, PAGE_SIZE, slot);
    } catch (error) {
      rethrowAt(error, at);
    }
    return undefined;
  }

  read(pa: bigint, length: number): Uint8Array {
    const at = byteAddress(pa, length);
    if (!this.#holds(at, length)) {
      const miss = this.#firstMiss(at, at + length);
      if (miss !== undefined) throw missing(BigInt(miss.at), miss.why);
      return this.#assemble(at, length);
    }
    try {
      return this.#source.view(at + this.#shift, length);
    } catch (error) {
      rethrowAt(error, at);
    }
  }

  u64(pa: bigint): bigint {
    const at = byteAddress(pa, 8);
    if (!this.#holds(at, 8)) {
      const bytes = this.read(pa, 8);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    }
    try {
      this.#source.locate(at + this.#shift, 8, this.#slot);
    } catch (error) {
      rethrowAt(error, at);
    }
    return this.#slot.view.getBigUint64(this.#slot.offset, true);
  }

  /** The first byte of [at, end) that no present segment holds, and why. */
  #firstMiss(at: number, end: number): { at: number; why: PageMiss } | undefined {
    let index = Math.max(0, findInterval(this.#starts, at));
    let covered = at;
    while (covered < end) {
      // Behind the last segment there is none, however high the address.
      if ((this.#ends[index] ?? Number.POSITIVE_INFINITY) <= covered) {
        index++;
        continue;
      }
      if ((this.#starts[index] ?? Number.POSITIVE_INFINITY) > covered) return { at: covered, why: 'absent' };
      if ((this.#offsets[index] ?? -1) < 0) return { at: covered, why: 'excluded' };
      covered = this.#ends[index] ?? end;
    }
    return undefined;
  }

  /** A copy of bytes that are all present but lie in several segments. */
  #assemble(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#fill(at, bytes);
    return bytes;
  }

  #fill(at: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      this.#select(at + done, 1);
      const count = Math.min(target.length - done, this.#end - (at + done));
      try {
        this.#source.readInto(at + done + this.#shift, target.subarray(done, done + count));
      } catch (error) {
        rethrowAt(error, at + done);
      }
      done += count;
    }
  }

  /** Merged runs of one state: [start, end, present] in bytes. */
  *#runs(): Generator<readonly [start: number, end: number, present: boolean]> {
    for (let index = 0; index < this.#starts.length; ) {
      const start = this.#starts[index] ?? 0;
      const present = (this.#offsets[index] ?? -1) >= 0;
      let end = this.#ends[index] ?? 0;
      while (
        ++index < this.#starts.length &&
        this.#starts[index] === end &&
        (this.#offsets[index] ?? -1) >= 0 === present
      ) {
        end = this.#ends[index] ?? 0;
      }
      yield [start, end, present];
    }
  }

  *ranges(): Generator<MemoryRange> {
    for (const [start, end, present] of this.#runs()) {
      yield { start: BigInt(start), end: BigInt(end), state: present ? 'present' : 'excluded' };
    }
  }

  counts(): PageCounts {
    let present = 0;
    let excluded = 0;
    for (const [start, end, isPresent] of this.#runs()) {
      const pages = Math.max(0, Math.floor(end / PAGE_SIZE) - Math.ceil(start / PAGE_SIZE));
      if (isPresent) present += pages;
      else excluded += pages;
    }
    return { present, excluded };
  }

  stream(visit: PageVisitor): void {
    const buffer = new Uint8Array(STREAM_BYTES);
    for (const [start, end, present] of this.#runs()) {
      if (!present) continue;
      const stop = Math.floor(end / PAGE_SIZE) * PAGE_SIZE;
      for (let at = Math.ceil(start / PAGE_SIZE) * PAGE_SIZE; at < stop; ) {
        const bytes = buffer.subarray(0, Math.min(STREAM_BYTES, stop - at));
        this.#fill(at, bytes);
        if (!visit(at / PAGE_SIZE, bytes)) return;
        at += bytes.length;
      }
    }
  }
}
