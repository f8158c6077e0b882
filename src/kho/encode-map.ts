// SPDX-License-Identifier: Apache-2.0
// The map of preserved memory in both its encodings: bitmaps in linked chunks (kho-v1), radix tree (kho-v2 on).
import { PAGE_SIZE } from '../image/physical-memory.js';
import {
  khoBitmap512,
  khoBitmapPage,
  khoMemChunk512,
  khoMemChunkPage,
} from '../schemas/abi/preserved-bitmaps.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import type { Layout, RadixTree } from '../schemas/lang/type.js';
import type { BlockSet } from './block-set.js';
import { BuildError } from './build-error.js';

/** Puts bytes of at most a page at a page of free memory, and says where. */
export type PlacePage = (bytes: Uint8Array) => bigint;

/** Which encoding the root's `preserved-memory-map` leads to. */
export type MapForm =
  | { readonly kind: 'radix'; readonly tree: RadixTree }
  | { readonly kind: 'bitmaps'; readonly bitmapBytes: 512 | 4096; readonly maxOrder: number };

/** MAX_PAGE_ORDER of x86-64: `kho_restore_folio()` of Linux 6.16 and 6.17 takes no larger one. */
const MAX_PAGE_ORDER = 10;

/**
 * The form of the map that a root's layout leads to.
 *
 * @returns `undefined` for roots without a map: KHO's form of 2023
 */
export function mapFormOf(root: Layout): MapForm | undefined {
  const member = root.kind === 'node' ? root.properties['preserved-memory-map'] : undefined;
  if (member?.kind !== 'pointer') return undefined;
  const { target } = member;
  if (target.to === 'radix') return { kind: 'radix', tree: target.tree };
  if (target.to !== 'layout') return undefined;
  return target.layout === khoMemChunk512
    ? { kind: 'bitmaps', bitmapBytes: 512, maxOrder: MAX_PAGE_ORDER }
    : { kind: 'bitmaps', bitmapBytes: 4096, maxOrder: 52 };
}

/**
 * Writes a map of preserved memory.
 *
 * @param place - gets pages that are not preserved themselves: the next kernel reads them before it allocates anything
 * @returns the value of `preserved-memory-map`
 * @throws BuildError LIMIT for a block of an order that the form does not hold; NO_ROOM
 */
export function writeMap(form: MapForm, blocks: BlockSet, place: PlacePage): bigint {
  return form.kind === 'radix'
    ? writeRadixTree(form.tree, blocks, place)
    : writeBitmaps(form.bitmapBytes, form.maxOrder, blocks, place);
}

const PAGE_SHIFT = 12;
const LEAF_BITS = 8 * PAGE_SIZE;
const TABLE_ENTRIES = PAGE_SIZE / 8;

interface PlacedNode {
  readonly index: number;
  readonly address: bigint;
}

/**
 * Keys are `1 << (52 - order) | pfn >> order`, with which higher orders come first; leaves hold 32768 keys each, tables
 * 512 nodes (include/linux/kho_radix_tree.h, Linux 7.3.4).
 */
function writeRadixTree(tree: RadixTree, blocks: BlockSet, place: PlacePage): bigint {
  let level: PlacedNode[] = [];
  let bitmap = new Uint8Array(PAGE_SIZE);
  let open = -1;
  const close = (): void => {
    if (open >= 0) level.push({ index: open, address: place(encodeUnchecked(tree.leaf, { bitmap })) });
  };
  for (const order of blocks.orders().reverse()) {
    const base = 2 ** (64 - PAGE_SHIFT - order);
    for (const pfn of blocks.blocks(order)) {
      const key = base + pfn / 2 ** order;
      const leaf = Math.floor(key / LEAF_BITS);
      if (leaf !== open) {
        close();
        open = leaf;
        bitmap = new Uint8Array(PAGE_SIZE);
      }
      setBit(bitmap, key % LEAF_BITS);
    }
  }
  close();
  for (let depth = 1; depth < tree.depth[12]; depth++) level = writeTables(tree, level, place);
  // A tree without keys is a root without entries.
  const root = level[0]?.address;
  return root ?? place(encodeUnchecked(tree.table, { table: new Array<bigint>(TABLE_ENTRIES).fill(0n) }));
}

