// SPDX-License-Identifier: Apache-2.0
// The FDT that a handover begins with. Property values are of native byte order.
import { family, version } from '../lang/family.js';
import { each, name, node } from '../lang/node.js';
import { pointer, u64 } from '../lang/scalar.js';
import { khoRootV1Tree } from './kho-2023.js';
import { PAGE_SIZE } from './page.js';
import { khoMemChunk512, khoMemChunkPage } from './preserved-bitmaps.js';
import { khoRadixTree, khoRadixTreeUnfixed } from './preserved-map.js';

const MAP = 'which pages are preserved';
const ROOT = 'Root of a handover.';
const subtreeName = name({ doc: 'name of a subsystem' });

const subtreeV1 = node({
  doc: 'State of one subsystem.',
  properties: {
    fdt: pointer(
      { to: 'lookup', group: 'kho-subtree', key: '$name', sized: 'fdt' },
      { doc: 'the FDT of the subsystem', nullable: false, align: PAGE_SIZE },
    ),
  },
});

/** kho-v1 root of Linux 6.16 to 6.17.8: bitmaps of 512 bytes. */
export const khoRootV1A = node({
  doc: ROOT,
  compatible: 'kho-v1',
  properties: {
    'preserved-memory-map': pointer({ to: 'layout', layout: khoMemChunk512 }, { doc: MAP, align: PAGE_SIZE }),
  },
  each: each('subtrees', subtreeName, subtreeV1),
});

/** kho-v1 root of Linux 6.17.9 to 7.0: bitmaps of a page. */
export const khoRootV1B = node({
  doc: ROOT,
  compatible: 'kho-v1',
  properties: {
    'preserved-memory-map': pointer(
      { to: 'layout', layout: khoMemChunkPage },
      { doc: MAP, align: PAGE_SIZE },
    ),
  },
  each: each('subtrees', subtreeName, subtreeV1),
  writer: 'dynamic',
});

const radixMapUnfixed = pointer(
  { to: 'radix', tree: khoRadixTreeUnfixed },
  { doc: MAP, nullable: false, align: PAGE_SIZE },
);
const radixMap = pointer(
  { to: 'radix', tree: khoRadixTree },
  { doc: MAP, nullable: false, align: PAGE_SIZE },
);

/** kho-v2 root without `blob-size`. */
export const khoRootV2Plain = node({
  doc: ROOT,
  compatible: 'kho-v2',
  properties: { 'preserved-memory-map': radixMapUnfixed },
  each: each(
    'subtrees',
    subtreeName,
    node({
      doc: 'State of one subsystem.',
      properties: {
        'preserved-data': pointer(
          { to: 'lookup', group: 'kho-subtree', key: '$name', sized: 'fdt' },
          { doc: 'the FDT of the subsystem', nullable: false, align: PAGE_SIZE },
        ),
      },
    }),
  ),
  writer: 'dynamic',
});

const subtree = node({
  doc: 'State of one subsystem.',
  properties: {
    'blob-size': u64({ doc: 'size of the blob', unit: 'bytes' }),
    'preserved-data': pointer(
      { to: 'lookup', group: 'kho-subtree', key: '$name', length: 'blob-size' },
      { doc: 'the blob of the subsystem', nullable: false, align: PAGE_SIZE },
    ),
  },
});

/** kho-v2 root with `blob-size`. */
export const khoRootV2Sized = node({
  doc: ROOT,
  compatible: 'kho-v2',
  properties: { 'preserved-memory-map': radixMapUnfixed },
  each: each('subtrees', subtreeName, subtree),
  writer: 'dynamic',
});

/** kho-v3 root of kernels before 7.1-rc6. */
export const khoRootV3Unfixed = node({
  doc: ROOT,
  compatible: 'kho-v3',
  properties: { 'preserved-memory-map': radixMapUnfixed },
  each: each('subtrees', subtreeName, subtree),
  writer: 'dynamic',
});

