// SPDX-License-Identifier: Apache-2.0
// Changes to the radix tree that the map of preserved memory is since 7.1.
import { isEmptyMemory } from '../../kho/is-empty-memory.js';
import type { HandoverBench } from '../handover-bench.js';
import {
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  numberOf,
  put,
  type Site,
} from '../image-operator.js';
import type { Spot } from '../spots.js';
import { setBit } from './map-preserved.js';

const ROOT = ['kho-root'];
const TABLE = ['kho_radix_node'];
const PAGE = 4096n;

const pageText = (pfn: number): string => `0x${(pfn * 4096).toString(16)}`;

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

/** Bitmaps of blocks that are a small part of what is preserved: without them an image still is the whole memory. */
export function smallBitmaps({ bench }: Site): ReadonlySet<bigint> {
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

/** Changes to the tree. */
export const mapTreeOperators: readonly ImageOperator[] = [
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
];
