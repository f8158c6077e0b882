// SPDX-License-Identifier: Apache-2.0
// Changes to the map of preserved memory.
import { isEmptyMemory } from '../../kho/is-empty-memory.js';
import type { ReachKind } from '../../kho/reach.js';
import type { HandoverBench } from '../handover-bench.js';
import {
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  numberOf,
  put,
  type Site,
  sibling,
} from '../image-operator.js';
import type { PreservedBit } from '../preserved-bits.js';
import type { Spot } from '../spots.js';

const ROOT = ['kho-root'];
const TABLE = ['kho_radix_node'];
const CHUNK = ['khoser_mem_chunk'];
const BITMAP = ['khoser_mem_bitmap_ptr'];
const PAGE = 4096n;

const pageText = (pfn: number): string => `0x${(pfn * 4096).toString(16)}`;

/** Sets or clears a bit of the map. */
function setBit({ store }: Site, holder: bigint, bit: number, on: boolean): void {
  const at = holder + BigInt(bit >> 3);
  const [byte = 0] = store.read(at, 1);
  const mask = 1 << (bit & 7);
  store.write(at, Uint8Array.of(on ? byte | mask : byte & ~mask));
}

/** The block that something of this kind is in is no longer preserved. */
const forget =
  (...kinds: readonly ReachKind[]) =>
  (site: Site): Change | undefined => {
    const { bench, random } = site;
    const { reach } = bench.handover;
    const starts = new Set<number>();
    for (let index = 0; index < reach.count; index++)
      if (kinds.includes(reach.kind(index)) && reach.owner(index)?.within !== true)
        starts.add(reach.pfn(index));
    const chosen = random.pick(bench.preservedBits.filter(({ pfn }) => starts.has(pfn)));
    if (chosen === undefined) return undefined;
    setBit(site, chosen.holder, chosen.bit, false);
    return {
      at: '/preserved-memory-map',
      detail: `the block of order ${chosen.order} at ${pageText(chosen.pfn)} is not preserved`,
    };
  };

/** Whether nothing else uses a page: it is memory, neither preserved nor of the map nor scratch. */
function isFree({ bench }: Site, pfn: number): boolean {
  const { preserved, scratch, memory } = bench.handover;
  if (preserved === undefined || preserved.find(pfn) !== undefined || preserved.nodes.includes(pfn))
    return false;
  const address = BigInt(pfn) * PAGE;
  if (memory.page(pfn) === 'absent') return false;
  return !(scratch.regions ?? []).some(
    (each) => address >= each.address && address < each.address + each.size,
  );
}

/** The bit of a page that the bitmap of another page of order 0 has as well. */
function bitFor(near: PreservedBit, pfn: number): number | undefined {
  const bit = near.bit + pfn - near.pfn;
  return near.order === 0 && bit >= 0 && bit < near.bits ? bit : undefined;
}

/** Entries of the tree's tables that lead somewhere. */
const entries = ({ bench }: Site): readonly Spot[] =>
  bench.fields(TABLE, 'table').filter(({ value }) => value !== 0n);

/** Moves an entry of an array to another position. */
function move({ store }: Site, spot: Spot, to: number): Change {
  const from = Number(/\[(\d+)\]$/.exec(spot.path)?.[1] ?? 0);
  store.writeU64(spot.address, 0n);
  store.writeU64(spot.address + BigInt((to - from) * spot.length), numberOf(spot.value));
  return { at: spot.path, detail: `the entry was at position ${from}, is at ${to}` };
}

/** The last bitmap of each chunk, whose address may grow: they ascend. */
const lastOfChunks = ({ bench }: Site): readonly Spot[] => [
  ...new Map(bench.fields(BITMAP, 'phys_start').map((spot) => [spot.block, spot])).values(),
];

