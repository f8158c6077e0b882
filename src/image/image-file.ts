// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { ImageError } from './error.js';

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
  readonly fd: number;
  readonly size: number;
  /** Modification time at opening, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  #open = true;

  /** @throws ImageError IO when it cannot be opened, UNSUPPORTED when it is not a regular file */
  constructor(path: string) {
    this.fd = openReadOnly(path);
    const stats = fstatSync(this.fd, { bigint: true });
    this.size = Number(stats.size);
    this.mtimeNs = stats.mtimeNs;
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
   * Reads up to `length` bytes at `offset` of the file to `start` in `target`.
   *
   * @returns how many bytes there were; fewer than asked only at the end of the file
   * @throws ImageError IO
   */
  readSome(offset: number, target: Uint8Array, start: number, length: number): number {
    let done = 0;
    while (done < length) {
      let count: number;
      try {
        count = readSync(this.fd, target, start + done, length - done, offset + done);
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
   * Fills `target` from `offset`.
   *
   * @throws ImageError TRUNCATED with the offset at which the file ends, or IO
   */
  readInto(offset: number, target: Uint8Array): void {
    const done = this.readSome(offset, target, 0, target.length);
    if (done < target.length) throw shortRead(offset, target.length, done);
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
    closeSync(this.fd);
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
