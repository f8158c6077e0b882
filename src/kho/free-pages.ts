// SPDX-License-Identifier: Apache-2.0
import { firstWhere } from '../bytes/first-where.js';
import { formatHex } from '../bytes/hex.js';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { BuildError } from './build-error.js';

interface Run {
  pfn: number;
  end: number;
}

/** Page runs that lie in `runs` and in none of `holes`; both may be in any order. */
export function withoutRuns(runs: Iterable<PageRun>, holes: Iterable<PageRun>): PageRun[] {
  const cut = mergeRuns(holes);
  const left: PageRun[] = [];
  let index = 0;
  for (const { pfn, count } of mergeRuns(runs)) {
    const end = pfn + count;
    let at = pfn;
    for (let hole = cut[index]; hole !== undefined && hole.pfn < end; hole = cut[index]) {
      if (hole.pfn > at) left.push({ pfn: at, count: hole.pfn - at });
      at = Math.max(at, hole.pfn + hole.count);
      if (hole.pfn + hole.count > end) break;
      index++;
    }
    if (at < end) left.push({ pfn: at, count: end - at });
  }
  return left;
}

/** Free page frames that are given out once, lowest first. */
export class FreePages {
  /** By ascending address; those before `#first` are used up. */
  #runs: Run[];
  #first = 0;
  /** What is left in front of aligned blocks, in no order. */
  #scraps: Run[] = [];
  /** By log2 of the alignment: runs before this index have no room for such a block. */
  readonly #hints = new Map<number, number>();

  /** @param runs what is free, in any order */
  constructor(runs: Iterable<PageRun>) {
    this.#runs = mergeRuns(runs).map(({ pfn, count }) => ({ pfn, end: pfn + count }));
  }

  /**
   * Takes 2^order pages that begin at a multiple of their size.
   *
   * @returns the first page frame
   * @throws BuildError NO_ROOM
   */
  take(order: number): number {
    if (order > 0) return this.takeRun(2 ** order, 2 ** order);
    const scrap = this.#scraps.at(-1);
    const run = scrap ?? this.#firstRun();
    if (run === undefined) throw noRoom(1);
    const pfn = run.pfn++;
    if (scrap !== undefined && scrap.pfn === scrap.end) this.#scraps.pop();
    return pfn;
  }

  #firstRun(): Run | undefined {
    for (let run = this.#runs[this.#first]; run !== undefined; run = this.#runs[this.#first]) {
      if (run.pfn < run.end) return run;
      this.#first++;
    }
    return undefined;
  }

  /**
   * Takes pages that lie together.
   *
   * @param align page frames that the first must be a multiple of
   * @throws BuildError NO_ROOM
   */
  takeRun(count: number, align = 1): number {
    const found = this.#search(count, align);
    if (found !== undefined) return found;
    if (this.#scraps.length > 0) {
      this.#gather();
      const again = this.#search(count, align);
      if (again !== undefined) return again;
    }
    throw noRoom(count);
  }

  #search(count: number, align: number): number | undefined {
    // A hint holds for blocks of one size only.
    const size = count === align ? align : 0;
    for (let index = Math.max(this.#first, this.#hints.get(size) ?? 0); index < this.#runs.length; index++) {
      const run = this.#runs[index];
      const start = run === undefined ? 0 : Math.ceil(run.pfn / align) * align;
      if (run === undefined || start + count > run.end) continue;
      if (start > run.pfn) this.#scraps.push({ pfn: run.pfn, end: start });
      run.pfn = start + count;
      if (size > 0) this.#hints.set(size, index);
      return start;
    }
    return undefined;
  }

  /** Puts scraps back among the runs. */
  #gather(): void {
    const all = [...this.#runs.slice(this.#first), ...this.#scraps];
    this.#runs = mergeRuns(all.map(({ pfn, end }) => ({ pfn, count: end - pfn }))).map(({ pfn, count }) => ({
      pfn,
      end: pfn + count,
    }));
    this.#first = 0;
    this.#scraps = [];
    this.#hints.clear();
  }

  /**
   * Takes pages at a place.
   *
   * @throws BuildError NO_ROOM when one of them is not free
   */
  claim({ pfn, count }: PageRun): void {
    if (this.#scraps.length > 0) this.#gather();
    const at = firstWhere(this.#first, this.#runs.length, (index) => (this.#runs[index]?.end ?? 0) > pfn);
    const run = this.#runs[at];
    const end = pfn + count;
    if (run === undefined || run.pfn > pfn || run.end < end) {
      throw new BuildError({
        code: 'NO_ROOM',
        message: `${count * PAGE_SIZE} bytes from here are not all free memory`,
        address: BigInt(pfn) * BigInt(PAGE_SIZE),
      });
    }
    const tail = { pfn: end, end: run.end };
    run.end = pfn;
    this.#runs.splice(at + 1, 0, tail);
    this.#hints.clear();
  }
}

function noRoom(count: number): BuildError {
  const what = `no ${formatHex(count * PAGE_SIZE)} bytes of free memory lie together`;
  return new BuildError({ code: 'NO_ROOM', message: `${what}; give more memory, or less scratch` });
}
