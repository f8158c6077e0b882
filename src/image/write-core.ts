// SPDX-License-Identifier: Apache-2.0
import { buildCoreHeaders, machineNumber } from './core-headers.js';
import { ImageError } from './error.js';
import type { PageRun } from './page-runs.js';
import { PartFile } from './part-file.js';
import { PAGE_SIZE, type PhysicalMemory } from './physical-memory.js';

/** Pages copied in one go. */
const COPY_PAGES = 256;

/** What goes into a core besides its pages. */
export interface CoreOptions {
  /** PT_NOTE contents; default none. */
  readonly notes?: Uint8Array;
  /** Name of the machine as images give it; default x86_64. */
  readonly machine?: string | undefined;
  /** Pages that the machine had and whose contents are left out, as {@link mergeRuns} gives them; default none. */
  readonly excluded?: readonly PageRun[] | undefined;
}

/**
 * Writes pages of a memory as an ELF64 core: one PT_LOAD for each run of pages, `p_paddr` their physical address (and
 * `p_vaddr` the same, as QEMU writes it).
 *
 * @param runs pages that the memory holds, by ascending address, as {@link mergeRuns} gives them
 * @returns size of the file in bytes
 * @throws ImageError what reading the pages throws; IO
 */
export function writeCore(
  memory: PhysicalMemory,
  path: string,
  runs: readonly PageRun[],
  options: CoreOptions = {},
): number {
  const { notes = new Uint8Array(0), machine, excluded } = options;
  const headers = buildCoreHeaders(runs, notes, machineNumber(machine), excluded);
  const file = new PartFile(path);
  let end = headers.length;
  try {
    file.write(headers, 0);
    for (const { pfn, count } of runs) {
      for (let at = pfn; at < pfn + count; at += COPY_PAGES) {
        const pages = Math.min(COPY_PAGES, pfn + count - at);
        file.write(memory.read(BigInt(at) * BigInt(PAGE_SIZE), pages * PAGE_SIZE), end);
        end += pages * PAGE_SIZE;
      }
    }
    file.finish();
  } catch (error) {
    file.abandon();
    throw error;
  }
  return end;
}

/**
 * Writes an ELF64 core of one run of pages whose pages come in any order: for images too large to be put together in
 * memory. Pages that never come are zero.
 */
export class CoreWriter {
  readonly #file: PartFile;
  readonly #first: number;
  /** Frame behind the last page written. */
  #end: number;

  /**
   * @param firstPfn frame of the lowest page
   * @throws ImageError IO
   */
  constructor(path: string, firstPfn: number) {
    this.#file = new PartFile(path);
    this.#first = firstPfn;
    this.#end = firstPfn;
  }

  /** Writes whole pages from frame `pfn` on. @throws ImageError BAD_ARGUMENT below the first page; IO */
  put(pfn: number, pages: Uint8Array): void {
    if (pfn < this.#first || pages.length % PAGE_SIZE !== 0) {
      throw new ImageError({
        code: 'BAD_ARGUMENT',
        message: `whole pages from frame ${this.#first} on expected, found ${pages.length} bytes at frame ${pfn}`,
      });
    }
    // The headers of one run take one page.
    this.#file.write(pages, (pfn - this.#first + 1) * PAGE_SIZE);
    this.#end = Math.max(this.#end, pfn + pages.length / PAGE_SIZE);
  }

  /** Ends the file. @returns its size in bytes @throws ImageError IO */
  finish(): number {
    const run = { pfn: this.#first, count: this.#end - this.#first };
    this.#file.write(buildCoreHeaders([run], new Uint8Array(0), machineNumber(undefined)), 0);
    this.#file.finish();
    return (run.count + 1) * PAGE_SIZE;
  }

  /** Takes the unfinished file away. */
  abandon(): void {
    this.#file.abandon();
  }
}
