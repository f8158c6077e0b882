// SPDX-License-Identifier: Apache-2.0
// The areas of an I/O address space put in order.

/** An area of an IOAS, for people. */
export interface Area {
  /** First IOVA. */
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** READ and WRITE of `MAPPING` of vtd. */
  readonly permission: number;
}

/** Areas of whole pages by ascending IOVA, without overlaps, as columns of equal length. */
export interface SortedAreas {
  readonly length: number;
  /** First IOVA / 4096. */
  readonly first: Float64Array;
  /** IOVA / 4096 behind the last. */
  readonly end: Float64Array;
  /** READ and WRITE of `MAPPING` of vtd. */
  readonly permission: Uint8Array;
  /** Which of the areas given it is. */
  readonly source: Uint32Array;
}

/** What is wrong with areas before any table is looked at. */
export type AreaFault =
  | { readonly kind: 'unaligned'; readonly area: number }
  | { readonly kind: 'overlap'; readonly area: number; readonly other: number }
  | { readonly kind: 'wraps'; readonly area: number };

/**
 * Areas as columns. What is not of whole pages is widened to them, what overlaps is cut, what does not end at or below
 * 2^64 is left out; each is told.
 */
export function sortAreas(areas: readonly Area[]): { columns: SortedAreas; faults: AreaFault[] } {
  const faults: AreaFault[] = [];
  const order: number[] = [];
  areas.forEach(({ iova, length }, area) => {
    if (((iova | length) & 0xfffn) !== 0n) faults.push({ kind: 'unaligned', area });
    if (iova < 0n || length <= 0n || iova + length > 1n << 64n) faults.push({ kind: 'wraps', area });
    else order.push(area);
  });
  const first = Float64Array.from(areas, ({ iova }) => Number(iova >> 12n));
  const last = Float64Array.from(areas, ({ iova, length }) => Number((iova + length + 0xfffn) >> 12n));
  order.sort((a, b) => (first[a] ?? 0) - (first[b] ?? 0) || a - b);
  const columns = {
    length: 0,
    first: new Float64Array(order.length),
    end: new Float64Array(order.length),
    permission: new Uint8Array(order.length),
    source: new Uint32Array(order.length),
  };
  let reached = 0;
  let owner = 0;
  for (const area of order) {
    const start = first[area] ?? 0;
    const end = last[area] ?? 0;
    if (start < reached) faults.push({ kind: 'overlap', area, other: owner });
    if (end <= reached) continue;
    const row = columns.length++;
    columns.first[row] = Math.max(start, reached);
    columns.end[row] = end;
    columns.permission[row] = areas[area]?.permission ?? 0;
    columns.source[row] = area;
    reached = end;
    owner = area;
  }
  const { length } = columns;
  const cut = {
    length,
    first: columns.first.subarray(0, length),
    end: columns.end.subarray(0, length),
    permission: columns.permission.subarray(0, length),
    source: columns.source.subarray(0, length),
  };
  return { columns: cut, faults };
}
