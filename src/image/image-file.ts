// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { ImageError } from './error.js';
import { type Libc, loadLibc } from './libc.js';

/** Reads of this size and more look out for holes. */
const BULK = 0x4_0000;

/** What the operating system said; Node appends the call and the path, which the caller names anyway. */
function reason(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+( '.*)?$/s, '') : String(error);
}

function openReadOnly(path: string): number {
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes must refuse it, not wait for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new ImageError({ code: 'IO', message: `cannot open: ${reason(error)}` }, { cause: error });
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** A regular file held open for positioned reads, with the state in which it was opened. */
export class ImageFile {
  readonly #fd: number;
  readonly size: number;
  /** Modification time at opening, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** True when the file takes up less room than its size: it has holes. */
  readonly #isSparse: boolean;
  #open = true;

  /** @throws ImageError IO when it cannot be opened, UNSUPPORTED when it is not a regular file */
  constructor(path: string) {
    this.#fd = openReadOnly(path);
    const stats = fstatSync(this.#fd, { bigint: true });
    this.size = Number(stats.size);
    this.mtimeNs = stats.mtimeNs;
    this.#isSparse = stats.blocks * 512n < stats.size;
    const refusal = stats.isFile()
      ? this.size === 0
        ? 'the file is empty'
        : undefined
      : `expected a regular file, found ${kindOf(stats)}: images are read at random offsets`;
    if (refusal === undefined) return;
    this.close();
    throw new ImageError({ code: 'UNSUPPORTED', message: refusal, path: escapeText(path) });
  }

  /**
   * The file descriptor.
   *
   * @throws ImageError IO after closing: the number may by then belong to another file
   */
  get fd(): number {
    if (this.#open) return this.#fd;
    throw new ImageError({ code: 'IO', message: 'the image has been closed' });
  }

  /**
   * Reads up to `length` bytes at `offset` of the file to `start` in `target`.
   *
   * @returns how many bytes there were; fewer than asked only at the end of the file
   * @throws ImageError IO
   */
  readSome(offset: number, target: Uint8Array, start: number, length: number): number {
    const { fd } = this;
    let done = 0;
    while (done < length) {
      let count: number;
      try {
        count = readSync(fd, target, start + done, length - done, offset + done);
      } catch (error) {
        throw new ImageError(
          { code: 'IO', message: `cannot read: ${reason(error)}`, offset: offset + done },
          { cause: error },
        );
      }
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /**
   * Fills `target` from `offset`. Where the file has holes, and koffi is there to ask the kernel for them, they are not
   * read: reading a hole fills the page cache with zeros at a fraction of the speed.
   *
   * @throws ImageError TRUNCATED with the offset at which the file ends, or IO
   */
  readInto(offset: number, target: Uint8Array): void {
    const libc = this.#isSparse && target.length >= BULK ? loadLibc() : '';
    if (typeof libc === 'string') this.#readAll(offset, target, 0, target.length);
    else this.#readAroundHoles(offset, target, libc);
  }

  #readAll(offset: number, target: Uint8Array, start: number, length: number): void {
    const done = this.readSome(offset, target, start, length);
    if (done < length) throw shortRead(offset, length, done);
  }

  #readAroundHoles(offset: number, target: Uint8Array, libc: Libc): void {
    const end = offset + target.length;
    for (let at = offset; at < end; ) {
      const data = libc.seek(this.fd, at, 'data') ?? this.#holeEnd(at, end);
      if (data > at) {
        const stop = Math.min(data, end);
        target.fill(0, at - offset, stop - offset);
        at = stop;
        continue;
      }
      const hole = libc.seek(this.fd, at, 'hole') ?? end;
      // A hole right here would be a file that changes meanwhile: reading settles it.
      const stop = hole > at ? Math.min(hole, end) : end;
      this.#readAll(at, target, at - offset, stop - at);
      at = stop;
    }
  }

  /** No data from `at` on: a hole up to `end`, unless the file has been cut short, which reading will find out. */
  #holeEnd(at: number, end: number): number {
    return fstatSync(this.fd).size >= end ? end : at;
  }

  /** @throws ImageError CHANGED when size or modification time are no longer those at opening */
  recheck(): void {
    const stats = fstatSync(this.fd, { bigint: true });
    if (stats.mtimeNs === this.mtimeNs && Number(stats.size) === this.size) return;
    throw new ImageError({
      code: 'CHANGED',
      message:
        Number(stats.size) === this.size
          ? 'the file was written to after it was opened'
          : `the file had ${this.size} bytes when it was opened and now has ${stats.size}`,
    });
  }

  /** @throws ImageError TRUNCATED when the file has become shorter than it was at opening */
  checkNotShorter(): void {
    const { size } = fstatSync(this.fd);
    if (size < this.size) throw shortRead(0, this.size, size);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }
}

/** The error for `length` bytes wanted at `offset` of which only `found` exist. */
export function shortRead(offset: number, length: number, found: number): ImageError {
  return new ImageError({
    code: 'TRUNCATED',
    message: `need ${length} bytes from ${formatHex(offset)}, ${found} left in the file`,
    offset: offset + found,
  });
}
