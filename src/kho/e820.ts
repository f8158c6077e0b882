// SPDX-License-Identifier: Apache-2.0
// Which memory there is, as boot_params tell x86 kernels (Documentation/arch/x86/zero-page.rst, struct boot_e820_entry).
import { ImageError } from '../image/error.js';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';

const COUNT = 0x1e8;
const TABLE = 0x2d0;
const ENTRY = 20;
const MAX_ENTRIES = 128;
const RAM = 1;
const ADDRESS_LIMIT = 1n << 52n;

/** Writes RAM into a page of boot_params; what does not fit in the table is left out. */
export function writeE820(page: Uint8Array, ram: readonly PageRun[]): void {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const entries = ram.slice(0, MAX_ENTRIES);
  view.setUint8(COUNT, entries.length);
  for (const [index, { pfn, count }] of entries.entries()) {
    const at = TABLE + index * ENTRY;
    view.setBigUint64(at, BigInt(pfn) << BigInt(PAGE_SHIFT), true);
    view.setBigUint64(at + 8, BigInt(count) << BigInt(PAGE_SHIFT), true);
    view.setUint32(at + 16, RAM, true);
  }
}

/** The RAM that boot_params at a physical address list, whole pages; nothing where they are not in memory. */
export function readE820(memory: PhysicalMemory, bootParams: bigint): PageRun[] {
  let page: Uint8Array;
  try {
    page = memory.read(bootParams, PAGE_SIZE);
  } catch (error) {
    if (error instanceof ImageError) return [];
    throw error;
  }
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const runs: PageRun[] = [];
  for (let index = 0; index < Math.min(view.getUint8(COUNT), MAX_ENTRIES); index++) {
    const at = TABLE + index * ENTRY;
    const start = view.getBigUint64(at, true);
    const end = start + view.getBigUint64(at + 8, true);
    if (view.getUint32(at + 16, true) !== RAM || end > ADDRESS_LIMIT) continue;
    const pfn = Number((start + BigInt(PAGE_SIZE - 1)) >> BigInt(PAGE_SHIFT));
    runs.push({ pfn, count: Math.max(0, Number(end >> BigInt(PAGE_SHIFT)) - pfn) });
  }
  return mergeRuns(runs);
}
