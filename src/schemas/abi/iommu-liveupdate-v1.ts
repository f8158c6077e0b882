// SPDX-License-Identifier: Apache-2.0
// IOMMU state bound to files, string iommu-liveupdate-v1: revisions A, B, and B2 (B with Arm's unit). Never merged.
import { pointer, reserved, u32, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';
import type { StructType } from '../lang/type.js';
import {
  deviceMap,
  deviceRules,
  devid,
  domainId,
  iommuDeviceSmmu,
  iommuDomainB,
  iommuHeader,
  iommuUnitIntel,
  iommuUnitSmmuB2,
  maxPasid,
  pasidTable,
  pciDomainNr,
  topTablePhys,
  unitToken,
  vasz,
} from './iommu-liveupdate-parts.js';
import {
  counted,
  IOMMU_TYPES,
  iommuArrays,
  recordState,
  restoredDomain,
  signExtendBit,
  topLevel,
  usedWith,
} from './iommu-records.js';
import { PAGE_SIZE } from './page.js';

/** A: the header of all records, 5 bytes. */
export const iommuHeaderA = struct(
  'iommu_hdr_ser',
  { ref_count: u32({ doc: 'references' }), state: recordState },
  { doc: 'What every record begins with.', rules: [counted('state.deleted')] },
);

/** A: a domain. */
export const iommuDomainA = struct(
  'iommu_domain_ser',
  {
    hdr: iommuHeaderA,
    top_table_phys: topTablePhys,
    top_level: topLevel,
    vasz,
    sign_extend: signExtendBit,
    restored_domain: restoredDomain,
  },
  { doc: 'A domain: one set of page tables.', rules: [usedWith(['top_table_phys'], 'hdr.state.deleted')] },
);

/** A: a hardware unit. */
export const iommuUnitA = struct(
  'iommu_hw_ser',
  {
    hdr: iommuHeaderA,
    token: unitToken,
    type: u64({ doc: 'kind of hardware unit', names: IOMMU_TYPES, max: 1n }),
  },
  { doc: 'A hardware unit.' },
);

/** A: a device. */
export const iommuDeviceA = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeaderA,
    devid,
    pci_domain_nr: pciDomainNr,
    domain_iommu_ser: deviceMap(
      u64({ doc: 'id of the attachment on its hardware unit' }),
      iommuDomainA,
      iommuUnitA,
    ),
  },
  {
    doc: 'A device and what it is attached to.',
    rules: [usedWith(['domain_iommu_ser.domain_phys', 'domain_iommu_ser.iommu_phys'], 'hdr.state.deleted')],
  },
);

const intel = struct('iommu_device_intel_ser', { pasid_table: pasidTable, max_pasid: maxPasid });

/** B: a device. */
export const iommuDeviceB = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    domain_iommu_ser: deviceMap(domainId, iommuDomainB, iommuUnitIntel),
    intel,
  },
  deviceRules,
);

/** B2: a device of an Intel unit. */
export const iommuDeviceIntelB2 = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    domain_iommu_ser: deviceMap(domainId, iommuDomainB, iommuUnitIntel),
    intel,
    padding: reserved(8, 'rest of the union with smmuv3'),
  },
  deviceRules,
);

/** B2: a device of an Arm unit. */
export const iommuDeviceSmmuB2 = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    domain_iommu_ser: deviceMap(
      u64({ doc: 'id of the attachment on its hardware unit' }),
      iommuDomainB,
      iommuUnitSmmuB2,
    ),
    smmuv3: iommuDeviceSmmu,
  },
  deviceRules,
);

/** The pages of hardware units, domains and devices, and what leads to them. */
const flb = <U extends StructType, D extends StructType, V extends StructType>(
  unit: U,
  domain: D,
  device: V,
) => {
  const arrays = iommuArrays(unit, domain, device);
  const align = PAGE_SIZE;
  const top = struct(
    'iommu_flb_ser',
    {
      iommu_array_phys: pointer({ to: 'layout', layout: arrays.units }, { doc: 'hardware units', align }),
      iommu_domain_array_phys: pointer({ to: 'layout', layout: arrays.domains }, { doc: 'domains', align }),
      device_array_phys: pointer({ to: 'layout', layout: arrays.devices }, { doc: 'devices', align }),
    },
    { doc: 'IOMMU state that passes to the next kernel.' },
  );
  return { ...arrays, top };
};

/** A: all of it; `top` is what the LUO entry leads to. */
export const iommuFlbA = flb(iommuUnitA, iommuDomainA, iommuDeviceA);
/** B: all of it. */
export const iommuFlbB = flb(iommuUnitIntel, iommuDomainB, iommuDeviceB);
/** B2 on a machine with Intel units. */
export const iommuFlbIntelB2 = flb(iommuUnitIntel, iommuDomainB, iommuDeviceIntelB2);
/** B2 on a machine with Arm units. */
export const iommuFlbSmmuB2 = flb(iommuUnitSmmuB2, iommuDomainB, iommuDeviceSmmuB2);
