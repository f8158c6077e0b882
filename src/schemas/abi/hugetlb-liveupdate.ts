// SPDX-License-Identifier: Apache-2.0
// Preserved hugetlb pages, and memfds of them. Never merged: prati0100/linux, commit 18ae0a38.
import { family, version } from '../lang/family.js';
import { bits, part, u8, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { vmallocOf } from './kho-vmalloc.js';

const source = 'prati0100/linux, commit 18ae0a38';
const order = u8({ doc: 'page order of its pages', max: 52n });

/** hugetlb-v1: pages of each size. */
export const hugetlbV1 = struct(
  'hugetlb_flb',
  {
    hstates: array(
      struct('hugetlb_hstate', { nr_pages: u64({ doc: 'number of preserved pages' }), order }),
      4,
      { doc: 'page sizes, the first nr_hstates in use' },
    ),
    nr_hstates: u8({ doc: 'number of page sizes', max: 4n }),
  },
  { doc: 'Preserved hugetlb pages.' },
);

/** One page of a hugetlb memfd. */
export const hugeMemfdFolio = struct(
  'huge_memfd_folio',
  {
    folio: bits(64, {
      pfn: part(52, { doc: 'page frame number' }),
      flags: part(12, { doc: 'none are defined', mask: 0n }),
    }),
    index: u64({ doc: 'position in the file' }),
  },
  { doc: 'A page of a hugetlb memfd.' },
);

/** huge-memfd-v1: size comes before the position, other than in memfd. */
export const hugeMemfdV1 = struct(
  'huge_memfd',
  {
    size: u64({ doc: 'size of the file', unit: 'bytes' }),
    pos: u64({ doc: 'file position', unit: 'bytes' }),
    nr_folios: u64({ doc: 'number of folios' }),
    folios: vmallocOf(hugeMemfdFolio, 'nr_folios', { doc: 'folios of the file' }),
    order,
  },
  { doc: 'A preserved hugetlb memfd.' },
);

/** Preserved hugetlb pages. */
export const hugetlbLiveupdate = family({
  name: 'hugetlb-liveupdate',
  doc: 'Preserved hugetlb pages.',
  key: { by: 'name' },
  mismatch: 'ignored',
  lookup: { group: 'luo-flb' },
  versions: [version({ key: 'hugetlb-v1', layout: hugetlbV1, status: 'list', source })],
});

/** What the LUO entry of a hugetlb memfd leads to. */
export const hugeMemfd = family({
  name: 'huge-memfd',
  doc: 'A preserved hugetlb memfd.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [version({ key: 'huge-memfd-v1', layout: hugeMemfdV1, status: 'list', source })],
});
