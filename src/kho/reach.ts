// SPDX-License-Identifier: Apache-2.0
import { NumberColumn } from '../bytes/number-column.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';

/**
 * What a pointer reaches: `root`, the root FDT; `blob`, a consumer's; `struct`, a struct, block or array; `page`, one
 * that holds a part of an array; `folio`, contents of a file; `region`, memory reserved by name or listed as a run;
 * `table`, a page of page tables, root, context or PASID tables.
 */
export type ReachKind = 'root' | 'blob' | 'struct' | 'page' | 'folio' | 'region' | 'table';

const KINDS: readonly ReachKind[] = ['root', 'blob', 'struct', 'page', 'folio', 'region', 'table'];

/** Who reaches something: for many things at once, such as the folios of a file. */
export interface ReachOwner {
  /** How it is reached: names and positions of fields. */
  readonly path: string;
  /** What it is, for people: `memfd struct`, `folio of a memfd`. */
  readonly what: string;
  /** Whether it lies within something else that is reached, such as a record of a page of records. */
  readonly within?: boolean | undefined;
  /** Physical address of the pointer to item `index`; `undefined` where nothing in memory points there. */
  pointer(index: number): bigint | undefined;
}

/** Everything that a handover reaches: runs of pages as columns, in the order in which they were found. */
export class Reach {
  readonly #pfns = new NumberColumn();
  readonly #pages = new NumberColumn();
  readonly #kinds = new NumberColumn();
  readonly #owners = new NumberColumn();
  readonly #items = new NumberColumn();
  readonly #ownerList: ReachOwner[] = [];
  #owner: ReachOwner | undefined;

  /** Adds `pages` pages from page frame `pfn` on, item `item` of `owner`. */
  add(pfn: number, pages: number, kind: ReachKind, owner: ReachOwner, item = 0): void {
    if (owner !== this.#owner) {
      this.#owner = owner;
      this.#ownerList.push(owner);
    }
    this.#pfns.push(pfn);
    this.#pages.push(pages);
    this.#kinds.push(KINDS.indexOf(kind));
    this.#owners.push(this.#ownerList.length - 1);
    this.#items.push(item);
  }

  /** Adds the pages that `length` bytes from `address` on touch; nothing for addresses that no memory has. */
  addBytes(address: bigint, length: number, kind: ReachKind, owner: ReachOwner): void {
    if (address >> 52n !== 0n || length <= 0) return;
    const pfn = Number(address >> BigInt(PAGE_SHIFT));
    const last = Math.floor((Number(address & 0xfffn) + length - 1) / PAGE_SIZE);
    this.add(pfn, last + 1, kind, owner);
  }

  /** How many runs there are. */
  get count(): number {
    return this.#pfns.length;
  }

  /** First page frame of run `index`. */
  pfn(index: number): number {
    return this.#pfns.at(index);
  }

  /** Pages of run `index`. */
  pages(index: number): number {
    return this.#pages.at(index);
  }

  /** What run `index` is. */
  kind(index: number): ReachKind {
    return KINDS[this.#kinds.at(index)] ?? 'struct';
  }

  /** Who reaches run `index`. */
  owner(index: number): ReachOwner | undefined {
    return this.#ownerList[this.#owners.at(index)];
  }

  /** Which item of its owner run `index` is. */
  item(index: number): number {
    return this.#items.at(index);
  }

  /** The page frames reached, as disjoint intervals by ascending start. Takes O(n log n). */
  union(): { readonly starts: Float64Array; readonly ends: Float64Array } {
    const starts = this.#pfns.toArray().slice();
    const ends = starts.map((pfn, index) => pfn + this.#pages.at(index));
    // Of nested and overlapping intervals only how many are open counts: starts and ends may be sorted apart.
    starts.sort();
    ends.sort();
    const outStarts = new NumberColumn();
    const outEnds = new NumberColumn();
    let closed = 0;
    for (let index = 0; index < starts.length; index++) {
      const start = starts[index] ?? 0;
      if (closed === index && (index === 0 || start > outEnds.at(outEnds.length - 1))) {
        outStarts.push(start);
        outEnds.push(start);
      }
      const next = index + 1 < starts.length ? (starts[index + 1] ?? 0) : Number.POSITIVE_INFINITY;
      while (closed <= index && (ends[closed] ?? 0) <= next) outEnds.replaceLast(ends[closed++] ?? 0);
    }
    return { starts: outStarts.toArray(), ends: outEnds.toArray() };
  }
}
