// SPDX-License-Identifier: Apache-2.0
// The radix tree of preserved pages of kho-v2 to kho-v4, kho-core.md section 5; include/linux/kho_radix_tree.h, Linux 7.3.4.
import { formatHex } from '../bytes/hex.js';
import { newPageSlot, PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import type { RadixTree } from '../schemas/lang/type.js';
import type { MapReader } from './map-reader.js';
import { bitRuns } from './preserved-runs.js';

const PAGE_BYTES = BigInt(PAGE_SIZE);
/** Bits of a key that a leaf takes, and that each table above it takes. */
const LEAF_BITS = 8 * PAGE_SIZE;
const TABLE_ENTRIES = PAGE_SIZE / 8;
/** Keys are 1 << (64 - PAGE_SHIFT - order) | pfn >> order: their highest bit, for order 0. */
const ORDER_0_BIT = 64 - PAGE_SHIFT;
/** Keys are below this. */
const MAX_KEY = 2 ** (ORDER_0_BIT + 1);

interface Visit {
  readonly pfn: number;
  /** Level of the node; leaves are 0. */
  readonly level: number;
  /** Indexes of the tables on the way, as one number: keys of the node begin with it. */
  readonly prefix: number;
  /** Physical address of the entry that led here. */
  readonly from: bigint;
}

/** Reads the tree whose root is at `root`. A node that is malformed is told and passed over; no node is visited twice. */
export function readRadixTree(
  memory: PhysicalMemory,
  root: bigint,
  tree: RadixTree,
  reader: MapReader,
): void {
  const slot = newPageSlot();
  const parents = new Map<number, bigint>();
  const stack: Visit[] = [];
  const enter = (address: bigint, level: number, prefix: number, from: bigint): void => {
    if (!isPage(address)) {
      const message = `expected a page of the tree, found the address ${formatHex(address)}`;
      reader.issue({ code: 'NOT_ALIGNED', message, address: from, otherAddress: address });
      return;
    }
    const pfn = Number(address >> BigInt(PAGE_SHIFT));
    const earlier = parents.get(pfn);
    if (earlier !== undefined) {
      const what = level === 0 ? 'leaf' : 'table';
      const message = `expected a ${what} of the tree not reached before, found ${formatHex(address)}, which ${formatHex(earlier)} leads to`;
      reader.issue({ code: 'LOOP', message, address: from, otherAddress: address });
      return;
    }
    parents.set(pfn, from);
    stack.push({ pfn, level, prefix, from });
  };
  enter(root, tree.depth[12] - 1, 0, reader.pointerAddress);

  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { pfn, level, prefix, from } = visit;
    const address = BigInt(pfn) << BigInt(PAGE_SHIFT);
    if (memory.locate(pfn, slot) !== undefined) {
      const message = `expected a page of the tree at ${formatHex(address)}, found no such memory`;
      reader.issue({ code: 'ABSENT', message, address: from, otherAddress: address });
      continue;
    }
    if (!reader.node(pfn)) return;
    const { view, offset } = slot;
    if (level === 0) {
      readLeaf(slot.bytes.subarray(offset, offset + PAGE_SIZE), prefix, address, reader);
      continue;
    }
    let wild: { readonly index: number; readonly child: bigint } | undefined;
    let wildCount = 0;
    // Last entry first: the stack turns them round.
    for (let index = TABLE_ENTRIES - 1; index >= 0; index--) {
      const at = offset + index * 8;
      if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) continue;
      const child = view.getBigUint64(at, true);
      if (isPage(child)) {
        enter(child, level - 1, prefix * TABLE_ENTRIES + index, address + BigInt(index * 8));
      } else {
        wild = { index, child };
        wildCount++;
      }
    }
    // One line for a table that was overwritten, not one for each of its entries.
    if (wild !== undefined) {
      const { index, child } = wild;
      const more = wildCount === 1 ? '' : `, and ${wildCount - 1} more of its entries lead nowhere`;
      const what = level === 1 ? 'leaves' : 'tables';
      const message = `expected ${what} of the tree in the table at ${formatHex(address)}, found ${formatHex(child)} in entry ${index}${more}`;
      const place = { address: address + BigInt(index * 8), otherAddress: child };
      reader.issue({ code: 'NOT_ALIGNED', message, ...place });
    }
  }
}

function isPage(address: bigint): boolean {
  return address % PAGE_BYTES === 0n && address >> 52n === 0n;
}

function readLeaf(bytes: Uint8Array, prefix: number, address: bigint, reader: MapReader): void {
  const base = prefix * LEAF_BITS;
  if (base >= MAX_KEY) {
    // Told apart here: sums of numbers so large are not exact.
    const at = bytes.findIndex((byte) => byte !== 0);
    if (at < 0) return;
    const found = formatHex(BigInt(prefix) * BigInt(LEAF_BITS));
    const message = `expected keys from 1 to 2^53 - 1, found the leaf at ${formatHex(address)}: keys from ${found} on`;
    reader.issue({ code: 'BAD_KEY', message, address: address + BigInt(at) });
    return;
  }
  bitRuns(bytes, (first, count) => {
    // In the lowest leaf the highest bit of the key, which tells the order, is in the leaf itself.
    for (let key = base + first, end = key + count; key < end; ) {
      const top = highestBit(key);
      const stop = Math.min(end, 2 ** (top + 1));
      const order = ORDER_0_BIT - top;
      if (key === 0 || order < 0) {
        const where = `bit ${key - base} of the leaf at ${formatHex(address)}`;
        const message = `expected keys from 1 to 2^53 - 1, found ${where}: key ${formatHex(BigInt(prefix) * BigInt(LEAF_BITS) + BigInt(first))}`;
        reader.issue({ code: 'BAD_KEY', message, address: address + BigInt((key - base) >> 3) });
        if (order < 0) return;
        key = 1;
        continue;
      }
      reader.run(order, (key - 2 ** top) * 2 ** order, stop - key, address);
      key = stop;
    }
  });
}

/** Number of the highest bit set; -1 for 0. Exact up to 2^53 and monotonous above. */
function highestBit(value: number): number {
  const high = Math.floor(value / 0x1_0000_0000);
  if (high === 0) return 31 - Math.clz32(value);
  return high < 0x1_0000_0000 ? 63 - Math.clz32(high) : 64;
}