/** Bitmaps of blocks that are a small part of what is preserved: without them an image still is the whole memory. */
function smallBitmaps({ bench }: Site): ReadonlySet<bigint> {
  const pages = new Map<bigint, number>();
  let all = 0;
  for (const { holder, order } of bench.preservedBits) {
    pages.set(holder, (pages.get(holder) ?? 0) + 2 ** order);
    all += 2 ** order;
  }
  return new Set([...pages].filter(([, own]) => own * 5 < all).map(([holder]) => holder));
}

/** Leaves of the tree that preserve something. */
const leavesOf = ({ preservedBits }: HandoverBench): ReadonlySet<bigint> =>
  new Set(preservedBits.map(({ holder }) => holder));

/** Leads an entry that is free to where another entry of its table leads. */
function shared(site: Site, isLeaf: boolean): Change | undefined {
  const leaves = leavesOf(site.bench);
  const used = entries(site).filter(({ value }) => leaves.has(numberOf(value)) === isLeaf);
  const own = site.random.pick(used);
  const free = site.bench
    .fields(TABLE, 'table')
    .find(({ block, value }) => block === own?.block && value === 0n);
  return free && own && put(site, free, own.value);
}

const rootTable = (site: Site): readonly Spot[] =>
  entries(site).filter(({ block }) => block === site.bench.handover.preserved?.address);

