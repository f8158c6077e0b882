// SPDX-License-Identifier: Apache-2.0
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PageStore } from '../image/page-store.js';
import { type MemoryRange, PAGE_SIZE, type PageMiss, type PhysicalMemory } from '../image/physical-memory.js';
import { withoutRuns } from '../kho/free-pages.js';

/**
 * All memory of a machine of which only some pages have contents: the rest is known to be there and was left out, as in a
 * dump of what matters.
 */
export class MachineMemory extends PageStore {
  readonly #held: PhysicalMemory;
  readonly #ram: readonly PageRun[];

  /**
   * @param held - the pages that have contents
   * @param ram - all pages of the machine
   */
  constructor(held: PhysicalMemory, ram: readonly PageRun[]) {
    super(held);
    this.#held = held;
    this.#ram = mergeRuns(ram);
  }

  override page(pfn: number): Uint8Array | PageMiss {
    const found = super.page(pfn);
    return found === 'absent' && this.#isRam(pfn) ? 'excluded' : found;
  }

  #isRam(pfn: number): boolean {
    return this.#ram.some((run) => pfn >= run.pfn && pfn < run.pfn + run.count);
  }

  override *ranges(): Generator<MemoryRange, void> {
    const held = mergeRuns(
      [...this.#held.ranges()].map(({ start, end }) => ({
        pfn: Number(start) / PAGE_SIZE,
        count: Number(end - start) / PAGE_SIZE,
      })),
    );
    const runs = [
      ...held.map((run) => ({ ...run, state: 'present' as const })),
      ...withoutRuns(this.#ram, held).map((run) => ({ ...run, state: 'excluded' as const })),
    ];
    runs.sort((a, b) => a.pfn - b.pfn);
    for (const { pfn, count, state } of runs)
      yield { start: BigInt(pfn * PAGE_SIZE), end: BigInt((pfn + count) * PAGE_SIZE), state };
  }
}
