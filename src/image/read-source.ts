// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from './byte-source.js';
import { type ImageFile, shortRead } from './image-file.js';
import { newPageSlot, type PageSlot } from './physical-memory.js';
import { RecentCache } from './recent-cache.js';

/** Windows start at multiples of this; page tables that lie together are fetched with one read. */
const STRIDE = 0x4000;
/** Windows reach this far into the next one, so that a page at any offset lies within one window. */
const OVERLAP = 0x1000;
/** Windows kept: 10 MiB of them. */
const WINDOWS = 512;

interface Window {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * A file reached by positioned reads through a bounded number of windows. A window that falls out of use is left to
 * the garbage collector and not filled again, since somebody may still hold a view of it. Truncation of the file at
 * any moment is a TRUNCATED error of the read that meets it.
 */
export class ReadSource implements ByteSource {
  readonly io = 'read';
  readonly size: number;
  readonly stored: number;
  readonly #file: ImageFile;
  readonly #windows = new RecentCache<Window>(WINDOWS);
  readonly #slot = newPageSlot();
  #lastIndex = -1;
  #last: Window = newPageSlot();

  constructor(file: ImageFile) {
    this.#file = file;
    this.size = file.size;
    this.stored = file.size;
  }

  view(offset: number, length: number): Uint8Array {
    this.locate(offset, length, this.#slot);
    const { bytes, offset: start } = this.#slot;
    return bytes.subarray(start, start + length);
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    const index = Math.floor(offset / STRIDE);
    const start = offset - index * STRIDE;
    if (offset + length > this.size) throw shortRead(offset, length, Math.max(0, this.size - offset));
    if (start + length > STRIDE + OVERLAP) {
      const bytes = new Uint8Array(length);
      this.readInto(offset, bytes);
      slot.bytes = bytes;
      slot.view = new DataView(bytes.buffer);
      slot.offset = 0;
      return;
    }
    const window = this.#window(index);
    if (start + length > window.bytes.length) {
      throw shortRead(offset, length, Math.max(0, window.bytes.length - start));
    }
    slot.bytes = window.bytes;
    slot.view = window.view;
    slot.offset = start;
  }

  #window(index: number): Window {
    if (index === this.#lastIndex) return this.#last;
    const window = this.#windows.get(index) ?? this.#load(index);
    this.#lastIndex = window.bytes.length === this.#windowLength(index) ? index : -1;
    this.#last = window;
    return window;
  }

  #windowLength(index: number): number {
    return Math.min(STRIDE + OVERLAP, this.size - index * STRIDE);
  }

  #load(index: number): Window {
    const bytes = new Uint8Array(this.#windowLength(index));
    const found = this.#file.readSome(index * STRIDE, bytes);
    const window = {
      bytes: bytes.subarray(0, found),
      view: new DataView(bytes.buffer, 0, found),
    };
    // A window cut short by truncation serves this once and is read anew the next time.
    if (found === bytes.length) this.#windows.set(index, window);
    return window;
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#file.readInto(offset, target);
  }

  recheck(): void {
    this.#file.recheck();
  }

  close(): void {
    this.#file.close();
  }
}
