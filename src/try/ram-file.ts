// SPDX-License-Identifier: Apache-2.0
// The memory of an emulated machine, as a sparse file.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { PageRun } from '../image/page-runs.js';
import { mergeRuns } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import type { SearchableMemory } from '../kho/locate.js';
import type { BootPiece } from './boot-plan.js';
import { type GuestRam, ramOffset } from './guest-ram.js';

const ZEROS = Buffer.alloc(PAGE_SIZE);

/** A file that becomes a machine's memory. */
export class RamFile {
  readonly path: string;
  readonly ram: GuestRam;
  readonly #descriptor: number;

  /** Makes the file, all zeros. @throws the file system's errors */
  constructor(path: string, ram: GuestRam) {
    this.path = path;
    this.ram = ram;
    this.#descriptor = openSync(path, 'wx+', 0o600);
    ftruncateSync(this.#descriptor, ram.size);
  }

  /**
   * Puts an image's pages at their places; pages of zeros take no room.
   *
   * @returns the pages that are not all zeros, and how many lie where the machine has no memory
   * @throws ImageError when the image cannot be read
   */
  fill(memory: SearchableMemory): { readonly written: PageRun[]; readonly outside: number } {
    const runs: { pfn: number; count: number }[] = [];
    let outside = 0;
    memory.stream((first, bytes) => {
      for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
        const page = bytes.subarray(at, at + PAGE_SIZE);
        if (ZEROS.equals(page)) continue;
        const pfn = first + at / PAGE_SIZE;
        const offset = ramOffset(this.ram, pfn);
        if (offset === undefined) {
          outside++;
          continue;
        }
        writeSync(this.#descriptor, page, 0, PAGE_SIZE, offset);
        const last = runs.at(-1);
        if (last !== undefined && last.pfn + last.count === pfn) last.count++;
        else runs.push({ pfn, count: 1 });
      }
      return true;
    });
    return { written: mergeRuns(runs), outside };
  }

  /** Writes what a kernel is booted with. */
  put({ address, bytes }: BootPiece): void {
    const offset = ramOffset(this.ram, Math.floor(address / PAGE_SIZE));
    if (offset === undefined) throw new RangeError(`no memory at ${address}`);
    writeSync(this.#descriptor, bytes, 0, bytes.length, offset + (address % PAGE_SIZE));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
