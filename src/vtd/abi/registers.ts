// SPDX-License-Identifier: Apache-2.0
// Registers of a VT-d unit that say where tables are and what the hardware can do. Source: kernel 7.3.4
// drivers/iommu/intel/iommu.h; VT-d specification 11.4; vtd-tables.md sections 1, 9 and 10.
import { address, bitRecord, flag, ignored, number, reserved } from '../bit-record.js';

/** RTADDR, at offset 0x20: the root table, and how it is read. */
export const RTADDR = bitRecord('RTADDR', 8, 'Root Table Address Register', {
  RSVD: reserved(9, 0),
  TTM: number(11, 10, 'translation table mode', { 0: 'legacy', 1: 'scalable', 3: 'abort DMA' }),
  RTA: address(63, 12, 'the root table'),
});

/** IRTA, at offset 0xb8: the interrupt-remapping table. */
export const IRTA = bitRecord('IRTA', 8, 'Interrupt Remapping Table Address Register', {
  S: number(3, 0, 'size: the table has 2^(S+1) entries'),
  RSVD: reserved(10, 4),
  EIME: flag(11, 'extended interrupt mode: destinations are x2APIC ids'),
  IRTA: address(63, 12, 'the interrupt-remapping table'),
});

/** CAP, at offset 0x08. What is not named here is newer or older than what we know and is ignored. */
export const CAP = bitRecord('CAP', 8, 'Capability Register', {
  ND: number(2, 0, 'domains: ids of 4 + 2 * ND bits'),
  AFL: flag(3, 'advanced fault logging'),
  RWBF: flag(4, 'write-buffer flushing required'),
  PLMR: flag(5, 'protected low-memory region'),
  PHMR: flag(6, 'protected high-memory region'),
  CM: flag(7, 'caching mode'),
  SAGAW: number(12, 8, 'supported widths: bit n for AGAW n'),
  IGN13: ignored(15, 13),
  MGAW: number(21, 16, 'maximum guest address width, less 1'),
  ZLR: flag(22, 'zero-length reads'),
  IGN23: ignored(23, 23),
  FRO: number(33, 24, 'offset of the fault-recording registers, in 16 bytes'),
  SSLPS: number(37, 34, 'second-stage large pages: bit 0 for 2 MiB, bit 1 for 1 GiB'),
  IGN38: ignored(38, 38),
  PSI: flag(39, 'page-selective invalidation'),
  NFR: number(47, 40, 'fault-recording registers, less 1'),
  MAMV: number(53, 48, 'maximum address mask'),
  DWD: flag(54, 'write draining'),
  DRD: flag(55, 'read draining'),
  FS1GP: flag(56, 'first-stage 1 GiB pages'),
  IGN57: ignored(58, 57),
  PI: flag(59, 'posted interrupts'),
  FS5LP: flag(60, 'first-stage 5-level paging'),
  ECMDS: flag(61, 'enhanced commands'),
  ESIRTPS: flag(62, 'interrupt table pointer can be set while remapping is on'),
  ESRTPS: flag(63, 'root table pointer can be set while translation is on'),
});

/** ECAP, at offset 0x10; likewise. */
export const ECAP = bitRecord('ECAP', 8, 'Extended Capability Register', {
  C: flag(0, 'coherent page walks'),
  QI: flag(1, 'queued invalidation'),
  DT: flag(2, 'device TLBs'),
  IR: flag(3, 'interrupt remapping'),
  EIM: flag(4, 'extended interrupt mode'),
  IGN5: ignored(5, 5),
  PT: flag(6, 'pass-through'),
  SC: flag(7, 'snoop control'),
  IRO: number(17, 8, 'offset of the IOTLB registers, in 16 bytes'),
  IGN18: ignored(19, 18),
  MHMV: number(23, 20, 'maximum handle mask'),
  IGN24: ignored(24, 24),
  MTS: flag(25, 'memory types'),
  NEST: flag(26, 'nested translation'),
  IGN27: ignored(28, 27),
  PRS: flag(29, 'page requests'),
  ERS: flag(30, 'execute requests'),
  SRS: flag(31, 'supervisor requests'),
  IGN32: ignored(32, 32),
  NWFS: flag(33, 'no-write flag'),
  EAFS: flag(34, 'extended-accessed flag'),
  PSS: number(39, 35, 'bits of a PASID, less 1'),
  PASID: flag(40, 'requests with PASID'),
  DIT: flag(41, 'device-TLB invalidation throttling'),
  PDS: flag(42, 'page-request draining'),
  SMTS: flag(43, 'scalable mode'),
  IGN44: ignored(44, 44),
  SSADS: flag(45, 'second-stage accessed and dirty bits'),
  SSTS: flag(46, 'second-stage translation in scalable mode'),
  FSTS: flag(47, 'first-stage translation'),
  SMPWCS: flag(48, 'snooped page walks in scalable mode'),
  RPS: flag(49, 'RID_PASID'),
  IGN50: ignored(50, 50),
  PMS: flag(51, 'performance monitoring'),
  IGN52: ignored(63, 52),
});
