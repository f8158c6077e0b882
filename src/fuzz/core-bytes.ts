// SPDX-License-Identifier: Apache-2.0
import { buildCoreHeaders } from '../image/core-headers.js';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';

/** e_machine of x86-64. */
const X86_64 = 62;

/** A memory as the bytes of an ELF64 core: its pages, and what is known of without contents. */
export function coreBytes(memory: PhysicalMemory): Uint8Array {
  const runs: Record<'present' | 'excluded', PageRun[]> = { present: [], excluded: [] };
  for (const { start, end, state } of memory.ranges()) {
    const pfn = Number((start + BigInt(PAGE_SIZE - 1)) >> BigInt(PAGE_SHIFT));
    runs[state].push({ pfn, count: Math.max(0, Number(end >> BigInt(PAGE_SHIFT)) - pfn) });
  }
  const present = mergeRuns(runs.present);
  const headers = buildCoreHeaders(present, new Uint8Array(0), X86_64, mergeRuns(runs.excluded));
  const pages = present.reduce((sum, { count }) => sum + count, 0);
  const bytes = new Uint8Array(headers.length + pages * PAGE_SIZE);
  bytes.set(headers);
  let at = headers.length;
  for (const { pfn, count } of present) {
    bytes.set(memory.read(BigInt(pfn) << BigInt(PAGE_SHIFT), count * PAGE_SIZE), at);
    at += count * PAGE_SIZE;
  }
  return bytes;
}
