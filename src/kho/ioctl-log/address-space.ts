// SPDX-License-Identifier: Apache-2.0
// An I/O address space of iommufd: areas, reserved and allowed ranges, the choice of IOVAs, and every refusal
// (drivers/iommu/iommufd/io_pagetable.c, Linux 7.3.4).
import { type Area, PAGE, type Piece, PROT } from './area.js';
import { AreaTree } from './area-tree.js';
import { ERRNO, type ErrnoName } from './errno.js';
import type { AddressRange } from './log.js';
import { overlaps, ReservedRanges } from './reserved-ranges.js';

/** The last address of 64 bits. */
export const LAST_ADDRESS = 0xffff_ffff_ffff_ffffn;
/** Largest alignment that the kernel aims at, with transparent huge pages. */
const HUGE_PAGE = 0x20_0000n;
const PAGE_MASK = PAGE - 1n;

function refuse(name: ErrnoName): number {
  return ERRNO[name];
}

/** Where a mapping goes and what devices may do there. */
export interface MapRequest {
  /** The IOVA asked for; `undefined` leaves the choice to the kernel. */
  readonly iova: bigint | undefined;
  readonly length: bigint;
  readonly prot: number;
}

/** An IOVA, or an error number. */
export type Mapped = { readonly iova: bigint } | { readonly errno: number };

/** The address space of an IOAS. */
export class AddressSpace {
  readonly areas: AreaTree<Area> = new AreaTree();
  readonly #reserved = new ReservedRanges();
  #allowed: readonly AddressRange[] = [];
  /** Domains, and the smallest page of each. */
  readonly #domains = new Set<object>();
  /** How many areas are no memory of a file: CHANGE_PROCESS refuses those. */
  #anonymous = 0;
  #largePages = true;

  /** Alignment in bytes that IOVAs and lengths need. */
  get alignment(): bigint {
    return this.#domains.size > 0 || !this.#largePages ? PAGE : 1n;
  }

  /** Whether leaves may be larger than 4 KiB. */
  get largePages(): boolean {
    return this.#largePages;
  }

  /** The ranges that the kernel may choose from; none for all. */
  get allowed(): readonly AddressRange[] {
    return this.#allowed;
  }

  /** The reserved ranges by address, overlaps folded. */
  get reserved(): readonly AddressRange[] {
    return this.#reserved.folded;
  }

  /** Whether there is an area whose memory is no file's. */
  get hasAnonymous(): boolean {
    return this.#anonymous > 0;
  }

  /** What is not reserved, by address. */
  holes(): readonly AddressRange[] {
    return [...this.#reserved.holesIn({ start: 0n, last: LAST_ADDRESS })];
  }

  /** What is mapped at a range, to be mapped once more. @returns an error number where something is not mapped */
  slice(iova: bigint, length: bigint): readonly Piece[] | number {
    if (length === 0n) return refuse('EINVAL');
    const last = iova + length - 1n;
    if (last > LAST_ADDRESS) return refuse('EOVERFLOW');
    const pieces: Piece[] = [];
    let next = iova;
    for (const { start, last: end, pages, startByte } of this.areas.from(iova)) {
      if (start > next) break;
      const stop = end < last ? end : last;
      pieces.push({ pages, startByte: startByte + next - start, length: stop - next + 1n });
      next = stop + 1n;
      if (next > last) return pieces;
    }
    return refuse('ENOENT');
  }

  /** Where memory would be mapped, an area for each piece. @returns the IOVA, or why it is refused */
  plan(pieces: readonly Piece[], { iova: asked, length, prot }: MapRequest): Mapped {
    if (length === 0n || (length & (this.alignment - 1n)) !== 0n) return { errno: refuse('EINVAL') };
    const [first] = pieces;
    const found =
      asked === undefined
        ? this.#choose((first?.pages.address ?? 0n) + (first?.startByte ?? 0n), length)
        : this.#fixed(asked, length);
    if (typeof found === 'number') return { errno: found };
    for (const { pages, startByte } of pieces) {
      if ((prot & PROT.WRITE) !== 0 && !pages.writable) return { errno: refuse('EPERM') };
      if ((startByte & PAGE_MASK & (this.alignment - 1n)) !== 0n) return { errno: refuse('EINVAL') };
    }
    return { iova: found };
  }

  /** Maps pieces one after another from an IOVA on that {@link plan} found. */
  insert(iova: bigint, prot: number, pieces: readonly Piece[]): void {
    let start = iova;
    for (const { pages, startByte, length: size } of pieces) {
      this.areas.insert({ start, last: start + size - 1n, prot, pages, startByte });
      if (pages.fd === undefined) this.#anonymous++;
      start += size;
    }
  }

  #fixed(iova: bigint, length: bigint): bigint | number {
    if ((iova & (this.alignment - 1n)) !== 0n) return refuse('EINVAL');
    const last = iova + length - 1n;
    if (last > LAST_ADDRESS) return refuse('EOVERFLOW');
    if (overlaps(this.reserved, iova, last)) return refuse('EINVAL');
    return this.areas.firstIn(iova, last) === undefined ? iova : refuse('EEXIST');
  }

