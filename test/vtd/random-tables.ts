// SPDX-License-Identifier: Apache-2.0
import { type PageMiss, type PageSlot, PageStore } from '../../src/image/index.js';
import { pagingFormat, type TableRoot, type WalkOptions } from '../../src/vtd/index.js';
import type { Random } from '../random.js';

/** Memory of which some pages were left out by the dumper. */
class TrimmedStore extends PageStore {
  readonly excluded = new Set<number>();

  override page(pfn: number): Uint8Array | PageMiss {
    return this.excluded.has(pfn) ? 'excluded' : super.page(pfn);
  }

  override locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    return this.excluded.has(pfn) ? 'excluded' : super.locate(pfn, slot);
  }
}

/** Tables as no kernel would write them, and how to walk them. */
export interface RandomTables {
  readonly memory: PageStore;
  readonly root: TableRoot;
  readonly options: WalkOptions;
  /** Frames of the table pages that the walk may reach. */
  readonly frames: readonly number[];
}

const ADDRESS_LIMIT = 1n << 40n;

function randomBits(random: Random, bits: number): bigint {
  let value = 0n;
  for (let done = 0; done < bits; done += 16) value = (value << 16n) | BigInt(random.below(0x1_0000));
  return value & ((1n << BigInt(bits)) - 1n);
}

/** Bits of an entry besides its address: mostly those that tables have, now and then any. */
function attributes(random: Random): bigint {
  const usual = random.pick([3n, 3n, 3n, 1n, 2n, 7n, 0x67n, 0x27n, 0x803n, 0x83n, 0x303n, 0x103n]);
  switch (random.below(8)) {
    case 0:
      return usual ^ (1n << BigInt(random.below(12)));
    case 1:
      return usual | (1n << 63n);
    case 2:
      return usual | (1n << BigInt(52 + random.below(12)));
    case 3:
      return randomBits(random, 12) | (randomBits(random, 12) << 52n);
    default:
      return usual;
  }
}

/** Entries from `at` on in one of the ways in which they come; returns where they end. */
function fillStretch(random: Random, entries: BigUint64Array, at: number, frames: readonly number[]): number {
  const end = Math.min(512, at + 1 + random.below(random.pick([2, 20, 200, 600])));
  const bits = attributes(random);
  const way = random.below(9);
  let frame = randomBits(random, random.pick([20, 28, 40]));
  if (random.below(12) === 0) frame = ADDRESS_LIMIT - 1n - BigInt(random.below(20));
  if (random.below(3) === 0) frame &= ~0x1ffn;
  for (let index = at; index < end; index++) {
    const step = BigInt(index - at);
    let entry = 0n;
    if (way <= 2) entry = (((frame + step) << 12n) | bits) & 0xffff_ffff_ffff_ffffn;
    else if (way === 3) entry = (((frame + step) % ADDRESS_LIMIT) << 12n) | (bits & ~0xf_ffff_ffff_f000n);
    else if (way === 4) entry = (randomBits(random, 40) << 12n) | bits;
    else if (way === 5) entry = (((frame + step) % ADDRESS_LIMIT) << 12n) | attributes(random);
    else if (way === 6 && random.below(4) === 0) entry = randomBits(random, 64);
    else if (way === 7) entry = (BigInt(random.pick(frames)) << 12n) | bits;
    entries[index] = entry;
  }
  return end;
}

function fillTable(random: Random, frames: readonly number[]): Uint8Array {
  const entries = new BigUint64Array(512);
  for (let at = random.below(3) === 0 ? random.below(512) : 0; at < 512; ) {
    at = fillStretch(random, entries, at, frames);
  }
  // Few entries lead on, or sharing would leave nothing unseen for the next tables.
  for (let left = random.below(5); left > 0; left--) {
    entries[random.below(512)] = (BigInt(random.pick(frames)) << 12n) | 7n;
  }
  return new Uint8Array(entries.buffer);
}

/** Tables that `random` makes up: shared, looping, with bits that must not be, partly absent. */
export function randomTables(random: Random): RandomTables {
  const memory = new TrimmedStore();
  const frames: number[] = [];
  const base = random.pick([1, 0x1000, 0xfff_f000]);
  for (let left = 3 + random.below(12); left > 0; left--) {
    frames.push(base + random.below(random.pick([20, 9000])));
  }
  for (const frame of frames) {
    if (random.below(12) === 0) continue;
    memory.putPage(frame, fillTable(random, frames));
    if (random.below(16) === 0) memory.excluded.add(frame);
  }
  const stage = random.pick(['first', 'second'] as const);
  const levels = random.pick(pagingFormat(stage).depths);
  const [top = 0] = frames;
  chain(random, memory, frames, levels);
  const root: TableRoot = { stage, table: BigInt(top) << 12n, levels };
  return { memory, root, options: randomOptions(random, levels), frames };
}

/** Makes sure that a path leads down to level 1: otherwise most tables would end at the top. */
function chain(random: Random, memory: PageStore, frames: readonly number[], levels: number): void {
  let table = frames[0] ?? 0;
  for (let level = levels; level > 1; level--) {
    const next = random.pick(frames);
    if (typeof memory.page(table) === 'string') return;
    const index = random.pick([0, 1, 255, 256, 511, random.below(512)]);
    memory.writeU64((BigInt(table) << 12n) + BigInt(8 * index), (BigInt(next) << 12n) | 7n);
    table = next;
  }
}

function randomOptions(random: Random, levels: number): WalkOptions {
  const bits = 12 + 9 * levels;
  const some = random.below(2) === 0;
  const first = randomBits(random, random.pick([bits, 21, 30, 64]));
  const length = randomBits(random, random.pick([4, 13, 22, 31, bits]));
  return {
    maxRepeats: random.below(12),
    maxFindings: random.pick([0, 5, 1000]),
    ...(some && random.below(2) === 0 ? { only: { first, last: first + length } } : {}),
    ...(random.below(3) === 0 ? { widthBits: random.pick([12, 20, 30, 39, 46, 48]) } : {}),
    ...(random.below(3) === 0 ? { hostBits: random.pick([52, 46, 39, 36, 30]) } : {}),
  };
}
