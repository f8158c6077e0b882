// SPDX-License-Identifier: Apache-2.0
// A memfd that LUO preserves. Linux 6.19 to 7.3: include/linux/kho/abi/memfd.h, mm/memfd_luo.c.
import { family, version } from '../lang/family.js';
import { bits, part, u32, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';
import { vmallocOf } from './kho-vmalloc.js';

/** One folio of the file. */
export const memfdFolio = struct(
  'memfd_luo_folio_ser',
  {
    folio: bits(64, {
      pfn: part(52, { doc: 'page frame number of the folio' }),
      flags: part(12, { doc: 'state of the folio', flags: { DIRTY: 1n, UPTODATE: 2n }, mask: 3n }),
    }),
    index: u64({ doc: 'position in the file', unit: 'pages' }),
  },
  { doc: 'A folio of a memfd; its order is in the map of preserved memory.' },
);

const SEALS = { SEAL: 1n, SHRINK: 2n, GROW: 4n, WRITE: 8n, FUTURE_WRITE: 16n, EXEC: 32n };

const size = u64({ doc: 'size of the file', unit: 'bytes' });
const pos = u64({ doc: 'file position', unit: 'bytes' });
const nrFolios = u64({ doc: 'number of folios' });
const folios = vmallocOf(memfdFolio, 'nr_folios', {
  doc: 'folios of the file, by index',
  ascending: 'index',
});
const emptyTogether = {
  rule: 'zero-together',
  fields: ['size', 'nr_folios'],
  doc: 'folios exactly when the file is not empty',
} as const;

/** memfd-v2: with seals. */
export const memfdV2 = struct(
  'memfd_luo_ser',
  {
    pos,
    size,
    seals: u32({ doc: 'seals of the file', flags: SEALS, mask: 0x3fn }),
    flags: u32({ doc: 'none are defined', mask: 0n }),
    nr_folios: nrFolios,
    folios,
  },
  { doc: 'A preserved memfd.', rules: [emptyTogether] },
);

/** The memfd blob that a LUO file entry leads to. */
export const memfd = family({
  name: 'memfd',
  doc: 'A preserved memfd.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [
    version({
      key: 'memfd-v2',
      layout: memfdV2,
      status: 'merged',
      first: '7.1',
      source: 'include/linux/kho/abi/memfd.h, commit 8a552d68a86e; Linux 7.2.6 and 7.3.4',
      notes: 'First release inferred from the date of the commit.',
    }),
  ],
});
