// SPDX-License-Identifier: Apache-2.0
// Areas of an address space against what page tables map. Linear in both once the areas are sorted.
import type { ExtentColumns } from '../vtd/extents.js';
import { MAPPING } from '../vtd/paging-format.js';
import type { AreaColumns } from './iommu-state.js';

/** READ and WRITE of `iommu_prot`, which are the same bits as of mappings. */
const READ = 1;
const WRITE = 2;

/**
 * How areas and mappings differ, in page frames of the IOVA: `unmapped`, a part of an area that no leaf maps;
 * `permissions`, a part that is mapped with other ones; `outside`, a mapping that no area accounts for.
 */
export interface AreaDifference {
  readonly kind: 'unmapped' | 'permissions' | 'outside';
  /** Row of the area; -1 for `outside`. */
  readonly area: number;
  /** Row of the extent; -1 for `unmapped`. */
  readonly extent: number;
  readonly first: number;
  readonly frames: number;
}

/** Rows of the areas by ascending start. */
export function areaOrder({ count, starts }: AreaColumns): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  let isSorted = true;
  for (let row = 1; row < count && isSorted; row++) isSorted = (starts[row - 1] ?? 0n) <= (starts[row] ?? 0n);
  if (isSorted) return order;
  return order.sort((a, b) => {
    const [left, right] = [starts[a] ?? 0n, starts[b] ?? 0n];
    return left < right ? -1 : left > right ? 1 : a - b;
  });
}

/** First page frame of an area, and the one behind its last. Parts of pages count as pages. */
export function areaFrames({ starts, lengths }: AreaColumns, row: number): { first: number; end: number } {
  const start = starts[row] ?? 0n;
  const end = start + (lengths[row] ?? 0n);
  return { first: Number(start >> 12n), end: Number((end + 0xfffn) >> 12n) };
}

/** Tells every difference between areas, which do not overlap, and mappings by ascending IOVA. */
export function compareAreas(
  areas: AreaColumns,
  extents: ExtentColumns,
  tell: (difference: AreaDifference) => void,
): void {
  const order = areaOrder(areas);
  let extent = 0;
  /** Frame from which on the extent at hand has not been accounted for. */
  let from = extents.iovaFrame[0] ?? 0;
  const outsideUpTo = (limit: number): void => {
    while (extent < extents.length) {
      const end = (extents.iovaFrame[extent] ?? 0) + (extents.frames[extent] ?? 0);
      const stop = Math.min(end, limit);
      if (stop > from) tell({ kind: 'outside', area: -1, extent, first: from, frames: stop - from });
      from = Math.max(from, stop);
      if (end > limit) return;
      extent++;
      from = extents.iovaFrame[extent] ?? 0;
    }
  };
  for (const area of order) {
    const { first, end } = areaFrames(areas, area);
    outsideUpTo(first);
    const wanted = (areas.protections[area] ?? 0) & (READ | WRITE);
    let at = first;
    while (extent < extents.length && from < end) {
      if (from > at) tell({ kind: 'unmapped', area, extent: -1, first: at, frames: from - at });
      const bits = extents.bits[extent] ?? 0;
      const last = (extents.iovaFrame[extent] ?? 0) + (extents.frames[extent] ?? 0);
      const stop = Math.min(last, end);
      const found = (bits & MAPPING.READ ? READ : 0) | (bits & MAPPING.WRITE ? WRITE : 0);
      if (found !== wanted) tell({ kind: 'permissions', area, extent, first: from, frames: stop - from });
      at = stop;
      from = stop;
      if (last > end) break;
      extent++;
      from = extents.iovaFrame[extent] ?? 0;
    }
    if (at < end) tell({ kind: 'unmapped', area, extent: -1, first: at, frames: end - at });
  }
  outsideUpTo(Number.POSITIVE_INFINITY);
}
