// SPDX-License-Identifier: Apache-2.0
// The tables that lead from a device to its page tables. Source: kernel 7.3.4 drivers/iommu/intel/iommu.h and pasid.h,
// VT-d specification 9.1 to 9.6; vtd-tables.md sections 2 to 5.
import { address, bitRecord, flag, ignored, number, reserved } from '../bit-record.js';

/** Entry of the root table in legacy mode, one per bus. */
export const ROOT_ENTRY = bitRecord('root entry', 16, 'Leads to the context table of a bus.', {
  P: flag(0, 'present'),
  RSVD: reserved(11, 1),
  CTP: address(63, 12, 'the context table'),
  RSVD64: reserved(127, 64),
});

/** Entry of the root table in scalable mode, one per bus. */
export const SCALABLE_ROOT_ENTRY = bitRecord(
  'scalable-mode root entry',
  16,
  'Leads to the two context tables of a bus.',
  {
    LP: flag(0, 'lower table present'),
    RSVD: reserved(11, 1),
    LCTP: address(63, 12, 'the context table of devices 0 to 15'),
    UP: flag(64, 'upper table present'),
    RSVD65: reserved(75, 65),
    UCTP: address(127, 76, 'the context table of devices 16 to 31'),
  },
);

/** Entry of a context table in legacy mode, one per device and function. */
export const CONTEXT_ENTRY = bitRecord('context entry', 16, 'Says how requests of a device are translated.', {
  P: flag(0, 'present'),
  FPD: flag(1, 'fault processing disabled'),
  TT: number(3, 2, 'translation type', {
    0: 'untranslated requests only',
    1: 'untranslated and translated requests',
    2: 'pass-through',
  }),
  RSVD: reserved(11, 4),
  SSPTPTR: address(63, 12, 'the top second-stage table'),
  AW: number(66, 64, 'adjusted guest address width', { 1: '39 bits', 2: '48 bits', 3: '57 bits' }),
  AVAIL: ignored(70, 67, 'for software'),
  RSVD71: reserved(71, 71),
  DID: number(87, 72, 'domain id'),
  RSVD88: reserved(127, 88),
});

/** Entry of a context table in scalable mode. */
export const SCALABLE_CONTEXT_ENTRY = bitRecord(
  'scalable-mode context entry',
  32,
  'Leads to the PASID directory of a device.',
  {
    P: flag(0, 'present'),
    FPD: flag(1, 'fault processing disabled'),
    DTE: flag(2, 'device TLB enabled'),
    PASIDE: flag(3, 'requests with PASID allowed'),
    PRE: flag(4, 'page requests enabled'),
    RSVD: reserved(8, 5),
    PDTS: number(11, 9, 'the PASID directory has 2^(PDTS+7) entries'),
    PASIDDIRPTR: address(63, 12, 'the PASID directory'),
    RID_PASID: number(83, 64, 'the PASID of requests without one'),
    RID_PRIV: flag(84, 'requests without PASID are privileged'),
    RSVD85: reserved(255, 85),
  },
);

/** Entry of a PASID directory, one for 64 PASIDs. */
export const PASID_DIRECTORY_ENTRY = bitRecord('PASID directory entry', 8, 'Leads to a PASID table.', {
  P: flag(0, 'present'),
  FPD: flag(1, 'fault processing disabled'),
  RSVD: reserved(11, 2),
  SMPTBLPTR: address(63, 12, 'the PASID table'),
});

/**
 * Entry of a PASID table. AW counts only where there is a second stage, FSPM only where there is a first one: their
 * reserved values are for the reader to find.
 */
export const PASID_ENTRY = bitRecord('PASID entry', 64, 'Says how requests with a PASID are translated.', {
  P: flag(0, 'present'),
  FPD: flag(1, 'fault processing disabled'),
  AW: number(4, 2, 'adjusted guest address width of the second stage'),
  RSVD5: reserved(5, 5),
  PGTT: number(8, 6, 'type of translation', {
    1: 'first-stage',
    2: 'second-stage',
    3: 'nested',
    4: 'pass-through',
  }),
  SSADE: flag(9, 'second-stage accessed and dirty bits enabled'),
  RSVD10: reserved(11, 10),
  SSPTPTR: address(63, 12, 'the top second-stage table'),
  DID: number(79, 64, 'domain id'),
  RSVD80: reserved(86, 80),
  PWSNP: flag(87, 'page walks snoop processor caches'),
  PGSNP: flag(88, 'accesses snoop processor caches'),
  TYPES: ignored(127, 89, 'memory types of earlier specifications'),
  SRE: flag(128, 'supervisor requests enabled'),
  ERE: ignored(129, 129, 'execute requests of earlier specifications'),
  FSPM: number(131, 130, 'first-stage paging mode: 0 for 4 levels, 1 for 5'),
  WPE: flag(132, 'write protection of supervisor requests'),
  OLD: ignored(134, 133, 'execute-disable and SMEP of earlier specifications'),
  EAFE: flag(135, 'extended-accessed flag enabled'),
  RSVD136: reserved(139, 136),
  FSPTPTR: address(191, 140, 'the top first-stage table'),
  RSVD192: reserved(511, 192),
});
