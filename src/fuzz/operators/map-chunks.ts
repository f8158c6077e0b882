// SPDX-License-Identifier: Apache-2.0
// Changes to the chunks of bitmaps that the map of preserved memory was up to 7.0.
import { BEYOND, type ImageOperator, inField, numberOf, put, type Site, sibling } from '../image-operator.js';
import type { Spot } from '../spots.js';
import { smallBitmaps } from './map-tree.js';

const ROOT = ['kho-root'];
const CHUNK = ['khoser_mem_chunk'];
const BITMAP = ['khoser_mem_bitmap_ptr'];
const PAGE = 4096n;

/** The last bitmap of each chunk, whose address may grow: they ascend. */
const lastOfChunks = ({ bench }: Site): readonly Spot[] => [
  ...new Map(bench.fields(BITMAP, 'phys_start').map((spot) => [spot.block, spot])).values(),
];

/** Changes to chunks and bitmaps. */
export const mapChunkOperators: readonly ImageOperator[] = [
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
