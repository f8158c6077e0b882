// SPDX-License-Identifier: Apache-2.0

import type { PageStore } from '../image/page-store.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';
import { BlockSet } from './block-set.js';
import type { FreePages } from './free-pages.js';

/** Memory in which a handover is made: what is free, what is preserved, and the bytes. */
export class HandoverSpace {
  readonly memory: PageStore;
  readonly free: FreePages;
  readonly preserved: BlockSet;

  constructor(memory: PageStore, free: FreePages, preserved: BlockSet = new BlockSet()) {
    this.memory = memory;
    this.free = free;
    this.preserved = preserved;
  }

  /**
   * Puts bytes into fresh pages that are preserved as one block, as `kho_alloc_preserve()` does.
   *
   * @param size bytes of room, default the length of `bytes`
   * @returns the physical address
   * @throws BuildError NO_ROOM
   */
  keep(bytes: Uint8Array, size: number = bytes.length): bigint {
    const order = orderOf(Math.max(size, bytes.length));
    const pfn = this.free.take(order);
    this.preserved.add(pfn, order);
    return this.#fill(pfn, 2 ** order, bytes);
  }

  /**
   * Puts bytes into fresh pages that are not preserved.
   *
   * @throws BuildError NO_ROOM
   */
  place(bytes: Uint8Array): bigint {
    const order = orderOf(bytes.length);
    return this.#fill(this.free.take(order), 2 ** order, bytes);
  }

  #fill(pfn: number, count: number, bytes: Uint8Array): bigint {
    const pages = new Uint8Array(count * PAGE_SIZE);
    pages.set(bytes);
    putPages(this.memory, pfn, pages);
    return BigInt(pfn) << BigInt(PAGE_SHIFT);
  }
}

/** Puts whole pages in a row into a memory, without copying them. */
export function putPages(memory: PageStore, pfn: number, pages: Uint8Array): void {
  for (let at = 0; at < pages.length; at += PAGE_SIZE)
    memory.putPage(pfn + at / PAGE_SIZE, pages.subarray(at, at + PAGE_SIZE));
}

/** Order of the smallest block that holds `size` bytes. */
export function orderOf(size: number): number {
  return Math.max(0, Math.ceil(Math.log2(size / PAGE_SIZE)));
}
