// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, MappedWindow } from './byte-source.js';
import { ImageError } from './error.js';
import type { PageSlot } from './physical-memory.js';

/** A file that lies in memory as a whole: what is read where there are no files, as in a browser. */
export class BytesSource implements ByteSource {
  readonly io = 'mmap';
  readonly size: number;
  readonly stored: number;
  readonly #window: MappedWindow;

  /** @param bytes - the whole file; not changed afterwards */
  constructor(bytes: Uint8Array) {
    this.size = bytes.length;
    this.stored = bytes.length;
    this.#window = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), start: 0 };
  }

  #check(offset: number, length: number): void {
    if (offset >= 0 && offset + length <= this.size) return;
    throw new ImageError({
      code: 'TRUNCATED',
      message: `need ${length} bytes, ${Math.max(0, this.size - offset)} left`,
      offset: Math.max(offset, this.size),
    });
  }

  view(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    return this.#window.bytes.subarray(offset, offset + length);
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    this.#check(offset, length);
    slot.bytes = this.#window.bytes;
    slot.view = this.#window.view;
    slot.offset = offset;
  }

  windowAt(offset: number): MappedWindow | undefined {
    return offset >= 0 && offset < this.size ? this.#window : undefined;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.set(this.view(offset, target.length));
  }

  recheck(): void {}

  close(): void {}
}
