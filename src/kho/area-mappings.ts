// SPDX-License-Identifier: Apache-2.0
// Do page tables map just what an I/O address space says? Both are read once, in step, by ascending IOVA.
import { firstWhere } from '../bytes/first-where.js';
import type { ExtentColumns } from '../vtd/extents.js';
import { MAPPING } from '../vtd/paging-format.js';
import type { SortedAreas } from './sorted-areas.js';

/** What memory backs a part of an area, where somebody knows. */
export interface Backing {
  readonly iova: bigint;
  /** Physical address of its first byte. */
  readonly phys: bigint;
  /** In bytes. */
  readonly length: bigint;
}

/**
 * A way in which page tables differ from areas:
 *
 * - `unmapped`: an area says that these IOVAs are mapped, no leaf maps them
 * - `outside`: leaves map what no area speaks of
 * - `permission`: the leaves let a device do more or less than the area says
 * - `repointed`: the leaves lead elsewhere than to the memory that backs the area
 */
export type MappingFault = 'unmapped' | 'outside' | 'permission' | 'repointed';

/** A stretch of IOVAs where page tables differ from areas in the same way. */
export interface MappingDifference {
  readonly kind: MappingFault;
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** Which area, as given; `undefined` for `outside`. */
  readonly area: number | undefined;
  /** Where the first page is mapped; `undefined` for `unmapped`. */
  readonly phys: bigint | undefined;
  /** Where it should be; only of `repointed`. */
  readonly expectedPhys: bigint | undefined;
  /** READ and WRITE of {@link MAPPING}, by the area and by the leaves. */
  readonly expected: number;
  readonly found: number;
}

/** What a comparison of areas with page tables found. */
export interface AreaMappings {
  /** The first differences, by IOVA. */
  readonly differences: readonly MappingDifference[];
  /** How many there are of each kind. */
  readonly counts: Readonly<Record<MappingFault, number>>;
  /** Pages that differ. */
  readonly pages: number;
}

/** A difference that may still grow, in frames. */
interface Open {
  readonly kind: MappingFault;
  readonly first: number;
  end: number;
  readonly area: number;
  readonly frame: number;
  readonly expectedFrame: number;
  readonly expected: number;
  readonly found: number;
}

const PERMISSION = MAPPING.READ | MAPPING.WRITE;
const DEFAULT_KEPT = 1000;

/**
 * Holds the extents of a walk against areas: give {@link take} to the walk as its `extents`, then ask {@link finish}.
 * Takes time in proportion to extents and areas, and memory for the differences kept.
 */
