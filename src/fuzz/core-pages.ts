// SPDX-License-Identifier: Apache-2.0
// ELF cores that lie in memory: what cases of whole handovers are written as, and made small as.
import { KhoError } from '../bytes/issue.js';
import { coreBytes } from '../image/core-bytes.js';
import { machineNumber } from '../image/core-headers.js';
import type { ImageMemory } from '../image/image-memory.js';
import { openImageBytes } from '../image/open-bytes.js';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';

/** What a core is made up of. */
export interface CorePages {
  readonly memory: ImageMemory;
  /** Frames of the pages that it has contents of, ascending. */
  readonly pfns: readonly number[];
  /** Memory without contents. */
  readonly excluded: readonly PageRun[];
  readonly notes: Uint8Array;
  /** e_machine. */
  readonly machine: number;
}

/** All whole pages of a memory, and what is known of without contents. */
export function pagesOf(memory: PhysicalMemory): Pick<CorePages, 'pfns' | 'excluded'> {
  const pfns: number[] = [];
  const excluded: PageRun[] = [];
  const page = BigInt(PAGE_SIZE);
  for (const { start, end, state } of memory.ranges()) {
    const first = Number((start + page - 1n) / page);
    const count = Math.max(0, Number(end / page) - first);
    if (state === 'excluded') excluded.push({ pfn: first, count });
    else for (let pfn = first; pfn < first + count; pfn++) pfns.push(pfn);
  }
  return { pfns, excluded: mergeRuns(excluded) };
}

/** A memory as an ELF64 core of x86-64. */
export function coreOf(memory: PhysicalMemory): Uint8Array {
  const { pfns, excluded } = pagesOf(memory);
  return coreBytes(memory, runsOf(pfns), machineNumber(undefined), excluded);
}

/** What an ELF64 core is made up of; `undefined` for what is none, and for one of parts of pages. */
export function readCore(input: Uint8Array): CorePages | undefined {
  if (input[0] !== 0x7f || input[1] !== 0x45) return undefined;
  try {
    const { memory, notes } = openImageBytes(input);
    for (const { start, end } of memory.ranges())
      if (start % BigInt(PAGE_SIZE) !== 0n || end % BigInt(PAGE_SIZE) !== 0n) return undefined;
    const machine = new DataView(input.buffer, input.byteOffset, input.length).getUint16(18, true);
    return { memory, ...pagesOf(memory), notes: notes?.() ?? new Uint8Array(), machine };
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** A core as bytes. */
export function encodeCore({ memory, pfns, excluded, notes, machine }: CorePages): Uint8Array {
  return coreBytes(memory, runsOf(pfns), machine, excluded, notes);
}

function runsOf(pfns: readonly number[]): PageRun[] {
  return mergeRuns(pfns.map((pfn) => ({ pfn, count: 1 })));
}
