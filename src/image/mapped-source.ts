// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, MappedWindow } from './byte-source.js';
import { ImageError } from './error.js';
import { type ImageFile, shortRead } from './image-file.js';
import type { Libc } from './libc.js';
import { newPageSlot, type PageSlot, pointSlot } from './physical-memory.js';

/** A view of more than 4 GiB aborts Node 20, so a window is at most 1 GiB. */
const WINDOW = 0x4000_0000;
/** Windows reach this far into the next one, so that a page (or a 64 KiB dump block) never straddles two. */
const OVERLAP = 0x1_0000;
const STRIDE = WINDOW - OVERLAP;

/**
 * A file reached through shared read-only mappings of at most 1 GiB, made when first touched. They are advised
 * MADV_RANDOM: page tables are scattered, and read-ahead around each would fetch the whole image. Mappings live as
 * long as the process, since a view of one may live anywhere.
 *
 * A file that is truncated while it is mapped kills the process with SIGBUS when a lost page is touched. That cannot
 * be caught, so see `chooseIo` for when files are mapped at all; the size is checked again before each new window, and
 * bulk reads (`readInto`) do not go through the mapping.
 */
export class MappedSource implements ByteSource {
  readonly io = 'mmap';
  readonly size: number;
  readonly stored: number;
  readonly #file: ImageFile;
  readonly #libc: Libc;
  readonly #bytes: Uint8Array[] = [];
  readonly #views: DataView[] = [];
  readonly #slot = newPageSlot();

  /** @throws ImageError IO when the first window cannot be mapped: the file system does not support it */
  constructor(file: ImageFile, libc: Libc) {
    this.#file = file;
    this.#libc = libc;
    this.size = file.size;
    this.stored = file.size;
    this.#map(0);
  }

  view(offset: number, length: number): Uint8Array {
    const index = Math.floor(offset / STRIDE);
    const start = offset - index * STRIDE;
    const bytes = this.#bytes[index] ?? this.#map(index);
    if (start + length <= bytes.length) return bytes.subarray(start, start + length);
    this.#copy(offset, length, this.#slot);
    return this.#slot.bytes;
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    const index = Math.floor(offset / STRIDE);
    const start = offset - index * STRIDE;
    const bytes = this.#bytes[index] ?? this.#map(index);
    const view = this.#views[index];
    if (view === undefined || start + length > bytes.length) {
      this.#copy(offset, length, slot);
      return;
    }
    slot.bytes = bytes;
    slot.view = view;
    slot.offset = start;
  }

  windowAt(offset: number): MappedWindow | undefined {
    const index = Math.floor(offset / STRIDE);
    const bytes = this.#bytes[index] ?? this.#map(index);
    const view = this.#views[index];
    return view === undefined ? undefined : { bytes, view, start: index * STRIDE };
  }

  #copy(offset: number, length: number, slot: PageSlot): void {
    if (offset + length > this.size) throw shortRead(offset, length, Math.max(0, this.size - offset));
    const bytes = new Uint8Array(length);
    this.readInto(offset, bytes);
    pointSlot(slot, bytes);
  }

  #map(index: number): Uint8Array {
    const offset = index * STRIDE;
    if (offset >= this.size) return new Uint8Array(0);
    this.#file.checkNotShorter();
    const mapped = this.#libc.map(this.#file.fd, offset, Math.min(WINDOW, this.size - offset));
    if (typeof mapped === 'string') throw new ImageError({ code: 'IO', message: mapped, offset });
    const bytes = new Uint8Array(mapped);
    this.#bytes[index] = bytes;
    this.#views[index] = new DataView(mapped);
    return bytes;
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