export class AreaMappingCheck {
  readonly #areas: SortedAreas;
  /** Where memory behind areas starts and ends by IOVA, and where it lies, in frames. */
  readonly #backing: {
    readonly first: Float64Array;
    readonly end: Float64Array;
    readonly frame: Float64Array;
  };
  readonly #kept: number;
  readonly #differences: MappingDifference[] = [];
  #pages = 0;
  readonly #counts: Record<MappingFault, number> = { unmapped: 0, outside: 0, permission: 0, repointed: 0 };
  /** The area that is being looked at, and up to where it was found mapped. */
  #area = 0;
  #covered: number;
  #backed = 0;
  #open: Open | undefined;

  /**
   * @param backing memory behind the areas where it is known, by ascending IOVA, without overlaps
   * @param kept differences kept at most; all are counted
   */
  constructor(areas: SortedAreas, backing: readonly Backing[] = [], kept: number = DEFAULT_KEPT) {
    this.#areas = areas;
    this.#backing = {
      first: Float64Array.from(backing, ({ iova }) => Number(iova >> 12n)),
      end: Float64Array.from(backing, ({ iova, length }) => Number((iova + length) >> 12n)),
      frame: Float64Array.from(backing, ({ phys }) => Number(phys >> 12n)),
    };
    this.#kept = kept;
    this.#covered = areas.first[0] ?? 0;
  }

  /** Takes the next extents of the walk. */
  readonly take = (rows: ExtentColumns): void => {
    const { iovaFrame, frame, frames, bits } = rows;
    const checkBacking = this.#backing.first.length > 0;
    let row = 0;
    while (row < rows.length) {
      row = this.#takeInStep(rows, row);
      if (row === rows.length) break;
      const from = iovaFrame[row] ?? 0;
      this.#place(from, from + (frames[row] ?? 0), frame[row] ?? 0, (bits[row] ?? 0) & PERMISSION);
      row++;
    }
    for (row = 0; checkBacking && row < rows.length; row++) {
      const from = iovaFrame[row] ?? 0;
      this.#back(from, from + (frames[row] ?? 0), frame[row] ?? 0, (bits[row] ?? 0) & PERMISSION);
    }
  };

  /** Takes extents as long as each goes on where the last ended, within the area: nearly all do. @returns the next row */
  #takeInStep({ iovaFrame, frames, bits, length }: ExtentColumns, first: number): number {
    const end = this.#areas.end[this.#area] ?? 0;
    const allowed = this.#areas.permission[this.#area] ?? 0;
    const stop = firstWhere(first, length, (index) => (iovaFrame[index] ?? 0) >= end);
    let next = this.#covered;
    let row = first;
    // What comes next is made of what is read, not added up: additions in a row would wait for one another.
    for (; row < stop; row++) {
      const at = iovaFrame[row] ?? 0;
      if (at !== next || ((bits[row] ?? 0) & PERMISSION) !== allowed) break;
      next = at + (frames[row] ?? 0);
    }
    // Only the last one can reach beyond the area.
    if (next > end) next = iovaFrame[--row] ?? 0;
    this.#covered = next;
    return row;
  }

  /** Ends the comparison: what was not reached is not mapped. */
  finish(): AreaMappings {
    this.#leaveAreasBefore(Number.POSITIVE_INFINITY);
    this.#flush();
    return { differences: this.#differences, counts: this.#counts, pages: this.#pages };
  }

  /** An extent that does not just go on. */
  #place(from: number, to: number, frame: number, found: number): void {
    const { first, end, permission, source } = this.#areas;
    for (let at = from; at < to; ) {
      this.#leaveAreasBefore(at);
      const start = first[this.#area] ?? Number.POSITIVE_INFINITY;
      const stop = end[this.#area] ?? Number.POSITIVE_INFINITY;
      if (at < start) {
        const until = Math.min(to, start);
        this.#tell({
          kind: 'outside',
          first: at,
          end: until,
          area: -1,
          frame: frame + at - from,
          expectedFrame: -1,
          expected: 0,
          found,
        });
        at = until;
        continue;
      }
      const area = source[this.#area] ?? 0;
      const expected = permission[this.#area] ?? 0;
      this.#gap(at);
      const until = Math.min(to, stop);
      if (found !== expected) {
        this.#tell({
          kind: 'permission',
          first: at,
          end: until,
          area,
          frame: frame + at - from,
          expectedFrame: -1,
          expected,
          found,
        });
      }
      this.#covered = until;
      at = until;
    }
  }

  /** Goes on to the first area that does not end before IOVA frame `at`. */
  #leaveAreasBefore(at: number): void {
    const { first, end, length } = this.#areas;
    while (this.#area < length && (end[this.#area] ?? 0) <= at) {
      this.#gap(end[this.#area] ?? 0);
      this.#area++;
      this.#covered = first[this.#area] ?? 0;
    }
  }

  /** What of the current area lies between what was covered and `at` is not mapped. */
  #gap(at: number): void {
    if (at <= this.#covered) return;
    const area = this.#areas.source[this.#area] ?? 0;
    const expected = this.#areas.permission[this.#area] ?? 0;
    this.#tell({
      kind: 'unmapped',
      first: this.#covered,
      end: at,
      area,
      frame: -1,
      expectedFrame: -1,
      expected,
      found: 0,
    });
  }

  /** Holds an extent against the memory that backs its IOVAs. */
  #back(from: number, to: number, frame: number, found: number): void {
    const { first, end, frame: backing } = this.#backing;
    for (; this.#backed < first.length; this.#backed++) {
      const begin = first[this.#backed] ?? 0;
      const behind = end[this.#backed] ?? 0;
      if (begin >= to) return;
      const start = Math.max(begin, from);
      const stop = Math.min(behind, to);
      const is = frame + start - from;
      const expected = (backing[this.#backed] ?? 0) + start - begin;
      if (start < stop && is !== expected) {
        this.#tell({
          kind: 'repointed',
          first: start,
          end: stop,
          area: this.#areaAt(start),
          frame: is,
          expectedFrame: expected,
          expected: found,
          found,
        });
      }
      if (behind > to) return;
    }
  }

  /** Which of the areas given holds an IOVA frame; -1 for none. */
  #areaAt(at: number): number {
    const { first, end, source, length } = this.#areas;
    const row = firstWhere(0, length, (index) => (end[index] ?? 0) > at);
    return row < length && (first[row] ?? 0) <= at ? (source[row] ?? 0) : -1;
  }

  #tell(next: Open): void {
    const open = this.#open;
    const grows =
      open !== undefined &&
      open.kind === next.kind &&
      open.end === next.first &&
      open.area === next.area &&
      open.expected === next.expected &&
      open.found === next.found &&
      next.kind !== 'repointed';
    if (grows) open.end = next.end;
    else {
      this.#flush();
      this.#open = next;
    }
  }

  #flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#counts[open.kind]++;
    this.#pages += open.end - open.first;
    if (this.#differences.length >= this.#kept) return;
    const bytes = (frames: number): bigint => BigInt(frames) << 12n;
    this.#differences.push({
      kind: open.kind,
      iova: bytes(open.first),
      length: bytes(open.end - open.first),
      area: open.area < 0 ? undefined : open.area,
      phys: open.frame < 0 ? undefined : bytes(open.frame),
      expectedPhys: open.expectedFrame < 0 ? undefined : bytes(open.expectedFrame),
      expected: open.expected,
      found: open.found,
    });
  }
}
