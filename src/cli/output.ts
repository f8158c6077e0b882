// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { FileError, isSystemError } from './failure.js';

const CHUNK = 65536;
const PAUSE_MS = 5;
const NAMES: Readonly<Record<number, string>> = { 1: 'stdout', 2: 'stderr' };

/** Thrown when whoever reads our output has gone away: the program ends quietly. */
export class OutputClosed extends Error {}

/**
 * Text and bytes on their way to a file descriptor, in chunks. Writes wait for the reader, so that output of any size
 * is complete, in order, and never piles up in memory.
 */
export class Output {
  readonly #descriptor: number;
  #pending = '';

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** A sink for renderers. */
  readonly write = (text: string): void => {
    this.#pending += text;
    if (this.#pending.length >= CHUNK) this.flush();
  };

  /** Writes bytes as they are, after the text before them. */
  writeBytes(bytes: Uint8Array): void {
    this.flush();
    writeFully(this.#descriptor, bytes);
  }

  /** Hands on what has been collected. */
  flush(): void {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') writeFully(this.#descriptor, Buffer.from(text));
  }
}

/** Writes all of `bytes`, waiting where the descriptor does not block. */
function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at, Math.min(bytes.length - at, CHUNK * 16));
    } catch (error) {
      if (isSystemError(error, 'EPIPE')) throw new OutputClosed();
      if (!isSystemError(error, 'EAGAIN'))
        throw new FileError(NAMES[descriptor] ?? `descriptor ${descriptor}`, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
