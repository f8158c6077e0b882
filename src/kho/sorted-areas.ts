// SPDX-License-Identifier: Apache-2.0
// The areas of an I/O address space put in order.
import { PAGE_SIZE } from '../image/physical-memory.js';
import { MAPPING } from '../vtd/paging-format.js';
import { halvesOf, pageFrames } from './address-columns.js';
import type { AreaColumns } from './iommu-state.js';

const PERMISSION = MAPPING.READ | MAPPING.WRITE;

/** An area of an IOAS, for people. */
export interface Area {
  /** First IOVA. */
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** READ and WRITE of {@link MAPPING}. */
  readonly permission: number;
}

/** Areas of whole pages by ascending IOVA, without overlaps, as columns of equal length. */
export interface SortedAreas {
  readonly length: number;
  /** First IOVA / 4096. */
  readonly first: Float64Array;
  /** IOVA / 4096 behind the last. */
  readonly end: Float64Array;
  /** READ and WRITE of {@link MAPPING}. */
  readonly permission: Uint8Array;
  /** Which of the areas given it is. */
  readonly source: Uint32Array;
}

/** What is wrong with areas before any table is looked at. */
export type AreaFault =
  | { readonly kind: 'unaligned'; readonly area: number }
  | { readonly kind: 'overlap'; readonly area: number; readonly other: number }
  | { readonly kind: 'wraps'; readonly area: number };

/** Areas as columns, in any order. */
export type AreaList = Pick<AreaColumns, 'count' | 'starts' | 'lengths' | 'protections'>;

/** Areas as columns, in the same order. */
export function listAreas(areas: readonly Area[]): AreaList {
  return {
    count: areas.length,
    starts: BigUint64Array.from(areas, ({ iova }) => iova),
    lengths: BigUint64Array.from(areas, ({ length }) => length),
    protections: Int32Array.from(areas, ({ permission }) => permission),
  };
}

/** Frames of all addresses: what ends behind them does not end at or below 2^64. */
const ALL_FRAMES = 2 ** 52;

/**
 * Areas by IOVA. What is not of whole pages is widened to them, what overlaps is cut, what has no length or does not end
 * at or below 2^64 is left out; each is told. Of protections READ and WRITE count, which are the same bits in mappings.
 */
export function sortAreas({ count, starts, lengths, protections }: AreaList): {
  columns: SortedAreas;
  faults: AreaFault[];
} {
  const faults: AreaFault[] = [];
  const order: number[] = [];
  const first = pageFrames(starts);
  const last = pageFrames(lengths);
  const startHalves = halvesOf(starts);
  const lengthHalves = halvesOf(lengths);
  for (let area = 0; area < count; area++) {
    const startByte = (startHalves[2 * area] ?? 0) % PAGE_SIZE;
    const endByte = startByte + ((lengthHalves[2 * area] ?? 0) % PAGE_SIZE);
    const start = first[area] ?? 0;
    const end = start + (last[area] ?? 0) + Math.ceil(endByte / PAGE_SIZE);
    if (startByte !== 0 || endByte !== 0) faults.push({ kind: 'unaligned', area });
    if (lengths[area] === 0n || end > ALL_FRAMES) faults.push({ kind: 'wraps', area });
    else order.push(area);
    last[area] = end;
  }
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
    columns.permission[row] = (protections[area] ?? 0) & PERMISSION;
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
