// SPDX-License-Identifier: Apache-2.0
// The structures of the ACPI DMAR table. Source: kernel 7.3.4 include/acpi/actbl1.h, VT-d specification 8; vtd-tables.md
// section 11.
import { address, type BitRecord, bitRecord, flag, number, reserved, text } from '../bit-record.js';

/** The table's own header. */
export const DMAR_HEADER = bitRecord('DMAR', 48, 'DMA remapping reporting table.', {
  signature: text(31, 0, '"DMAR"'),
  length: number(63, 32, 'of the whole table, in bytes'),
  revision: number(71, 64, 'of the format'),
  checksum: number(79, 72, 'makes all bytes of the table add up to 0'),
  oemId: text(127, 80, 'who made it'),
  oemTableId: text(191, 128, 'what they call it'),
  oemRevision: number(223, 192, 'their revision'),
  creatorId: text(255, 224, 'the tool that made it'),
  creatorRevision: number(287, 256, 'revision of the tool'),
  width: number(295, 288, 'host address width, less 1'),
  INTR_REMAP: flag(296, 'interrupt remapping is supported'),
  X2APIC_OPT_OUT: flag(297, 'firmware asks not to use x2APIC'),
  DMA_CTRL_PLATFORM_OPT_IN: flag(298, 'firmware keeps devices from DMA until the system takes over'),
  RSVD: reserved(303, 299),
  RSVD304: reserved(383, 304),
});

/** What every structure starts with. */
export const DMAR_STRUCTURE = bitRecord('remapping structure', 4, 'Head of a structure.', {
  type: number(15, 0, 'kind of structure'),
  length: number(31, 16, 'of the structure, in bytes'),
});

/** A device scope without its path. */
export const DEVICE_SCOPE = bitRecord('device scope', 6, 'Names a device by its way through bridges.', {
  type: number(7, 0, 'kind of device', {
    1: 'PCI endpoint',
    2: 'PCI bridge',
    3: 'IOAPIC',
    4: 'HPET',
    5: 'ACPI namespace device',
  }),
  length: number(15, 8, 'with the path, in bytes'),
  flags: number(23, 16, 'flags; reserved in earlier specifications'),
  RSVD: reserved(31, 24),
  enumerationId: number(39, 32, 'number of the IOAPIC, HPET or namespace device'),
  startBus: number(47, 40, 'bus where the path starts'),
});

const HEAD = {
  type: number(15, 0, 'kind of structure'),
  length: number(31, 16, 'of the structure, in bytes'),
} as const;

/** A structure: its fixed part, and what follows it. */
export interface DmarStructureFormat {
  /** Name in the specification. */
  readonly name: string;
  readonly record: BitRecord;
  readonly rest: 'scopes' | 'path' | 'nothing';
}

/** The structures by type. */
export const DMAR_STRUCTURES: Readonly<Record<number, DmarStructureFormat>> = {
  0: {
    name: 'DRHD',
    rest: 'scopes',
    record: bitRecord('DRHD', 16, 'A remapping unit and its devices.', {
      ...HEAD,
      INCLUDE_PCI_ALL: flag(32, 'all devices of the segment that no other unit has'),
      RSVD: reserved(39, 33),
      size: number(43, 40, 'of the register set: 2^(size + 12) bytes'),
      RSVD44: reserved(47, 44),
      segment: number(63, 48, 'PCI segment'),
      base: address(127, 64, 'the registers'),
    }),
  },
  1: {
    name: 'RMRR',
    rest: 'scopes',
    record: bitRecord('RMRR', 24, 'Memory that devices go on using; mapped to itself.', {
      ...HEAD,
      RSVD: reserved(47, 32),
      segment: number(63, 48, 'PCI segment'),
      base: address(127, 64, 'first byte'),
      end: address(191, 128, 'last byte'),
    }),
  },
  2: {
    name: 'ATSR',
    rest: 'scopes',
    record: bitRecord('ATSR', 8, 'Root ports that support ATS.', {
      ...HEAD,
      ALL_PORTS: flag(32, 'all root ports of the segment'),
      RSVD: reserved(47, 33),
      segment: number(63, 48, 'PCI segment'),
    }),
  },
  3: {
    name: 'RHSA',
    rest: 'nothing',
    record: bitRecord('RHSA', 20, 'Proximity of a remapping unit.', {
      ...HEAD,
      RSVD: reserved(63, 32),
      base: address(127, 64, 'the registers of the unit'),
      proximity: number(159, 128, 'proximity domain'),
    }),
  },
  4: {
    name: 'ANDD',
    rest: 'path',
    record: bitRecord('ANDD', 8, 'A device of the ACPI namespace.', {
      ...HEAD,
      RSVD: reserved(55, 32),
      device: number(63, 56, 'its number in device scopes'),
    }),
  },
  5: {
    name: 'SATC',
    rest: 'scopes',
    record: bitRecord('SATC', 8, 'Devices of the SoC that have an address translation cache.', {
      ...HEAD,
      ATC_REQUIRED: flag(32, 'they work only with it'),
      RSVD: reserved(47, 33),
      segment: number(63, 48, 'PCI segment'),
    }),
  },
  6: {
    name: 'SIDP',
    rest: 'scopes',
    record: bitRecord('SIDP', 8, 'Devices of the SoC with properties.', {
      ...HEAD,
      RSVD: reserved(47, 32),
      segment: number(63, 48, 'PCI segment'),
    }),
  },
};
