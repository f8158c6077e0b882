// SPDX-License-Identifier: Apache-2.0
// Contents of files and regions, page by page, where both images hold them.
import { NumberColumn } from '../bytes/number-column.js';
import { newPageSlot, PAGE_SIZE, type PageSlot, type PhysicalMemory } from '../image/physical-memory.js';
import { words } from './compared-value.js';
import type { ChangeSink, HandoverChange } from './handover-change.js';
import { firstEndingBehind, type PageIntervals } from './page-intervals.js';

/** Where pages `index` to `index + pages - 1` of something lie: from page frame `pfn` on. */
export interface ContentRun {
  readonly index: number;
  readonly pfn: number;
  readonly pages: number;
}

/** How the contents of two things differ. */
interface ContentsDifference {
  /** Pages that were compared, holes (which read as zeros) among them. */
  readonly compared: number;
  /** Pages that differ. */
  readonly different: number;
  /** Position of the first byte that differs; `undefined` where none does. */
  readonly first: number | undefined;
  /** Pages that at least one of the images does not hold. */
  readonly missing: number;
}

/** Contents of one memory, of which the same page is not compared without end. */
class ContentReader {
  readonly #memory: PhysicalMemory;
  readonly #held: PageIntervals;
  readonly slot: PageSlot = newPageSlot();
  /** Pages that may still be compared: a sound handover compares each page of the memory once. */
  budget: number;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    const starts = new NumberColumn();
    const ends = new NumberColumn();
    for (const { start, end, state } of memory.ranges()) {
      if (state !== 'present') continue;
      const first = Math.ceil(Number(start) / PAGE_SIZE);
      const behind = Math.floor(Number(end) / PAGE_SIZE);
      if (first >= behind) continue;
      starts.push(first);
      ends.push(behind);
    }
    this.#held = { starts: starts.toArray(), ends: ends.toArray() };
    this.budget = 0;
    for (let row = 0; row < ends.length; row++) this.budget += ends.at(row) - starts.at(row);
  }

  /** Of `pages` pages from page frame `pfn` on: how many are alike in being held, or not. */
  stretch(pfn: number, pages: number): { readonly held: boolean; readonly pages: number } {
    const { starts, ends } = this.#held;
    const row = firstEndingBehind(this.#held, pfn);
    const start = row < starts.length ? (starts[row] ?? 0) : Number.POSITIVE_INFINITY;
    if (start > pfn) return { held: false, pages: Math.min(pages, start - pfn) };
    return { held: true, pages: Math.min(pages, (ends[row] ?? 0) - pfn) };
  }

  /** Points the slot at a page. @returns whether it is there */
  load(pfn: number): boolean {
    this.budget--;
    return this.#memory.locate(pfn, this.slot) === undefined;
  }
}

/**
 * Compares two contents up to the end of the shorter one. Takes time in proportion to the pages that both memories hold.
 *
 * @param a - runs in any order; what none covers reads as zeros, what two cover belongs to the first
 * @throws ImageError TRUNCATED, BAD_DATA or IO where an image cannot be read
 */
