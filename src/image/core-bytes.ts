// SPDX-License-Identifier: Apache-2.0
import { buildCoreHeaders } from './core-headers.js';
import type { PageRun } from './page-runs.js';
import { PAGE_SIZE, type PhysicalMemory } from './physical-memory.js';

/**
 * Pages of a memory as the bytes of an ELF64 core: what `writeCore` writes to a file.
 *
 * @param runs - pages that the memory holds, merged
 * @param machine - e_machine
 * @param excluded - pages that the machine had and whose contents are left out, merged
 * @param notes - contents of its PT_NOTE, default none
 * @throws ImageError what reading the pages throws
 */
export function coreBytes(
  memory: PhysicalMemory,
  runs: readonly PageRun[],
  machine: number,
  excluded: readonly PageRun[],
  notes: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const headers = buildCoreHeaders(runs, notes, machine, excluded);
  const pages = runs.reduce((sum, { count }) => sum + count, 0);
  const bytes = new Uint8Array(headers.length + pages * PAGE_SIZE);
  bytes.set(headers);
  let end = headers.length;
  for (const { pfn, count } of runs) {
    bytes.set(memory.read(BigInt(pfn) * BigInt(PAGE_SIZE), count * PAGE_SIZE), end);
    end += count * PAGE_SIZE;
  }
  return bytes;
}
