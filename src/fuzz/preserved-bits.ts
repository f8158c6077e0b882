// SPDX-License-Identifier: Apache-2.0
// Which bit of which page of the map of preserved memory stands for which block.
import { mapFormOf } from '../kho/encode-map.js';
import type { Handover } from '../kho/handover.js';
import type { MapReader } from '../kho/map-reader.js';
import { readBitmapChunks } from '../kho/preserved-bitmaps.js';
import { readRadixTree } from '../kho/preserved-radix.js';
import { bitRuns } from '../kho/preserved-runs.js';

/** A preserved block and the bit that says so. */
export interface PreservedBit {
  /** Page frame of its first page. */
  readonly pfn: number;
  /** It has 2^order pages. */
  readonly order: number;
  /** Physical address of the bitmap. */
  readonly holder: bigint;
  /** Position in the bitmap, lowest bit of the first byte first. */
  readonly bit: number;
  /** Bits that the bitmap has. */
  readonly bits: number;
}

/** All bits of a map, found by its reader: runs come in the order of the bits that are set. */
export function preservedBits({ memory, root: { map, identified } }: Handover): readonly PreservedBit[] {
  if (map === undefined || identified === undefined) return [];
  const runs = new Map<bigint, { pfn: number; order: number; blocks: number }[]>();
  const reader: MapReader = {
    pointerAddress: map.at,
    issue: () => undefined,
    node: () => true,
    run: (order, pfn, blocks, holder) => {
      const own = runs.get(holder) ?? [];
      runs.set(holder, own);
      own.push({ pfn, order, blocks });
    },
  };
  const { target } = map;
  const form = mapFormOf(identified.version.layout);
  const size = form?.kind === 'bitmaps' ? form.bitmapBytes : 4096;
  if (target.to === 'radix') readRadixTree(memory, map.address, target.tree, reader);
  else if (target.to === 'layout' && target.layout.kind === 'struct')
    readBitmapChunks(memory, map.address, target.layout, reader);
  const found: PreservedBit[] = [];
  for (const [holder, list] of runs) {
    const set: number[] = [];
    bitRuns(memory.read(holder, size), (first, count) => {
      for (let bit = first; bit < first + count; bit++) set.push(bit);
    });
    let next = 0;
    for (const { pfn, order, blocks } of list)
      for (let block = 0; block < blocks; block++, next++)
        found.push({ pfn: pfn + block * 2 ** order, order, holder, bit: set[next] ?? 0, bits: size * 8 });
  }
  return found;
}
