// SPDX-License-Identifier: Apache-2.0
import { mergeRuns, type PageRun } from '../image/page-runs.js';

/** Largest power of two that divides `pfn`, as its logarithm; page frame 0 is divided by all. */
function alignmentOf(pfn: number): number {
  if (pfn === 0) return 52;
  // Numbers above 2^32 in two halves: the bit operators see 32 bits only.
  const low = pfn % 0x1_0000_0000;
  return low === 0
    ? 32 + (31 - Math.clz32((pfn / 0x1_0000_0000) & -(pfn / 0x1_0000_0000)))
    : 31 - Math.clz32(low & -low);
}

/**
 * Preserved blocks: 2^order pages at page frames that are multiples of their size, as KHO's map of preserved memory
 * holds them.
 */
export class BlockSet {
  readonly #byOrder = new Map<number, Set<number>>();

  /** How many blocks there are. */
  get size(): number {
    let size = 0;
    for (const blocks of this.#byOrder.values()) size += blocks.size;
    return size;
  }

  /** Adds one block. */
  add(pfn: number, order: number): void {
    const blocks = this.#byOrder.get(order);
    if (blocks === undefined) this.#byOrder.set(order, new Set([pfn]));
    else blocks.add(pfn);
  }

  /** Takes a block out. @returns whether it was there */
  delete(pfn: number, order: number): boolean {
    return this.#byOrder.get(order)?.delete(pfn) ?? false;
  }

  /** Whether there is this very block. */
  has(pfn: number, order: number): boolean {
    return this.#byOrder.get(order)?.has(pfn) ?? false;
  }

  /**
   * Adds pages in as few blocks as possible, as `kho_preserve_pages()` does: each as large as its alignment and what is
   * left allow (kernel/liveupdate/kexec_handover.c, Linux 6.16 to 7.3).
   *
   * @param maxOrder - largest order of a block
   */
  addRun({ pfn, count }: PageRun, maxOrder = 52): void {
    const end = pfn + count;
    for (let at = pfn; at < end; ) {
      const order = Math.min(alignmentOf(at), Math.floor(Math.log2(end - at)), maxOrder);
      this.add(at, order);
      at += 2 ** order;
    }
  }

  /** The orders that occur, ascending. */
  orders(): number[] {
    return [...this.#byOrder]
      .filter(([, blocks]) => blocks.size > 0)
      .map(([order]) => order)
      .sort((a, b) => a - b);
  }

  /** First page frames of the blocks of an order, ascending. */
  blocks(order: number): Float64Array {
    return Float64Array.from(this.#byOrder.get(order) ?? []).sort();
  }

  /** All pages, as merged runs. */
  pageRuns(): PageRun[] {
    const runs: PageRun[] = [];
    for (const [order, blocks] of this.#byOrder) {
      for (const pfn of blocks) runs.push({ pfn, count: 2 ** order });
    }
    return mergeRuns(runs);
  }
}
