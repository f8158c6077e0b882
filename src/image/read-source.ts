// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from './byte-source.js';
import { type ImageFile, shortRead } from './image-file.js';
import { newPageSlot, PAGE_SIZE, type PageSlot, pointSlot } from './physical-memory.js';
import { RecentCache } from './recent-cache.js';

/** Pages kept: 16 MiB of them. */
const PAGES = 4096;
/** Small reads (header fields, page descriptors, compressed pages) share windows that start at multiples of this. */
const STRIDE = 0x1000;
/** Windows reach into the next one, so that whatever is smaller than a page lies within one. */
const WINDOW = 2 * STRIDE;
/** Windows kept for small reads. */
const WINDOWS = 256;
/** Buffers are cut from slabs, since allocating each for itself takes longer than filling it. */
const SLAB = 0x1_0000;

/** Bytes of the file that are in memory: `length` of them from `start` in a slab. */
interface Window {
  readonly slab: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly length: number;
}

/**
 * A file reached by positioned reads. Pages, at whatever offset they start, are read exactly and the last ones kept.
 * Memory that falls out of use is left to the garbage collector and never filled again, since somebody may still hold
 * a view of it. Truncation of the file at any moment is a TRUNCATED error of the read that meets it.
 */
export class ReadSource implements ByteSource {
  readonly io = 'read';
  readonly size: number;
  readonly stored: number;
  readonly #file: ImageFile;
  readonly #pages = new RecentCache<Window>(PAGES);
  readonly #windows = new RecentCache<Window>(WINDOWS);
  readonly #slot = newPageSlot();
  #slab = Buffer.alloc(0);
  #slabView = new DataView(this.#slab.buffer, 0, 0);
  #slabUsed = 0;

  constructor(file: ImageFile) {
    this.#file = file;
    this.size = file.size;
    this.stored = file.size;
  }

  view(offset: number, length: number): Uint8Array {
    this.locate(offset, length, this.#slot);
    const { view, offset: start } = this.#slot;
    return new Uint8Array(view.buffer, view.byteOffset + start, length);
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    if (offset + length > this.size) throw shortRead(offset, length, Math.max(0, this.size - offset));
    if (length === PAGE_SIZE) {
      const page = this.#pages.get(offset) ?? this.#load(this.#pages, offset, offset, PAGE_SIZE);
      if (page.length < PAGE_SIZE) throw shortRead(offset, length, page.length);
      slot.bytes = page.slab;
      slot.view = page.view;
      slot.offset = page.start;
      return;
    }
    const index = Math.floor(offset / STRIDE);
    const start = offset - index * STRIDE;
    if (start + length > WINDOW) {
      const bytes = new Uint8Array(length);
      this.readInto(offset, bytes);
      pointSlot(slot, bytes);
      return;
    }
    const whole = Math.min(WINDOW, this.size - index * STRIDE);
    const window = this.#windows.get(index) ?? this.#load(this.#windows, index, index * STRIDE, whole);
    if (start + length > window.length) throw shortRead(offset, length, Math.max(0, window.length - start));
    slot.bytes = window.slab;
    slot.view = window.view;
    slot.offset = window.start + start;
  }

  #load(cache: RecentCache<Window>, key: number, offset: number, length: number): Window {
    if (this.#slabUsed + length > this.#slab.length) {
      // Not zeroed: only bytes that were read are ever pointed at.
      this.#slab = Buffer.allocUnsafeSlow(SLAB);
      this.#slabView = new DataView(this.#slab.buffer);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    const found = this.#file.readSome(offset, this.#slab, start, length);
    const window = { slab: this.#slab, view: this.#slabView, start, length: found };
    this.#slabUsed += found;
    // What truncation cut short serves this once and is read anew the next time.
    if (found === length) cache.set(key, window);
    return window;
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#file.readInto(offset, target);
  }

  windowAt(): undefined {
    return undefined;
  }

  recheck(): void {
    this.#file.recheck();
  }

  close(): void {
    this.#file.close();
  }
}
