// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ImageError } from './error.js';

/** A file that is written beside its final place and renamed, so that its name never stands for half of it. */
export class PartFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #fd: number;

  /** @throws ImageError IO */
  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.${process.pid}.part`;
    this.#fd = this.#trying(() => openSync(this.#temporary, 'wx'));
  }

  /** Runs a call of the operating system; whatever it refuses is an {@link ImageError}. */
  #trying<Result>(call: () => Result): Result {
    try {
      return call();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ImageError({ code: 'IO', message: `cannot write: ${message}` }, { cause: error });
    }
  }

  /** Writes all of `bytes` from `position` of the file on. @throws ImageError IO */
  write(bytes: Uint8Array, position: number): void {
    this.#trying(() => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      }
    });
  }

  /** Ends the writing and gives the file its name. @throws ImageError IO */
  finish(): void {
    this.#trying(() => {
      closeSync(this.#fd);
      renameSync(this.#temporary, this.#path);
    });
  }

  /** Ends the writing and takes the file away. */
  abandon(): void {
    try {
      closeSync(this.#fd);
    } catch {
      // finish() got as far as closing it.
    }
    rmSync(this.#temporary, { force: true });
  }
}
