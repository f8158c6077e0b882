// SPDX-License-Identifier: Apache-2.0
// Which memory the machine had, as far as an image tells it.
import { firstWhere } from '../bytes/first-where.js';
import { NumberColumn } from '../bytes/number-column.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { ScratchRegion } from './debugfs-folder.js';
import type { PreservedMap } from './preserved.js';

/** Disjoint page-frame intervals by ascending start, not touching one another. */
export interface RamMap {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** Firmware that emulators dump lies in the last gigabyte below this. */
const FOUR_GIB = 4 * 2 ** 30;
const FIRMWARE = 16 * 2 ** 20;

/** No machine that hands over has less memory: 64 MiB, in pages. */
const SMALLEST = 16384;
/** Share of what is preserved that a whole image holds, damaged entries of the map aside. */
const HELD = 0.75;

/**
 * The memory that an image knows of, contents or not; or why that is not all that the machine had. An image is taken for
 * the whole when it has 64 MiB at least, three quarters of what is preserved, and all of scratch, which no trimmed image
 * has; where scratch is not known, at least half of the addresses from its first to its last byte, firmware below 4 GiB
 * left out.
 */
export function ramOf(
  memory: PhysicalMemory,
  scratch: readonly ScratchRegion[] | undefined,
  preserved: PreservedMap | undefined,
): RamMap | string {
  const starts = new NumberColumn();
  const ends = new NumberColumn();
  let covered = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const { start, end } of memory.ranges()) {
    const from = Number(start) / 4096;
    const to = Number(end) / 4096;
    if (starts.length > 0 && from === ends.at(ends.length - 1)) ends.replaceLast(to);
    else {
      starts.push(from);
      ends.push(to);
    }
    const isFirmware =
      Number(end) <= FOUR_GIB && Number(start) >= FOUR_GIB - 2 ** 30 && to - from <= FIRMWARE / 4096;
    if (isFirmware) continue;
    covered += to - from;
    first = Math.min(first, from);
    last = Math.max(last, to);
  }
  const map = { starts: starts.toArray(), ends: ends.toArray() };
  if (covered < SMALLEST || (preserved !== undefined && heldOf(map, preserved) < HELD * preserved.pages))
    return 'the image lacks much of what is preserved, so that it is a part of memory';
  if (scratch !== undefined) {
    const isWhole = scratch.every(({ address, size }) => {
      return firstOutside(map, Number(address) / 4096, Number(size) / 4096) === undefined;
    });
    return isWhole ? map : 'the image does not hold all of scratch, so that it is a part of memory';
  }
  return covered * 2 >= last - first && covered > 0
    ? map
    : 'the image holds less than half of the addresses it spans, so that it is a part of memory';
}

/** Pages of runs that lie in the map as a whole. */
function heldOf(map: RamMap, preserved: PreservedMap): number {
  let pages = 0;
  for (let run = 0; run < preserved.count; run++) {
    const start = preserved.start(run);
    const count = preserved.end(run) - start;
    if (firstOutside(map, start, count) === undefined) pages += count;
  }
  return pages;
}

/** The first page frame of `count` from `pfn` on that lies in no interval; `undefined` when all do. */
export function firstOutside({ starts, ends }: RamMap, pfn: number, count: number): number | undefined {
  const next = firstWhere(0, starts.length, (index) => (starts[index] ?? 0) > pfn);
  const end = next === 0 ? 0 : (ends[next - 1] ?? 0);
  if (end <= pfn) return pfn;
  return end >= pfn + count ? undefined : end;
}
