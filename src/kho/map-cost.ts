// SPDX-License-Identifier: Apache-2.0
// What a map of preserved memory costs by itself: its pages, and how full they are.
import { newPageSlot, PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';
import type { Handover } from './handover.js';
import type { PreservedForm } from './preserved.js';

/** The nodes of one level of a map; leaves are level 0. */
export interface MapLevelCost {
  readonly level: number;
  /** Pages that the nodes of the level take. */
  readonly nodes: number;
  /** Bits (leaves) or entries (tables) that are set. */
  readonly used: number;
  /** Bits or entries that there are. */
  readonly capacity: number;
}

/** A map of preserved memory in numbers. */
export interface MapCost {
  readonly form: PreservedForm;
  /** Page frames that it takes. Several bitmaps may share one. */
  readonly pages: number;
  /** By level, leaves first; empty for a form without levels. */
  readonly levels: readonly MapLevelCost[];
  /** Runs of blocks that follow one another. */
  readonly runs: number;
  /** Pages preserved; those of blocks that overlap count once. */
  readonly preservedPages: number;
  readonly byOrder: readonly { readonly order: number; readonly blocks: number }[];
}

/** Counts the map of a handover; `undefined` where it has none that can be read. */
export function mapCost(handover: Handover): MapCost | undefined {
  const { preserved, root } = handover;
  if (preserved === undefined) return undefined;
  const target = root.map?.target;
  return {
    form: preserved.form,
    pages: new Set(preserved.nodes).size,
    levels: target?.to === 'radix' ? radixLevels(handover, preserved.address, target.tree.depth[12]) : [],
    runs: preserved.count,
    preservedPages: preserved.pages,
    byOrder: preserved.byOrder(),
  };
}

const TABLE_ENTRIES = PAGE_SIZE / 8;
const LEAF_BITS = PAGE_SIZE * 8;

/** Reads the tree once more, level by level: only pages that the map was read from, each once. */
function radixLevels({ memory, preserved }: Handover, root: bigint, depth: number): MapLevelCost[] {
  const known = new Set(preserved?.nodes);
  const levels: MapLevelCost[] = [];
  const slot = newPageSlot();
  let frames = [Number(root >> BigInt(PAGE_SHIFT))];
  for (let level = depth - 1; level >= 0; level--) {
    const below: number[] = [];
    let nodes = 0;
    let used = 0;
    for (const pfn of frames) {
      if (!known.delete(pfn) || memory.locate(pfn, slot) !== undefined) continue;
      nodes++;
      const { view, offset } = slot;
      if (level === 0) {
        for (let at = 0; at < PAGE_SIZE; at += 4) used += bitsSet(view.getUint32(offset + at, true));
        continue;
      }
      for (let at = 0; at < PAGE_SIZE; at += 8) {
        const child = view.getBigUint64(offset + at, true);
        // What is no address of a page leads nowhere, as the map's issues tell.
        if (child === 0n || child % BigInt(PAGE_SIZE) !== 0n || child >> 52n !== 0n) continue;
        used++;
        below.push(Number(child >> BigInt(PAGE_SHIFT)));
      }
    }
    const capacity = nodes * (level === 0 ? LEAF_BITS : TABLE_ENTRIES);
    levels.unshift({ level, nodes, used, capacity });
    frames = below;
  }
  return levels;
}

/** How many bits of a word are set. */
function bitsSet(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}
