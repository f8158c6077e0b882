// SPDX-License-Identifier: Apache-2.0
// What an iommufd file keeps, string iommufd-v1. Never merged: include/linux/kho/abi/iommufd.h.
import { family, version } from '../lang/family.js';
import { pointer, reserved, u8, u32, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { iommuDomainB } from './iommu-liveupdate-parts.js';
import { iommuDomainV1 } from './iommu-v1.js';

/** Early form: a kernel address that only the restoring kernel sets. */
export const iommufdPointer = struct(
  'iommufd_lu',
  { folio_lu: u64({ doc: 'kernel address of a folio; 0 until the next kernel has restored it', mask: 0n }) },
  { doc: 'A preserved iommufd file; nothing is kept yet.' },
);

const DOC = 'A preserved page table (HWPT).';
const reclaimed = u8({ doc: 'set when the next kernel has taken it over', mask: 0n });
const tail = unused('rest');

/** V1: a page table, 13 bytes. */
export const iommufdHwptV1 = struct(
  'iommufd_hwpt_lu',
  {
    token: u32({ doc: 'token that user space gave it' }),
    domain_data: pointer(
      { to: 'layout', layout: iommuDomainV1 },
      { doc: 'record of its domain', nullable: false },
    ),
    reclaimed,
  },
  { doc: DOC },
);

/** V1: the file. */
export const iommufdV1 = struct(
  'iommufd_lu',
  {
    nr_hwpts: u32({ doc: 'number of page tables' }),
    hwpts: array(iommufdHwptV1, { field: 'nr_hwpts' }, { unique: 'token' }),
    tail,
  },
  { doc: 'A preserved iommufd file.' },
);

/** B: a page table, 24 bytes. */
export const iommufdHwptB = struct(
  'iommufd_hwpt_ser',
  {
    domain_data: pointer(
      { to: 'layout', layout: iommuDomainB },
      { doc: 'record of its domain', nullable: false },
    ),
    token: u64({ doc: 'token that user space gave it' }),
    reclaimed,
    padding: reserved(7),
  },
  { doc: DOC },
);

/** B: the file. */
export const iommufdB = struct(
  'iommufd_ser',
  {
    nr_hwpts: u64({ doc: 'number of page tables' }),
    hwpt_array: array(iommufdHwptB, { field: 'nr_hwpts' }, { unique: 'token' }),
    tail,
  },
  { doc: 'A preserved iommufd file.' },
);

/** What the LUO entry of an iommufd file leads to. */
export const iommufdLiveupdate = family({
  name: 'iommufd-liveupdate',
  doc: 'A preserved iommufd file: its marked page tables.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [
    version({
      key: 'iommufd-v1',
      variant: 'pointer',
      layout: iommufdPointer,
      status: 'rfc',
      source: 'samikhawaja/linux, commit 11ef752d',
      notes:
        'The form of the first RFC, with raw kernel pointers, is not declared: its header was not found.',
    }),
    version({
      key: 'iommufd-v1',
      variant: 'V1',
      layout: iommufdV1,
      status: 'list',
      source: '<20260203220948.2176157-12-skhawaja@google.com>',
      notes: 'Goes with iommu-v1=V1.',
    }),
    version({
      key: 'iommufd-v1',
      variant: 'B',
      layout: iommufdB,
      status: 'list',
      source: 'samikhawaja/linux, commit fd339b51',
      notes: 'Goes with iommu-liveupdate-v1=B and iommu-liveupdate=C, whose domain records are the same.',
    }),
  ],
});