/** kho-v3 root. */
export const khoRootV3 = node({
  doc: ROOT,
  compatible: 'kho-v3',
  properties: { 'preserved-memory-map': radixMap },
  each: each('subtrees', subtreeName, subtree),
  writer: 'dynamic',
});

/** kho-v4 root. */
export const khoRootV4 = node({
  doc: ROOT,
  compatible: 'kho-v4',
  properties: { 'preserved-memory-map': radixMap },
  each: each('subtrees', subtreeName, subtree),
  writer: 'dynamic',
});

/** The root with versions of its parts joined to its own string, as an RFC would have it; else kho-v4. */
export const khoRootComposite = node({
  doc: ROOT,
  compatible: 'kho-v4;radix-v1;vmalloc-v1',
  properties: { 'preserved-memory-map': radixMap },
  each: each('subtrees', subtreeName, subtree),
  writer: 'dynamic',
});

/** The KHO root FDT in all its versions. */
export const khoRoot = family({
  name: 'kho-root',
  doc: 'The FDT that a handover begins with.',
  key: { by: 'compatible' },
  mismatch: 'ignored',
  lookup: { group: 'kho-root' },
  versions: [
    version({
      key: 'kho-v1',
      variant: 'tree',
      layout: khoRootV1Tree,
      status: 'rfc',
      source:
        '<20240117144704.602-1-graf@amazon.com> and before; base of <20240916113102.710522-1-jgowans@amazon.com>',
      notes: 'State of all subsystems in one tree; found by setup_data of length 48.',
    }),
    version({
      key: 'kho-v1',
      variant: 'A',
      layout: khoRootV1A,
      status: 'merged',
      first: '6.16',
      last: '6.17.8',
      source: 'kernel/kexec_handover.c, commit 00c010e130e5 (merge of 6.16)',
      notes: 'Bitmaps of 512 bytes. Kernels of variant B take it for their own and misread it.',
    }),
    version({
      key: 'kho-v1',
      variant: 'B',
      layout: khoRootV1B,
      status: 'merged',
      first: '6.17.9',
      last: '7.0',
      source: 'kernel/liveupdate/kexec_handover.c, commit a2fff99f92da; 7.0 inferred from dates of commits',
      notes:
        'Bitmaps of a page, under the string of variant A. Written sequentially up to 6.18, as an open page from 6.19 on.',
    }),
    version({
      key: 'kho-v2',
      variant: 'plain',
      layout: khoRootV2Plain,
      status: 'unreleased',
      source: 'include/linux/kho/abi/kexec_handover.h, commit 3f2ad90060f6 (7.1 cycle)',
    }),
    version({
      key: 'kho-v2',
      variant: 'sized',
      layout: khoRootV2Sized,
      status: 'unreleased',
      source: 'linux-mm commit 222ae381 (7.1 cycle)',
    }),
    version({
      key: 'kho-v3',
      variant: 'unfixed',
      layout: khoRootV3Unfixed,
      pageSizes: [16384],
      status: 'unreleased',
      source: '7.1-rc before commit d64b0372760e',
      notes: 'With pages of 16 KiB the radix tree has 4 levels in place of 5.',
    }),
    version({
      key: 'kho-v3',
      layout: khoRootV3,
      status: 'merged',
      first: '7.1',
      last: '7.1',
      source: 'include/linux/kho/abi/kexec_handover.h, commit 9d87d0fc8c8e',
    }),
    version({
      key: 'kho-v4;radix-v1;vmalloc-v1',
      layout: khoRootComposite,
      status: 'rfc',
      source: '<20260605033235.717351-9-…>, RFC of 2026-06-05',
      notes: 'One string, compared as a whole: no kernel that knows kho-v4 alone accepts it.',
    }),
    version({
      key: 'kho-v4',
      layout: khoRootV4,
      status: 'merged',
      first: '7.2',
      source: 'include/linux/kho/abi/kexec_handover.h, Linux 7.2.6 and 7.3.4',
      notes: 'Layout of kho-v3; the string announces kho_block headers.',
    }),
  ],
});
