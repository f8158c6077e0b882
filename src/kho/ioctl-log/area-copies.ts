// SPDX-License-Identifier: Apache-2.0
// Areas of the same memory: which of them to map, and how the others are copied from it.

import { LAST_ADDRESS } from './address-space.js';
import { type Area, lengthOf, PROT } from './area.js';
import type { Ioas } from './objects.js';

/** An area with the IOAS that it is in. */
export interface Placed {
  readonly ioas: Ioas;
  readonly area: Area;
}

/** One area that is to be copied; several may go in one call. */
export interface Copy {
  /** The IOAS, or id of the one, that it is copied from. */
  readonly from: Ioas | number;
  readonly to: Ioas;
  readonly iova: bigint;
  readonly source: bigint;
  readonly length: bigint;
  readonly prot: number;
  /** Whether it begins and ends where the area does that it is copied from. */
  readonly fromStart: boolean;
  readonly toEnd: boolean;
}

/** The area that brings in the memory that all share when it is mapped anew; `undefined` where none does. */
export function sourceOf(placed: readonly Placed[]): Placed | undefined {
  const { start, end } = boundsOf(placed);
  return placed.find(({ area: { prot, pages, startByte, ...range } }) => {
    const canWrite = (prot & PROT.WRITE) !== 0;
    return canWrite === pages.writable && startByte === start && startByte + lengthOf(range) === end;
  });
}

/** First byte of the shared memory that areas have, and the one behind the last. */
export function boundsOf(placed: readonly Placed[]): { readonly start: bigint; readonly end: bigint } {
  let [start, end] = [LAST_ADDRESS, 0n];
  for (const { area } of placed) {
    const behind = area.startByte + lengthOf(area);
    if (area.startByte < start) start = area.startByte;
    if (behind > end) end = behind;
  }
  return { start, end };
}

/** A copy of all of an area from one that has its memory. */
export function copyFrom(source: Area, from: Ioas | number, { ioas: to, area }: Placed): Copy {
  const start = source.start + area.startByte - source.startByte;
  const length = lengthOf(area);
  const ends = { fromStart: start === source.start, toEnd: start + length - 1n === source.last };
  return { from, to, iova: area.start, source: start, length, prot: area.prot, ...ends };
}

/** Whether one call can copy both: each must stay an area of its own, so that they come from two. */
export function goesOn(before: Copy, next: Copy): boolean {
  return (
    before.toEnd &&
    next.fromStart &&
    before.from === next.from &&
    before.to === next.to &&
    before.prot === next.prot &&
    before.iova + before.length === next.iova &&
    before.source + before.length === next.source
  );
}
