// SPDX-License-Identifier: Apache-2.0
// IOMMU state bound to files, string iommu-v1, revisions F0 and V1. Never merged.
// <20260203220948.2176157-1-skhawaja@google.com>: include/linux/kho/abi/iommu.h
import { pointer, reserved, u32, u64 } from '../lang/scalar.js';
import { struct, union } from '../lang/struct.js';
import {
  counted,
  IOMMU_TYPES,
  iommuObjects,
  recordState,
  restoredDomain,
  topLevel,
  usedWith,
} from './iommu-records.js';
import { PAGE_SIZE } from './page.js';

const DELETED = 'obj.state.deleted';

/** The header of all records: 9 bytes. */
export const iommuObjectV1 = struct(
  'iommu_obj_ser',
  {
    idx: u32({ doc: 'position in its page' }),
    ref_count: u32({ doc: 'references' }),
    state: recordState,
  },
  { doc: 'What every record begins with.', rules: [counted('state.deleted')] },
);

const obj = iommuObjectV1;
const topTable = pointer({ to: 'memory' }, { doc: 'top page table', align: PAGE_SIZE });
const domainRules = { rules: [usedWith(['top_table'], DELETED)] };

/** F0: a domain. */
export const iommuDomainF0 = struct(
  'iommu_domain_ser',
  {
    obj,
    top_table: topTable,
    top_level: topLevel,
    attach_count: u64({ doc: 'devices attached' }),
    restored_domain: restoredDomain,
  },
  { doc: 'A domain: one set of page tables.', ...domainRules },
);

/** V1: a domain. */
export const iommuDomainV1 = struct(
  'iommu_domain_ser',
  { obj, top_table: topTable, top_level: topLevel, restored_domain: restoredDomain },
  { doc: 'A domain: one set of page tables.', ...domainRules },
);

const token = u64({ doc: 'physical address of its registers' });
const type = u32({ doc: 'kind of hardware unit', names: IOMMU_TYPES });
const intel = struct(
  'iommu_intel_ser',
  {
    phys_addr: u64({ doc: 'physical address of its registers' }),
    root_table: pointer({ to: 'memory' }, { doc: 'root table', align: PAGE_SIZE }),
  },
  { doc: 'An Intel unit.' },
);
const arch = union('type', { intel: { when: 1, type: intel } });
const unitRules = { rules: [usedWith(['arch.intel.root_table'], DELETED)] };

/** F0: a hardware unit. Its struct is not packed. */
export const iommuUnitF0 = struct(
  'iommu_ser',
  { obj, hole: reserved(7), token, type, arch, padding: reserved(4) },
  { doc: 'A hardware unit.', packed: false, ...unitRules },
);

/** V1: a hardware unit. */
export const iommuUnitV1 = struct(
  'iommu_ser',
  { obj, token, type, arch },
  { doc: 'A hardware unit.', ...unitRules },
);

const did = u32({ doc: 'domain id on the unit', max: 0xffffn });
const deviceToken = u64({ doc: 'token of the device' });
const devid = u32({ doc: 'bus << 8 | devfn', max: 0xffffn });
const pciDomain = u32({ doc: 'PCI segment' });
const deviceType = u32({ doc: 'kind of its hardware unit', names: IOMMU_TYPES, oneOf: [1n] });
const deviceRules = {
  doc: 'A device and what it is attached to.',
  rules: [usedWith(['domain_iommu_ser.domain_phys', 'domain_iommu_ser.iommu_phys'], DELETED)],
};

/** F0: a device. The struct of addresses in it is not packed. */
export const iommuDeviceF0 = struct(
  'device_ser',
  {
    obj,
    token: deviceToken,
    devid,
    pci_domain: pciDomain,
    domain_iommu_ser: struct(
      'device_domain_iommu_ser',
      {
        did,
        hole: reserved(4),
        domain_phys: pointer({ to: 'layout', layout: iommuDomainF0 }, { doc: 'its domain' }),
        iommu_phys: pointer({ to: 'layout', layout: iommuUnitF0 }, { doc: 'its hardware unit' }),
      },
      { packed: false },
    ),
    type: deviceType,
  },
  deviceRules,
);

/** V1: a device. */
export const iommuDeviceV1 = struct(
  'device_ser',
  {
    obj,
    token: deviceToken,
    devid,
    pci_domain: pciDomain,
    domain_iommu_ser: struct('device_domain_iommu_ser', {
      did,
      domain_phys: pointer({ to: 'layout', layout: iommuDomainV1 }, { doc: 'its domain' }),
      iommu_phys: pointer({ to: 'layout', layout: iommuUnitV1 }, { doc: 'its hardware unit' }),
    }),
    type: deviceType,
  },
  deviceRules,
);

/** F0: a page of hardware units. */
export const iommuUnitsF0 = iommuObjects('iommus_ser', iommuUnitF0, 'A page of hardware units.');
/** F0: a page of domains. */
export const iommuDomainsF0 = iommuObjects('iommu_domains_ser', iommuDomainF0, 'A page of domains.');
/** F0: a page of devices. */
export const iommuDevicesF0 = iommuObjects('devices_ser', iommuDeviceF0, 'A page of devices.');
/** V1: a page of hardware units. */
export const iommuUnitsV1 = iommuObjects('iommus_ser', iommuUnitV1, 'A page of hardware units.');
/** V1: a page of domains. */
export const iommuDomainsV1 = iommuObjects('iommu_domains_ser', iommuDomainV1, 'A page of domains.');
/** V1: a page of devices. */
export const iommuDevicesV1 = iommuObjects('devices_ser', iommuDeviceV1, 'A page of devices.');

const align = PAGE_SIZE;
const nrUnits = u64({ doc: 'number of hardware units' });
const nrDomains = u64({ doc: 'number of domains' });
const nrDevices = u64({ doc: 'number of devices' });

/** F0: what the LUO entry leads to. */
export const iommuFlbF0 = struct(
  'iommu_lu_flb_ser',
  {
    iommus_phys: pointer({ to: 'layout', layout: iommuUnitsF0 }, { doc: 'hardware units', align }),
    nr_iommus: nrUnits,
    iommu_domains_phys: pointer({ to: 'layout', layout: iommuDomainsF0 }, { doc: 'domains', align }),
    nr_domains: nrDomains,
    devices_phys: pointer({ to: 'layout', layout: iommuDevicesF0 }, { doc: 'devices', align }),
    nr_devices: nrDevices,
  },
  { doc: 'IOMMU state that passes to the next kernel.' },
);

/** V1: what the LUO entry leads to. */
export const iommuFlbV1 = struct(
  'iommu_lu_flb_ser',
  {
    iommus_phys: pointer({ to: 'layout', layout: iommuUnitsV1 }, { doc: 'hardware units', align }),
    nr_iommus: nrUnits,
    iommu_domains_phys: pointer({ to: 'layout', layout: iommuDomainsV1 }, { doc: 'domains', align }),
    nr_domains: nrDomains,
    devices_phys: pointer({ to: 'layout', layout: iommuDevicesV1 }, { doc: 'devices', align }),
    nr_devices: nrDevices,
  },
  { doc: 'IOMMU state that passes to the next kernel.' },
);
