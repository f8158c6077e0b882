// SPDX-License-Identifier: Apache-2.0
// Which PCI devices are preserved, bound to files (FLB). Never merged up to Linux 7.3: include/linux/kho/abi/pci.h.
import { family, version } from '../lang/family.js';
import { reserved, u16, u32, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';

const BDF = 'bus << 8 | devfn';
const DEVICE = 'A preserved device.';
const DOC = 'All preserved PCI devices.';
const sorted = {
  rule: 'elements-ascending',
  fields: ['devices', 'domain', 'bdf'],
  doc: 'devices by domain, then bdf',
} as const;
const room = {
  rule: 'at-least',
  fields: ['max_nr_devices', 'nr_devices'],
  doc: 'max_nr_devices of at least nr_devices',
} as const;
const tail = unused('rest');
/** The kernel counts devices in an `int`. */
const max64 = u64({ doc: 'devices that there is room for', max: 0x7fff_ffffn });
const number64 = u64({ doc: 'number of devices' });
const max32 = u32({ doc: 'slots of the array' });
const number32 = u32({ doc: 'number of devices' });

/** pci-v1 A and B: a device, 4 bytes. */
export const pciDeviceNarrow = struct(
  'pci_dev_ser',
  { domain: u16({ doc: 'PCI segment' }), bdf: u16({ doc: BDF }) },
  { doc: DEVICE },
);

/** pci-v1 A: header of 8 bytes. */
export const pciV1A = struct(
  'pci_ser',
  { nr_devices: number64, devices: array(pciDeviceNarrow, { field: 'nr_devices' }), tail },
  { doc: DOC, rules: [sorted] },
);

/** pci-v1 B: header of 16 bytes. */
export const pciV1B = struct(
  'pci_ser',
  {
    max_nr_devices: max64,
    nr_devices: number64,
    devices: array(pciDeviceNarrow, { field: 'nr_devices' }),
    tail,
  },
  { doc: DOC, rules: [sorted, room] },
);

/** pci-v1 C: a device, 8 bytes. */
export const pciDevicePadded = struct(
  'pci_dev_ser',
  { domain: u32({ doc: 'PCI segment' }), bdf: u16({ doc: BDF }), padding: reserved(2) },
  { doc: DEVICE },
);

/** pci-v1 C: header of two u32. */
export const pciV1C = struct(
  'pci_ser',
  {
    max_nr_devices: max32,
    nr_devices: number32,
    devices: array(pciDevicePadded, { field: 'max_nr_devices' }),
    tail,
  },
  { doc: DOC, rules: [room] },
);

/** pci-v2 A: a device with references. */
export const pciDeviceV2A = struct(
  'pci_dev_ser',
  { domain: u32({ doc: 'PCI segment' }), bdf: u16({ doc: BDF }), refcount: u16({ doc: 'references' }) },
  { doc: DEVICE },
);

/** pci-v2 A: header of two u64. */
export const pciV2A = struct(
  'pci_ser',
  {
    max_nr_devices: max64,
    nr_devices: number64,
    devices: array(pciDeviceV2A, { field: 'nr_devices' }),
    tail,
  },
  { doc: DOC, rules: [sorted, room] },
);

/** pci-v2 B: a slot for a device. */
export const pciDeviceV2B = struct(
  'pci_dev_ser',
  {
    domain: u32({ doc: 'PCI segment' }),
    bdf: u16({ doc: BDF }),
    refcount: u16({ doc: '0 for a slot that is free', max: 1n }),
  },
  { doc: 'A preserved device, or a free slot.' },
);

/** pci-v2 B: header of two u32; free slots lie anywhere. */
export const pciV2B = struct(
  'pci_ser',
  {
    max_nr_devices: max32,
    nr_devices: number32,
    devices: array(pciDeviceV2B, { field: 'max_nr_devices' }),
    tail,
  },
  { doc: DOC, rules: [room] },
);

/** The PCI devices that pass to the next kernel. */
export const pciLiveupdate = family({
  name: 'pci-liveupdate',
  doc: 'All preserved PCI devices.',
  key: { by: 'name' },
  mismatch: 'ignored',
  lookup: { group: 'luo-flb' },
  versions: [
    version({
      key: 'pci-v1',
      variant: 'A',
      layout: pciV1A,
      status: 'list',
      source: 'include/linux/kho/abi/pci.h of the first posting, 2025',
    }),
    version({
      key: 'pci-v1',
      variant: 'B',
      layout: pciV1B,
      status: 'list',
      source: '<20260129212510.967611-3-dmatlack@google.com>',
    }),
    version({
      key: 'pci-v1',
      variant: 'C',
      layout: pciV1C,
      status: 'list',
      source: 'linux-mm commit 8333de2e (2026)',
    }),
    version({
      key: 'pci-v2',
      variant: 'A',
      layout: pciV2A,
      status: 'list',
      source: 'dmatlack/linux, commit 2932bac0',
    }),
    version({
      key: 'pci-v2',
      variant: 'B',
      layout: pciV2B,
      status: 'list',
      source: 'linux-mm commit 3bb8a42d; shvipin/linux, commit 0d5a25ec',
    }),
  ],
});
