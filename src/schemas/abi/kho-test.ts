// SPDX-License-Identifier: Apache-2.0
// What KHO's test module hands over. Linux 6.17 to 7.3: lib/test_kho.c.
import { family, version } from '../lang/family.js';
import { node } from '../lang/node.js';
import { bits, part, u32 } from '../lang/scalar.js';
import { array } from '../lang/struct.js';
import type { MemoryType } from '../lang/type.js';
import { vmallocOf } from './kho-vmalloc.js';

/** A folio of the test: its address, and its order in the bits that the address leaves free. */
export const khoTestFolio = bits(64, {
  order: part(12, { doc: 'page order of the folio', max: 52n }),
  pfn: part(52, { doc: 'page frame number of the folio' }),
});

const rootWith = <T extends MemoryType>(folios_info: T) =>
  node({
    doc: 'Memory that the test module expects to find again.',
    compatible: 'kho-test-v1',
    properties: { magic: u32({ doc: 'KHO!', oneOf: [0x4b48_4f21n] }) },
    children: {
      data: node({
        doc: 'What there is, and its checksum.',
        properties: {
          nr_folios: u32({ doc: 'number of folios' }),
          folios_info,
          csum: u32({ doc: 'csum_partial() over all folios' }),
        },
      }),
    },
  });

const FOLIOS = 'addresses and orders of the folios';

/** kho-test-v1 of Linux 6.17: the array of folios in the FDT. */
export const khoTestV1Inline = rootWith(array(khoTestFolio, 'rest', { doc: FOLIOS }));
/** kho-test-v1 of Linux 6.18 on: the array in vmalloc pages. */
export const khoTestV1 = rootWith(vmallocOf(khoTestFolio, 'nr_folios', { doc: FOLIOS }));

/** The blob of KHO's test module. */
export const khoTest = family({
  name: 'kho-test',
  doc: 'Memory that the kernel preserves to test KHO.',
  key: { by: 'compatible' },
  mismatch: 'ignored',
  lookup: { group: 'kho-subtree', name: 'kho_test' },
  versions: [
    version({
      key: 'kho-test-v1',
      variant: 'inline',
      layout: khoTestV1Inline,
      status: 'merged',
      first: '6.17',
      last: '6.17',
      source: 'lib/test_kho.c before "kho: add support for preserving vmalloc allocations"',
      notes: 'First release inferred from the date of the series, June 2025.',
    }),
    version({
      key: 'kho-test-v1',
      variant: 'vmalloc',
      layout: khoTestV1,
      status: 'merged',
      first: '6.18',
      source: 'lib/test_kho.c with <20250921054458.4043761-1-rppt@kernel.org>',
    }),
  ],
});
