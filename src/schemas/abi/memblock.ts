// SPDX-License-Identifier: Apache-2.0
// Memory reserved by name on the command line (reserve_mem=). Linux 6.16 to 7.3: include/linux/kho/abi/memblock.h.
import { family, version } from '../lang/family.js';
import { each, name, node } from '../lang/node.js';
import { pointer, u64 } from '../lang/scalar.js';

/** memblock-v1, with one reserve-mem-v1 node a region. */
export const memblockV1 = node({
  doc: 'Regions of reserve_mem.',
  compatible: 'memblock-v1',
  each: each(
    'regions',
    name({ maxLength: 15, doc: 'name given on the command line' }),
    node({
      doc: 'One region.',
      compatible: 'reserve-mem-v1',
      properties: {
        start: pointer(
          { to: 'memory', length: 'size' },
          { doc: 'first byte of the region', nullable: false },
        ),
        size: u64({ doc: 'size of the region', unit: 'bytes', min: 1n }),
      },
    }),
  ),
});

/** The memblock blob. */
export const memblock = family({
  name: 'memblock',
  doc: 'Memory reserved by name on the command line.',
  key: { by: 'compatible' },
  mismatch: 'fresh',
  lookup: { group: 'kho-subtree', name: 'memblock' },
  versions: [
    version({
      key: 'memblock-v1',
      layout: memblockV1,
      status: 'merged',
      first: '6.16',
      source: 'mm/memblock.c, Linux 6.16 to 7.3; include/linux/kho/abi/memblock.h',
    }),
  ],
});
