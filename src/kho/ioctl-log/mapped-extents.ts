// SPDX-License-Identifier: Apache-2.0
// What page tables have to say of a replayed address space: each area in pieces that lie together in physical memory.
import { firstWhere } from '../../bytes/first-where.js';
import { type Area, lengthOf, PAGE, PROT, placeOf } from './area.js';
import type { FrameRun, LogMemory } from './log.js';
import type { Ioas } from './objects.js';

/** A run of IOVAs that leads to a run of physical addresses. */
export interface MappedExtent {
  readonly iova: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** Physical address of the first byte; left out where nobody knows it. */
  readonly address?: bigint | undefined;
  readonly read: boolean;
  readonly write: boolean;
}

/** Where memory lies, by token. */
export class MemoryFrames {
  readonly #runs: ReadonlyMap<string, readonly FrameRun[]>;

  /** @param memories - those of a log, their runs by ascending page */
  constructor(memories: readonly LogMemory[]) {
    this.#runs = new Map(memories.map(({ token, frames }) => [token, frames]));
  }

  /** The pieces of `length` bytes at `offset` of a memory: how long each is, and where it lies if that is known. */
  *pieces(
    token: string,
    offset: bigint,
    length: bigint,
  ): Generator<{ readonly length: bigint; readonly address: bigint | undefined }, void, undefined> {
    const runs = this.#runs.get(token) ?? [];
    const end = offset + length;
    let at = offset;
    for (let index = firstRun(runs, offset); at < end; index++) {
      const run = runs[index];
      const from = run === undefined ? end : BigInt(run.page) * PAGE;
      const gapEnd = from < end ? from : end;
      if (gapEnd > at) {
        yield { length: gapEnd - at, address: undefined };
        at = gapEnd;
      }
      if (run === undefined || at >= end) return;
      const runEnd = from + BigInt(run.count) * PAGE;
      const stop = runEnd < end ? runEnd : end;
      if (stop <= at) continue;
      yield { length: stop - at, address: BigInt(run.pfn) * PAGE + at - from };
      at = stop;
    }
  }
}

/** Index of the first run that ends behind `offset`. */
function firstRun(runs: readonly FrameRun[], offset: bigint): number {
  return firstWhere(0, runs.length, (index) => {
    const run = runs[index];
    return run === undefined || BigInt(run.page + run.count) * PAGE > offset;
  });
}

/** An area's extents by IOVA: what devices may do there, and where it lies as far as `frames` know. */
export function* extentsOfArea(area: Area, frames: MemoryFrames): Generator<MappedExtent, void, undefined> {
  const { token, offset } = placeOf(area);
  let iova = area.start;
  const read = (area.prot & PROT.READ) !== 0;
  const write = (area.prot & PROT.WRITE) !== 0;
  for (const { length, address } of frames.pieces(token, offset, lengthOf(area))) {
    yield { iova, length, address, read, write };
    iova += length;
  }
}

/**
 * All extents of a replayed IOAS, by IOVA; what lies together on both sides and has the same permissions is one.
 *
 * @param memories - of the log, for physical addresses
 */
export function mappedExtents(ioas: Ioas, memories: readonly LogMemory[] = []): readonly MappedExtent[] {
  const frames = new MemoryFrames(memories);
  const merged: MappedExtent[] = [];
  for (const area of ioas.space.areas.from()) {
    for (const extent of extentsOfArea(area, frames)) {
      const before = merged.at(-1);
      if (before !== undefined && continues(before, extent))
        merged[merged.length - 1] = { ...before, length: before.length + extent.length };
      else merged.push(extent);
    }
  }
  return merged;
}

function continues(before: MappedExtent, next: MappedExtent): boolean {
  const liesBehind =
    before.address === undefined
      ? next.address === undefined
      : before.address + before.length === next.address;
  return (
    liesBehind &&
    before.iova + before.length === next.iova &&
    before.read === next.read &&
    before.write === next.write
  );
}
