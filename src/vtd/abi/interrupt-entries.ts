// SPDX-License-Identifier: Apache-2.0
// The entries of the interrupt-remapping table. Source: kernel 7.3.4 drivers/iommu/intel/irq_remapping.c and
// include/linux/dmar.h, VT-d specification 9.10 and 9.11; vtd-tables.md section 10.
import { bitRecord, flag, ignored, number, reserved } from '../bit-record.js';

const HEAD = {
  P: flag(0, 'present'),
  FPD: flag(1, 'fault processing disabled'),
} as const;

const SOURCE = {
  SID: number(79, 64, 'source id that may send it; or bus numbers, first 15:8 and last 7:0'),
  SQ: number(81, 80, 'which bits of the source id are left out of the comparison'),
  SVT: number(83, 82, 'what is verified of the source', {
    0: 'nothing',
    1: 'source id',
    2: 'range of buses',
  }),
  RSVD84: reserved(95, 84),
} as const;

/** Entry of an interrupt that goes to a processor. */
export const REMAPPED_INTERRUPT = bitRecord('remapped interrupt', 16, 'An interrupt for a processor.', {
  ...HEAD,
  DM: number(2, 2, 'destination mode', { 0: 'physical', 1: 'logical' }),
  RH: flag(3, 'redirection hint'),
  TM: number(4, 4, 'trigger mode', { 0: 'edge', 1: 'level' }),
  DLM: number(7, 5, 'delivery mode', {
    0: 'fixed',
    1: 'lowest priority',
    2: 'SMI',
    4: 'NMI',
    5: 'INIT',
    7: 'ExtINT',
  }),
  AVAIL: ignored(11, 8, 'for software'),
  RSVD: reserved(14, 12),
  IM: flag(15, 'posted'),
  V: number(23, 16, 'vector'),
  RSVD24: reserved(31, 24),
  DST: number(63, 32, 'destination: x2APIC id, or xAPIC id in bits 47:40'),
  ...SOURCE,
  RSVD96: reserved(127, 96),
});

/** Entry of an interrupt that is posted to a guest's processor. */
export const POSTED_INTERRUPT = bitRecord('posted interrupt', 16, 'An interrupt for a virtual processor.', {
  ...HEAD,
  RSVD2: reserved(7, 2),
  AVAIL: ignored(11, 8, 'for software'),
  RSVD: reserved(13, 12),
  URG: flag(14, 'urgent'),
  IM: flag(15, 'posted'),
  V: number(23, 16, 'vector'),
  RSVD24: reserved(37, 24),
  PDAL: number(63, 38, 'bits 31:6 of the address of the posted-interrupt descriptor'),
  ...SOURCE,
  PDAH: number(127, 96, 'bits 63:32 of that address'),
});
