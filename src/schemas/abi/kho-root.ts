// SPDX-License-Identifier: Apache-2.0
// The FDT that a handover begins with. Property values are of native byte order.
import { family, version } from '../lang/family.js';
import { each, name, node } from '../lang/node.js';
import { pointer, u64 } from '../lang/scalar.js';
import { PAGE_SIZE } from './page.js';
import { khoRadixTree } from './preserved-map.js';

const preservedData = pointer(
  { to: 'lookup', group: 'kho-subtree', key: '$name', length: 'blob-size' },
  { doc: 'the blob of the subsystem', nullable: false, align: PAGE_SIZE },
);

const subtree = node({
  doc: 'State of one subsystem.',
  properties: {
    'blob-size': u64({ doc: 'size of the blob', unit: 'bytes' }),
    'preserved-data': preservedData,
  },
});

/** kho-v4 root. */
export const khoRootV4 = node({
  doc: 'Root of a handover.',
  compatible: 'kho-v4',
  properties: {
    'preserved-memory-map': pointer(
      { to: 'radix', tree: khoRadixTree },
      { doc: 'which pages are preserved', nullable: false, align: PAGE_SIZE },
    ),
  },
  each: each('subtrees', name({ doc: 'name of a subsystem' }), subtree),
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
      key: 'kho-v4',
      layout: khoRootV4,
      status: 'merged',
      first: '7.2',
      source: 'include/linux/kho/abi/kexec_handover.h, Linux 7.2.6 and 7.3.4',
      notes: 'Layout of kho-v3; the string announces kho_block headers.',
    }),
  ],
});