/** Changes to the map. */
export const mapOperators: readonly ImageOperator[] = [
  {
    id: 'map-folio-missing',
    family: 'preserved',
    doc: 'a folio of a file is not preserved',
    on: [...ROOT, 'memfd'],
    rules: ['reachable-preserved'],
    effect: 'file-fails',
    apply: forget('folio'),
  },
  {
    id: 'map-list-missing',
    family: 'preserved',
    doc: 'a list or a struct is not preserved',
    on: [...ROOT, 'luo'],
    rules: ['reachable-preserved'],
    effect: 'corrupt',
    apply: forget('struct'),
  },
  {
    id: 'map-list-page-missing',
    family: 'preserved',
    doc: 'a page of the list of folios of a file is not preserved',
    on: [...ROOT, 'memfd'],
    rules: ['reachable-preserved'],
    effect: 'file-fails',
    apply: forget('page'),
  },
  {
    id: 'map-blob-missing',
    family: 'preserved',
    doc: 'the blob of a subsystem is not preserved',
    on: ROOT,
    rules: ['reachable-preserved'],
    effect: 'corrupt',
    apply: forget('blob'),
  },
  {
    id: 'map-page-extra',
    family: 'preserved',
    doc: 'a page is preserved that nothing leads to',
    on: ROOT,
    rules: ['preserved-reached'],
    effect: 'silent',
    apply: (site) => {
      const near = site.random.pick(site.bench.preservedBits.filter(({ order }) => order === 0));
      if (near === undefined) return undefined;
      for (let away = 1; away < 4096; away++) {
        const bit = bitFor(near, near.pfn + away);
        if (bit === undefined || !isFree(site, near.pfn + away)) continue;
        setBit(site, near.holder, bit, true);
        return { at: '/preserved-memory-map', detail: `${pageText(near.pfn + away)} is preserved` };
      }
      return undefined;
    },
  },
  {
    id: 'map-overlap',
    family: 'overlaps',
    doc: 'a page in the middle of a larger block is preserved by itself as well',
    on: ROOT,
    rules: ['map-overlap'],
    effect: 'corrupt',
    apply: (site) => {
      const large = site.random.pick(site.bench.preservedBits.filter(({ order }) => order > 0));
      if (large === undefined) return undefined;
      const pfn = large.pfn + site.random.below(2 ** large.order);
      for (const near of site.bench.preservedBits) {
        const bit = bitFor(near, pfn);
        if (bit === undefined) continue;
        setBit(site, near.holder, bit, true);
        return {
          at: '/preserved-memory-map',
          detail: `${pageText(pfn)} is preserved, within the block of order ${large.order} at ${pageText(large.pfn)}`,
        };
      }
      return undefined;
    },
  },
  {
    id: 'map-entry-misaligned',
    family: 'pointers',
    doc: 'an entry of the tree leads off the start of a table',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['NOT_ALIGNED'],
    effect: 'oops',
    apply: inField(TABLE, 'table', (old, _, { bench, random }) => {
      const to = old + 8n * BigInt(1 + random.below(511));
      return old === 0n || leavesOf(bench).has(old) || isEmptyMemory(bench.memory, to) ? undefined : to;
    }),
  },
  {
    id: 'map-leaf-misaligned',
    family: 'pointers',
    doc: 'an entry of the tree leads into the middle of a leaf',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['NOT_ALIGNED'],
    effect: 'corrupt',
    apply: inField(TABLE, 'table', (old, _, { bench, random }) =>
      leavesOf(bench).has(old) ? old + 8n * BigInt(1 + random.below(511)) : undefined,
    ),
  },
  {
    id: 'map-entry-into-nothing',
    family: 'pointers',
    doc: 'an entry of the tree leads off the start of a page, behind all that is in it',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['NOT_ALIGNED'],
    effect: 'corrupt',
    apply: inField(TABLE, 'table', (old, _, { bench }) => {
      const to = old + 4088n;
      return old !== 0n && !leavesOf(bench).has(old) && isEmptyMemory(bench.memory, to) ? to : undefined;
    }),
  },
  {
    id: 'map-entry-beyond-memory',
    family: 'pointers',
    doc: 'an entry of the tree leads beyond memory',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(TABLE, 'table', (old) => (old === 0n ? undefined : BEYOND)),
  },
  {
    id: 'map-root-cyclic',
    family: 'chains',
    doc: 'an entry of the root of the tree other than the first leads to the root',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['LOOP'],
    effect: 'oops',
    apply: (site) => {
      const spot = site.random.pick(rootTable(site).filter(({ address }) => address % PAGE !== 0n));
      return spot && put(site, spot, spot.block);
    },
  },
  {
    id: 'map-root-cyclic-first',
    family: 'chains',
    doc: 'the first entry of the root of the tree leads to the root',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['LOOP'],
    effect: 'hang',
    apply: (site) => {
      const spot = rootTable(site).find(({ address }) => address % PAGE === 0n);
      return spot && put(site, spot, spot.block);
    },
  },
  {
    id: 'map-table-shared',
    family: 'chains',
    doc: 'two entries of the tree lead to one table',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['LOOP'],
    effect: 'oops',
    apply: (site) => shared(site, false),
  },
  {
    id: 'map-leaf-shared',
    family: 'chains',
    doc: 'two entries of the tree lead to one leaf',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['LOOP'],
    effect: 'corrupt',
    apply: (site) => shared(site, true),
  },
  {
    id: 'map-entry-null',
    family: 'pointers',
    doc: 'the leaf that preserves the root is gone from the tree',
    on: ROOT,
    rules: ['reachable-preserved'],
    effect: 'corrupt',
    apply: (site) => {
      const { bench } = site;
      const pfn = Number(bench.handover.root.address / PAGE);
      const own = bench.preservedBits.find((each) => each.pfn === pfn);
      const spot = entries(site).find(({ value }) => value === own?.holder);
      return spot && put(site, spot, 0n);
    },
  },
  {
    id: 'map-key-beyond',
    family: 'orders',
    doc: 'a part of the tree is where keys have a bit too many',
    on: ROOT,
    rules: ['map-keys'],
    codes: ['BAD_KEY'],
    effect: 'oops',
    apply: (site) => {
      const spot = site.random.pick(rootTable(site));
      return spot && move(site, spot, 4 + site.random.below(508));
    },
  },
  {
    id: 'map-leaf-moved',
    family: 'pointers',
    doc: 'a leaf of the tree stands for addresses beyond memory',
    on: ROOT,
    rules: ['map-ram', 'reachable-preserved'],
    effect: 'oops',
    apply: (site) => {
      const small = smallBitmaps(site);
      const spot = site.random.pick(entries(site).filter(({ value }) => small.has(numberOf(value))));
      return spot && move(site, spot, 64 + site.random.below(400));
    },
  },
  {
    id: 'map-block-beyond-memory',
    family: 'preserved',
    doc: 'a block beyond memory is preserved as well',
    on: ROOT,
    rules: ['map-ram'],
    effect: 'oops',
    apply: (site) => {
      const small = smallBitmaps(site);
      const near = site.random.pick(site.bench.preservedBits.filter(({ holder }) => small.has(holder)));
      if (near === undefined) return undefined;
      const bit = near.bits - 1 - site.random.below(64);
      const pfn = near.pfn + (bit - near.bit) * 2 ** near.order;
      if (near.order > 20 || site.bench.handover.memory.page(pfn) !== 'absent') return undefined;
      setBit(site, near.holder, bit, true);
      return {
        at: '/preserved-memory-map',
        detail: `the block of order ${near.order} at ${pageText(pfn)} is preserved`,
      };
    },
  },
  {
    id: 'map-chunk-cyclic',
    family: 'chains',
    doc: 'a chunk of bitmaps leads to itself',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['LOOP'],
    effect: 'hang',
    apply: inField(CHUNK, 'next', (_, { block }) => block),
  },
  {
    id: 'map-chunk-overflow',
    family: 'counts',
    doc: 'a chunk counts more bitmaps than it has room for',
    on: ROOT,
    rules: ['map-chunks'],
    codes: ['MALFORMED'],
    effect: 'oops',
    apply: inField(CHUNK, 'num_elms', (_, __, { random }) => random.pick([256n, 0xffff_ffffn, 1n << 28n])),
  },
  {
    id: 'map-chunk-order',
    family: 'orders',
    doc: 'the blocks of a chunk are of an order that no memory has',
    on: ROOT,
    rules: ['map-chunks'],
    codes: ['MALFORMED'],
    effect: 'corrupt',
    apply: inField(CHUNK, 'order', (_, __, { random }) => random.pick([53n, 64n, 0xffff_ffffn])),
  },
  {
    id: 'map-bitmap-off-boundary',
    family: 'orders',
    doc: 'a bitmap begins off the boundary of the blocks that it stands for',
    on: ROOT,
    rules: ['map-chunks'],
    codes: ['MALFORMED'],
    effect: 'corrupt',
    apply: inField(BITMAP, 'phys_start', (old, _, { random }) => old + PAGE * BigInt(1 + random.below(64))),
  },
  {
    id: 'map-bitmap-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to a bitmap leads beyond memory',
    on: ROOT,
    rules: ['map-nodes'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(BITMAP, 'bitmap', () => BEYOND),
  },
  {
    id: 'map-bitmap-elsewhere',
    family: 'pointers',
    doc: 'a bitmap stands for addresses beyond memory',
    on: ROOT,
    rules: ['map-ram'],
    effect: 'oops',
    apply: (site) => {
      const small = smallBitmaps(site);
      const fits = lastOfChunks(site).filter((spot) =>
        small.has(numberOf(sibling(site, spot, 'bitmap')?.value)),
      );
      const spot = site.random.pick(fits);
      return spot && put(site, spot, numberOf(spot.value) + (1n << 50n));
    },
  },
  {
    id: 'map-bitmap-key-beyond',
    family: 'orders',
    doc: 'a bitmap stands for addresses that no pointer of 52 bits names',
    on: ROOT,
    rules: ['map-keys'],
    codes: ['BAD_KEY'],
    effect: 'silent',
    apply: (site) => {
      const spot = site.random.pick(lastOfChunks(site));
      return spot && put(site, spot, numberOf(spot.value) + (1n << 52n));
    },
  },
];
