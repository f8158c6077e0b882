// SPDX-License-Identifier: Apache-2.0
// A memfd that LUO preserves. Lists of 2025, Linux 6.19 to 7.3: include/linux/kho/abi/memfd.h, mm/memfd_luo.c.
import { family, version } from '../lang/family.js';
import { node, optional } from '../lang/node.js';
import { bits, part, u32, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
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

/** A folio of the FDT forms: flags lowest, where later layouts have the page frame number. */
export const memfdDraftFolio = struct(
  'memfd_luo_folio_ser',
  {
    foliodesc: bits(64, {
      flags: part(12, { doc: 'state of the folio', flags: { DIRTY: 1n, UPTODATE: 2n }, mask: 3n }),
      pfn: part(52, { doc: 'page frame number of the folio' }),
    }),
    index: u64({ doc: 'position in the file', unit: 'pages' }),
  },
  { doc: 'A folio of a memfd.', packed: false },
);

/** memfd-v1 as first posted: an FDT that holds the folios; no `compatible` is in it. */
export const memfdV1Inline = node({
  doc: 'A preserved memfd.',
  properties: {
    pos,
    size,
    folios: array(memfdDraftFolio, 'rest', { doc: 'folios of the file, by index', ascending: 'index' }),
  },
});

/** memfd-v1 as posted last before it became a struct: an FDT, the folios in vmalloc pages; no `compatible` is in it. */
export const memfdV1Fdt = node({
  doc: 'A preserved memfd.',
  properties: {
    pos,
    size,
    nr_folios: optional(nrFolios),
    folios: optional(
      vmallocOf(memfdDraftFolio, 'nr_folios', { doc: 'folios of the file, by index', ascending: 'index' }),
    ),
  },
  rules: [emptyTogether],
});

/** memfd-v1 of releases: without seals. */
export const memfdV1 = struct(
  'memfd_luo_ser',
  { pos, size, nr_folios: nrFolios, folios },
  { doc: 'A preserved memfd.', rules: [emptyTogether] },
);

/** memfd-v2 as first posted: seals in a bit field. */
export const memfdV2Draft = struct(
  'memfd_luo_ser',
  {
    pos,
    size,
    seals: bits(64, {
      seals: part(8, { doc: 'seals of the file', flags: SEALS, mask: 0x3fn }),
      pad: part(56, { doc: 'nothing', max: 0n }),
    }),
    nr_folios: nrFolios,
    folios,
  },
  { doc: 'A preserved memfd.', rules: [emptyTogether] },
);

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
      key: 'memfd-v1',
      variant: 'fdt-inline',
      layout: memfdV1Inline,
      status: 'list',
      source: 'mm/memfd_luo.c of <20250723144649.1696299-29-pasha.tatashin@soleen.com>',
    }),
    version({
      key: 'memfd-v1',
      variant: 'fdt',
      layout: memfdV1Fdt,
      status: 'list',
      source: 'include/linux/liveupdate/abi/memfd.h of <20251115233409.768044-16-pasha.tatashin@soleen.com>',
      notes: 'nr_folios and folios are left out of an empty file.',
    }),
    version({
      key: 'memfd-v1',
      layout: memfdV1,
      status: 'merged',
      first: '6.19',
      last: '7.0',
      source: 'include/linux/kho/abi/memfd.h, commit ac2d8102c4b8',
      notes: 'Last release inferred from the date of memfd-v2.',
    }),
    version({
      key: 'memfd-v2',
      variant: 'draft',
      layout: memfdV2Draft,
      status: 'list',
      source: '<20260123095854.535058-3-pratyush@kernel.org>',
      notes:
        'Blobs that break no rule are those of the released layout, byte for byte. What the 56 bits beside the seals were called is not known.',
    }),
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
