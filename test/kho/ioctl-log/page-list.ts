// SPDX-License-Identifier: Apache-2.0
// A naive iommufd to compare the model with: each IOAS is a plain list of pages, each page knows its mapping. Slow, small,
// written from the rules of iommufd-uapi.md alone.

/** Pages of IOVA space that are looked at. */
export const SPACE = 256;
const PAGE = 4096;

/** What one page of an IOAS holds. */
export interface PageSlot {
  /** Which mapping it belongs to: pages of one are unmapped together. */
  readonly mapping: object;
  readonly prot: number;
  /** Page of the backing memory. */
  readonly source: number;
  readonly writable: boolean;
}

/** The IOAS of the naive model. */
export interface PageList {
  readonly pages: (PageSlot | undefined)[];
  /** Pages that nothing may be mapped at, from devices. */
  reserved: boolean[];
  /** Pages that may be chosen; empty for all. */
  allowed: { readonly first: number; readonly last: number }[];
}

/** An empty IOAS. */
export function newPageList(): PageList {
  return { pages: Array(SPACE).fill(undefined), reserved: Array(SPACE).fill(false), allowed: [] };
}

type Result = { readonly errno: string } | { readonly page: number };

function place(list: PageList, slots: readonly PageSlot[], at: number): Result {
  for (let index = 0; index < slots.length; index++) {
    if (list.reserved[at + index]) return { errno: 'EINVAL' };
  }
  for (let index = 0; index < slots.length; index++) {
    if (list.pages[at + index] !== undefined) return { errno: 'EEXIST' };
  }
  return { page: at };
}

/** Tries every page from the lowest on. */
function choose(list: PageList, count: number, source: number): Result {
  let alignment = 1;
  while (alignment < count) alignment *= 2;
  if (source !== 0) while (source % alignment !== 0) alignment /= 2;
  alignment = Math.min(alignment, 512);
  const windows = list.allowed.length === 0 ? [{ first: 1, last: SPACE - 1 }] : list.allowed;
  for (const { first, last } of windows) {
    for (let page = Math.max(first, 1); page + count - 1 <= last; page++) {
      if (page % alignment !== 0) continue;
      const isFree = Array.from({ length: count }, (_, index) => page + index).every(
        (each) => !list.reserved[each] && list.pages[each] === undefined,
      );
      if (isFree) return { page };
    }
  }
  return { errno: 'ENOSPC' };
}

/** Maps pages, all of one protection. */
export function mapPages(list: PageList, slots: readonly PageSlot[], at: number | undefined): Result {
  const found = at === undefined ? choose(list, slots.length, slots[0]?.source ?? 0) : place(list, slots, at);
  if ('errno' in found) return found;
  if (slots.some(({ prot, writable }) => (prot & 2) !== 0 && !writable)) return { errno: 'EPERM' };
  slots.forEach((slot, index) => {
    list.pages[found.page + index] = slot;
  });
  return found;
}

/** Unmaps pages: mapping after mapping, up to one that is covered in part. @returns an error name or the bytes */
export function unmapPages(list: PageList, at: number, count: number): string | number {
  let bytes = 0;
  for (let page = at; page < at + count; page++) {
    const slot = list.pages[page];
    if (slot === undefined) continue;
    const own = list.pages.flatMap((each, index) => (each?.mapping === slot.mapping ? [index] : []));
    if (own.some((index) => index < at || index >= at + count)) return 'ENOENT';
    for (const index of own) list.pages[index] = undefined;
    bytes += own.length * PAGE;
  }
  return bytes === 0 ? 'ENOENT' : bytes;
}