function writeTables(tree: RadixTree, below: readonly PlacedNode[], place: PlacePage): PlacedNode[] {
  const tables = new Map<number, bigint[]>();
  for (const { index, address } of below) {
    const parent = Math.floor(index / TABLE_ENTRIES);
    const table = tables.get(parent) ?? new Array<bigint>(TABLE_ENTRIES).fill(0n);
    tables.set(parent, table);
    table[index % TABLE_ENTRIES] = address;
  }
  return [...tables].map(([index, table]) => ({
    index,
    address: place(encodeUnchecked(tree.table, { table })),
  }));
}

function setBit(bitmap: Uint8Array, bit: number): void {
  bitmap[bit >>> 3] = (bitmap[bit >>> 3] ?? 0) | (1 << (bit & 7));
}

/** Orders ascending, each with chunks of its own; bitmaps of an order by ascending address. */
function writeBitmaps(bytes: 512 | 4096, maxOrder: number, blocks: BlockSet, place: PlacePage): bigint {
  const [chunkLayout, bitmapLayout] =
    bytes === 512 ? [khoMemChunk512, khoBitmap512] : [khoMemChunkPage, khoBitmapPage];
  const capacity = (PAGE_SIZE - 16) / 16;
  const chunks: { readonly order: number; readonly bitmaps: { phys_start: bigint; bitmap: bigint }[] }[] = [];
  for (const order of blocks.orders()) {
    if (order > maxOrder) {
      throw new BuildError({
        code: 'LIMIT',
        message: `expected blocks of order ${maxOrder} at most in this map, found order ${order}`,
        address: BigInt(blocks.blocks(order)[0] ?? 0) << BigInt(PAGE_SHIFT),
      });
    }
    const found = [...bitmapsOf(blocks.blocks(order), order, 8 * bytes)];
    const encoded = found.map(({ preserve }) => encodeUnchecked(bitmapLayout, { preserve }));
    const addresses = placeBitmaps(encoded, bytes, place);
    const pointers = found.map(({ first }, index) => ({
      phys_start: BigInt(first) << BigInt(PAGE_SHIFT),
      bitmap: addresses[index] ?? 0n,
    }));
    for (let at = 0; at < pointers.length; at += capacity)
      chunks.push({ order, bitmaps: pointers.slice(at, at + capacity) });
  }
  return chunks.reduceRight(
    (next, { order, bitmaps }) =>
      place(encodeUnchecked(chunkLayout, { next, order, num_elms: bitmaps.length, bitmaps })),
    0n,
  );
}

/** The bitmaps of an order, with the page frame of their first bit. */
function* bitmapsOf(
  heads: Float64Array,
  order: number,
  bits: number,
): Generator<{ readonly first: number; readonly preserve: Uint8Array }> {
  let open: { readonly first: number; readonly preserve: Uint8Array } | undefined;
  for (const pfn of heads) {
    const block = pfn / 2 ** order;
    const first = Math.floor(block / bits) * bits * 2 ** order;
    if (open === undefined || open.first !== first) {
      if (open !== undefined) yield open;
      open = { first, preserve: new Uint8Array(bits / 8) };
    }
    setBit(open.preserve, block % bits);
  }
  if (open !== undefined) yield open;
}

/**
 * Places bitmaps one a page, or, smaller ones, as in slabs whose first object is somebody else's: a bitmap of 512 bytes that
 * is not at the start of a page cannot be taken for one of a page.
 */
function placeBitmaps(bitmaps: readonly Uint8Array[], bytes: number, place: PlacePage): bigint[] {
  const skipped = bytes === PAGE_SIZE ? 0 : 1;
  const inPage = PAGE_SIZE / bytes - skipped;
  const addresses: bigint[] = [];
  for (let at = 0; at < bitmaps.length; at += inPage) {
    const page = new Uint8Array(PAGE_SIZE);
    const some = bitmaps.slice(at, at + inPage);
    for (const [index, bitmap] of some.entries()) page.set(bitmap, (index + skipped) * bytes);
    const address = place(page);
    addresses.push(...some.map((_, index) => address + BigInt((index + skipped) * bytes)));
  }
  return addresses;
}