  /** The IOVA that the kernel picks for memory at `address`. */
  #choose(address: bigint, length: bigint): bigint | number {
    if (length >= LAST_ADDRESS / 2n) return refuse('EOVERFLOW');
    const rounded = 1n << BigInt((length - 1n).toString(2).length);
    const natural = length === 1n ? 1n : rounded;
    const lowest = address & -address;
    const wanted = address !== 0n && lowest < natural ? lowest : natural;
    const alignment = wanted < HUGE_PAGE ? wanted : HUGE_PAGE;
    if (alignment < this.alignment) return refuse('EINVAL');
    const request = { length, alignment, offset: address & PAGE_MASK };
    for (const { start, last } of this.#windows()) {
      if (last - start + 1n < length) continue;
      const found = this.areas.findHole(start, last, request);
      if (found !== undefined) return found;
    }
    return refuse('ENOSPC');
  }

  /** Where the kernel looks for IOVAs: allowed and not reserved, neither the first page nor the last. */
  *#windows(): Generator<AddressRange, void, undefined> {
    const whole = { start: PAGE, last: LAST_ADDRESS - PAGE };
    const allowed = this.#allowed.length === 0 ? [whole] : this.#allowed;
    for (const { start, last } of allowed) {
      yield* this.#reserved.holesIn({ start: higher(start, whole.start), last: lower(last, whole.last) });
    }
  }

  /**
   * What unmapping a range comes to: the error number, and the areas that are gone afterwards. Also a refused call takes
   * areas away: those before one that is covered in part.
   */
  planUnmap(iova: bigint, length: bigint): { readonly errno: number; readonly areas: readonly Area[] } {
    const areas: Area[] = [];
    const everything = iova === 0n && length === LAST_ADDRESS;
    if (!everything) {
      if (iova >= LAST_ADDRESS || length >= LAST_ADDRESS) return { errno: refuse('EOVERFLOW'), areas };
      if (length === 0n) return { errno: refuse('EINVAL'), areas };
      if (iova + length - 1n > LAST_ADDRESS) return { errno: refuse('EOVERFLOW'), areas };
    }
    const last = everything ? LAST_ADDRESS : iova + length - 1n;
    for (const area of this.areas.from(iova)) {
      if (area.start > last) break;
      if (area.start < iova || area.last > last) return { errno: refuse('ENOENT'), areas };
      areas.push(area);
    }
    return { errno: areas.length === 0 && !everything ? refuse('ENOENT') : 0, areas };
  }

  /** Unmaps areas that {@link planUnmap} found. */
  remove(areas: readonly Area[]): void {
    for (const area of areas) {
      this.areas.remove(area);
      if (area.pages.fd === undefined) this.#anonymous--;
    }
  }

  /** Replaces the ranges that the kernel may choose from. @returns 0 or the error number, nothing being changed */
  allow(ranges: readonly AddressRange[]): number {
    const sorted = this.planAllow(ranges);
    if (typeof sorted === 'number') return sorted;
    this.#allowed = sorted;
    return 0;
  }

  /** The ranges by address, or the error number with which {@link allow} refuses them. */
  planAllow(ranges: readonly AddressRange[]): readonly AddressRange[] | number {
    if (ranges.some(({ start, last }) => start >= last)) return refuse('EINVAL');
    const sorted = [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1));
    if (sorted.some(({ start }, index) => start <= (sorted[index - 1]?.last ?? -1n))) return refuse('EINVAL');
    if (sorted.some(({ start, last }) => overlaps(this.reserved, start, last))) return refuse('EADDRINUSE');
    return sorted;
  }

  /** Whether {@link reserve} would be refused: 0 or the error number. */
  checkReserve(ranges: readonly AddressRange[]): number {
    for (const { start, last } of ranges) {
      const taken = this.areas.firstIn(start, last) !== undefined || overlaps(this.#allowed, start, last);
      if (taken) return refuse('EADDRINUSE');
    }
    return 0;
  }

  /** Keeps areas and allowed ranges out of `ranges` for `owner`; the caller knows that none is there. */
  reserve(ranges: readonly AddressRange[], owner: object): void {
    this.#reserved.add(ranges, owner);
  }

  /** Gives up everything that `owner` reserved. */
  release(owner: object): void {
    this.#reserved.release(owner);
  }

  /** Whether {@link addDomain} would be refused: 0 or the error number. */
  checkDomain(aperture: AddressRange): number {
    if (this.alignment < PAGE && !this.#isAligned()) return refuse('EADDRINUSE');
    return this.checkReserve(beyond(aperture));
  }

  /** Translates through one more page table, of 4 KiB pages, that reaches `aperture`. */
  addDomain(domain: object, aperture: AddressRange): void {
    this.reserve(beyond(aperture), domain);
    this.#domains.add(domain);
  }

  /** Translates through a page table no longer. */
  removeDomain(domain: object): void {
    this.#domains.delete(domain);
    this.release(domain);
  }

  /** Whether {@link setLargePages} would be refused: 0 or the error number. */
  checkLargePages(on: boolean): number {
    if (on || !this.#largePages) return 0;
    if (this.#domains.size > 0 && this.areas.size > 0) return refuse('EINVAL');
    return this.#isAligned() ? 0 : refuse('EADDRINUSE');
  }

  /** Allows leaves above 4 KiB, or not. */
  setLargePages(on: boolean): void {
    this.#largePages = on;
  }

  #isAligned(): boolean {
    for (const { start, last, startByte } of this.areas.from()) {
      if (((start | (last + 1n) | startByte) & PAGE_MASK) !== 0n) return false;
    }
    return true;
  }
}

function lower(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function higher(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** What a page table that reaches `aperture` cannot reach. */
function beyond({ start, last }: AddressRange): readonly AddressRange[] {
  const found: AddressRange[] = [];
  if (start > 0n) found.push({ start: 0n, last: start - 1n });
  if (last < LAST_ADDRESS) found.push({ start: last + 1n, last: LAST_ADDRESS });
  return found;
}
