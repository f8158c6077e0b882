// SPDX-License-Identifier: Apache-2.0
// Which pages are preserved, kho-v2 on: a radix tree. Linux 7.1 to 7.3: include/linux/kho/abi/kexec_handover.h,
// include/linux/kho_radix_tree.h, kernel/liveupdate/kexec_handover.c.
import { bytes, pointer } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import type { RadixTree } from '../lang/type.js';
import { PAGE_SIZE } from './page.js';

/** A table of the tree: addresses of tables or, on level 1, of leaves. */
export const khoRadixNode = struct(
  'kho_radix_node',
  {
    table: array(pointer({ to: 'memory' }, { align: PAGE_SIZE }), PAGE_SIZE / 8, {
      doc: 'tables or leaves one level below, 0 where there is none',
    }),
  },
  { doc: 'A table of the radix tree of preserved pages.', align: PAGE_SIZE },
);

/** A leaf: one bit a key, lowest bit of the first byte first. */
export const khoRadixLeaf = struct(
  'kho_radix_leaf',
  { bitmap: bytes(PAGE_SIZE, 'bit b is set when key (index of the leaf << 15 | b) is in the tree') },
  { doc: 'A leaf of the radix tree of preserved pages.', align: PAGE_SIZE },
);

const DOC =
  'Keys are 1 << (64 - page shift - order) | address >> (page shift + order): the highest bit tells the order. ' +
  'Level 0 takes the lowest page shift + 3 bits of a key, each level above it page shift - 3 bits.';

/** The tree of Linux 7.1-rc6 on. */
export const khoRadixTree: RadixTree = Object.freeze({
  kind: 'radix',
  name: 'kho_radix_tree',
  doc: DOC,
  depth: Object.freeze({ 12: 6, 14: 5, 16: 4 }),
  table: khoRadixNode,
  leaf: khoRadixLeaf,
});

/** The tree before commit d64b0372760e: one level less for pages of 16 KiB, under the same version string. */
export const khoRadixTreeUnfixed: RadixTree = Object.freeze({
  ...khoRadixTree,
  depth: Object.freeze({ 12: 6, 14: 4, 16: 4 }),
});