function compareContents(
  readerA: ContentReader,
  a: Iterable<ContentRun>,
  readerB: ContentReader,
  b: Iterable<ContentRun>,
  sizes: readonly [bigint, bigint],
): ContentsDifference {
  const [runsA, runsB] = [inOrder(a), inOrder(b)];
  const total = { compared: 0, different: 0, missing: 0 };
  let first: number | undefined;
  const limit = Math.min(Number(sizes[0]), Number(sizes[1]), Number.MAX_SAFE_INTEGER);
  const end = Math.ceil(limit / PAGE_SIZE);
  let [nextA, nextB] = [0, 0];
  for (let at = 0; at < end; ) {
    while (nextA < runsA.length && endOf(runsA[nextA]) <= at) nextA++;
    while (nextB < runsB.length && endOf(runsB[nextB]) <= at) nextB++;
    const partA = partAt(runsA[nextA], at, end);
    const partB = partAt(runsB[nextB], at, Math.min(end, partA.end));
    const pages = partB.end - at;
    if (partA.pfn === undefined && partB.pfn === undefined) {
      at += pages;
      continue;
    }
    const heldA = partA.pfn === undefined ? { held: true, pages } : readerA.stretch(partA.pfn, pages);
    const heldB = partB.pfn === undefined ? { held: true, pages } : readerB.stretch(partB.pfn, heldA.pages);
    const alike = heldB.pages;
    if (!heldA.held || !heldB.held || readerA.budget < 0 || readerB.budget < 0) {
      total.missing += alike;
      at += alike;
      continue;
    }
    for (let page = at; page < at + alike && readerA.budget >= 0 && readerB.budget >= 0; page++) {
      const slotA = partA.pfn === undefined ? ZEROS : load(readerA, partA.pfn + page - at);
      const slotB = partB.pfn === undefined ? ZEROS : load(readerB, partB.pfn + page - at);
      if (slotA === undefined || slotB === undefined) {
        total.missing++;
        continue;
      }
      total.compared++;
      const difference = firstDifference(slotA, slotB, Math.min(PAGE_SIZE, limit - page * PAGE_SIZE));
      if (difference < 0) continue;
      total.different++;
      first ??= page * PAGE_SIZE + difference;
    }
    at += alike;
  }
  return { ...total, first };
}

const ZERO_PAGE = new Uint8Array(PAGE_SIZE);
const ZEROS: PageSlot = { bytes: ZERO_PAGE, view: new DataView(ZERO_PAGE.buffer), offset: 0 };

function load(reader: ContentReader, pfn: number): PageSlot | undefined {
  return reader.load(pfn) ? reader.slot : undefined;
}

function inOrder(runs: Iterable<ContentRun>): ContentRun[] {
  return [...runs].sort((a, b) => a.index - b.index);
}

function endOf(run: ContentRun | undefined): number {
  return run === undefined ? 0 : run.index + run.pages;
}

/** The part of a run, or of the hole before it, that begins at page `at`. */
function partAt(
  run: ContentRun | undefined,
  at: number,
  end: number,
): { readonly pfn: number | undefined; readonly end: number } {
  if (run === undefined || run.index >= end) return { pfn: undefined, end };
  if (run.index > at) return { pfn: undefined, end: run.index };
  return { pfn: run.pfn + at - run.index, end: Math.min(end, endOf(run)) };
}

/** Offset of the first byte of `length` that differs; -1 for none. */
function firstDifference(a: PageSlot, b: PageSlot, length: number): number {
  let at = 0;
  for (; at + 4 <= length; at += 4)
    if (a.view.getInt32(a.offset + at, true) !== b.view.getInt32(b.offset + at, true)) break;
  for (; at < length; at++) if (a.bytes[a.offset + at] !== b.bytes[b.offset + at]) return at;
  return -1;
}

/** Contents of two memories, compared thing by thing. */
export class ContentsComparison {
  readonly #a: ContentReader;
  readonly #b: ContentReader;
  #things = 0;
  #pages = 0;

  constructor(a: PhysicalMemory, b: PhysicalMemory) {
    this.#a = new ContentReader(a);
    this.#b = new ContentReader(b);
  }

  /** Compares contents up to the end of the shorter one, and tells when they differ. */
  compare(
    where: Pick<HandoverChange, 'part' | 'of'>,
    a: Iterable<ContentRun>,
    b: Iterable<ContentRun>,
    sizes: readonly [bigint, bigint],
    sink: ChangeSink,
  ): void {
    const { compared, different, missing, first } = compareContents(this.#a, a, this.#b, b, sizes);
    if (first !== undefined) {
      const after = `${different} of ${compared} pages differ, the first at byte 0x${first.toString(16)}`;
      sink.change({ ...where, kind: 'changed', field: 'contents', before: undefined, after: words(after) });
    }
    if (missing === 0) return;
    this.#things++;
    this.#pages += missing;
  }

  /** Notes what not both memories hold. */
  finish(sink: ChangeSink): void {
    const things = this.#things === 1 ? 'a file or region' : `${this.#things} files and regions`;
    const pages = this.#pages === 1 ? '1 page' : `${this.#pages} pages`;
    if (this.#things > 0) sink.note('unknown', `${pages} of ${things}, which not both images hold`);
  }
}
