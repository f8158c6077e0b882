// SPDX-License-Identifier: Apache-2.0
// IOMMU state bound to files (FLB), in all revisions that were posted or found in trees of their authors; string
// iommu-liveupdate with a version number, revisions C and D, declared here. Never merged: include/linux/kho/abi/iommu.h.
import { family, version } from '../lang/family.js';
import { pointer, reserved, u8, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';
import type { StructType } from '../lang/type.js';
import {
  DELETED,
  deviceMap,
  deviceRules,
  devid,
  domainId,
  iommuDeviceSmmu,
  iommuDomainB,
  iommuHeader,
  iommuUnitIntel,
  iommuUnitSmmuD,
  maxPasid,
  pasidTable,
  pciDomainNr,
  restored,
  topTablePhys,
  unitToken,
  vasz,
} from './iommu-liveupdate-parts.js';
import { iommuFlbA, iommuFlbB, iommuFlbIntelB2, iommuFlbSmmuB2 } from './iommu-liveupdate-v1.js';
import { IOMMU_TYPES, iommuArrays, restoredDomain, topLevel, usedWith } from './iommu-records.js';
import { iommuFlbF0, iommuFlbV1 } from './iommu-v1.js';
import { PAGE_SIZE } from './page.js';

/** C: a hardware unit, without the part that is Intel's. */
export const iommuUnitC = struct(
  'iommu_hw_ser',
  {
    hdr: iommuHeader,
    token: unitToken,
    type: u64({ doc: 'kind of hardware unit', names: IOMMU_TYPES, max: 1n }),
  },
  { doc: 'A hardware unit.' },
);

/** C: a device, without the part that is Intel's. */
export const iommuDeviceC = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    domain_iommu_ser: deviceMap(
      u64({ doc: 'id of the attachment on its hardware unit' }),
      iommuDomainB,
      iommuUnitC,
    ),
  },
  deviceRules,
);

/** D: a domain. The bit field became a byte with padding, which moved what follows under an unchanged version. */
export const iommuDomainD = struct(
  'iommu_domain_ser',
  {
    hdr: iommuHeader,
    top_table_phys: topTablePhys,
    top_level: topLevel,
    vasz,
    sign_extend: u8({ doc: 'addresses are sign-extended, as first-stage tables do', max: 1n }),
    padding: reserved(3),
    restored_domain: restoredDomain,
  },
  { doc: 'A domain: one set of page tables.', rules: [usedWith(['top_table_phys'], ...DELETED)] },
);

const dmaOwnerToken = u64({ doc: 'token of the file that owns its DMA' });

/** D: a device of an Intel unit. */
export const iommuDeviceIntelD = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    dma_owner_token: dmaOwnerToken,
    domain_iommu_ser: deviceMap(domainId, iommuDomainD, iommuUnitIntel),
    intel: struct('iommu_device_intel_ser', {
      restored,
      padding: reserved(7),
      pasid_table: pasidTable,
      max_pasid: maxPasid,
    }),
  },
  deviceRules,
);

/** D: a device of an Arm unit. */
export const iommuDeviceSmmuD = struct(
  'iommu_device_ser',
  {
    hdr: iommuHeader,
    devid,
    pci_domain_nr: pciDomainNr,
    dma_owner_token: dmaOwnerToken,
    domain_iommu_ser: deviceMap(
      u64({ doc: 'id of the attachment on its hardware unit' }),
      iommuDomainD,
      iommuUnitSmmuD,
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
  const options = { align: PAGE_SIZE, nullable: false };
  const top = struct(
    'iommu_flb_ser',
    {
      version: u64({ doc: 'version of this layout', oneOf: [1n] }),
      iommu_array_phys: pointer(
        { to: 'layout', layout: arrays.units },
        { doc: 'hardware units', ...options },
      ),
      iommu_domain_array_phys: pointer(
        { to: 'layout', layout: arrays.domains },
        { doc: 'domains', ...options },
      ),
      device_array_phys: pointer({ to: 'layout', layout: arrays.devices }, { doc: 'devices', ...options }),
    },
    { doc: 'IOMMU state that passes to the next kernel.' },
  );
  return { ...arrays, top };
};

/** C: all of it; `top` is what the LUO entry leads to. */
export const iommuFlbC = flb(iommuUnitC, iommuDomainB, iommuDeviceC);
/** D on a machine with Intel units. */
export const iommuFlbIntelD = flb(iommuUnitIntel, iommuDomainD, iommuDeviceIntelD);
/** D on a machine with Arm units. */
export const iommuFlbSmmuD = flb(iommuUnitSmmuD, iommuDomainD, iommuDeviceSmmuD);

const UNION = 'A device record does not say whether its union is of Intel or Arm: the unit it leads to does.';

/** IOMMU state that passes to the next kernel. */
export const iommuLiveupdate = family({
  name: 'iommu-liveupdate',
  doc: 'IOMMU state that passes to the next kernel: domains, devices, hardware units.',
  key: { by: 'name' },
  mismatch: 'panic',
  lookup: { group: 'luo-flb' },
  versions: [
    version({
      key: 'iommu-v1',
      variant: 'F0',
      layout: iommuFlbF0,
      status: 'rfc',
      source: 'include/linux/kho/abi/iommu.h of a tree of its author, before the first posting without RFC',
      notes: 'Hardware units are not packed, and devices partly.',
    }),
    version({
      key: 'iommu-v1',
      variant: 'V1',
      layout: iommuFlbV1,
      status: 'list',
      source: '<20260203220948.2176157-1-skhawaja@google.com>',
    }),
    version({
      key: 'iommu-liveupdate-v1',
      variant: 'A',
      layout: iommuFlbA.top,
      status: 'list',
      source: 'jackYoung0915/anolis-cloud-kernel, commit c72b106b; probably PATCH v2 of 2026-04-27',
      notes: 'From the middle of a series: no kind of hardware unit is there yet.',
    }),
    version({
      key: 'iommu-liveupdate-v1',
      variant: 'B2-smmuv3',
      layout: iommuFlbSmmuB2.top,
      status: 'list',
      source: 'pran005/linux, commit a9588c7b',
      notes: `B with Arm's unit, on machines that have one. ${UNION}`,
    }),
    version({
      key: 'iommu-liveupdate-v1',
      variant: 'B2-intel',
      layout: iommuFlbIntelB2.top,
      status: 'list',
      source: 'pran005/linux, commit a9588c7b',
      notes: `The same on Intel machines: devices are 8 bytes longer than in B. ${UNION}`,
    }),
    version({
      key: 'iommu-liveupdate-v1',
      variant: 'B',
      layout: iommuFlbB.top,
      status: 'list',
      source: 'samikhawaja/linux, commit ef754267; probably PATCH v3 or v4',
    }),
    version({
      key: 'iommu-liveupdate',
      variant: 'C',
      layout: iommuFlbC.top,
      status: 'list',
      source: 'samikhawaja/linux, commit 07a49313',
      notes: 'From the middle of a series: without the part that is Intel’s.',
    }),
    version({
      key: 'iommu-liveupdate',
      variant: 'D-smmuv3',
      layout: iommuFlbSmmuD.top,
      status: 'list',
      source: 'pran005/linux, commit 22fa8f30',
      notes: `On machines with Arm's unit. ${UNION}`,
    }),
    version({
      key: 'iommu-liveupdate',
      variant: 'D-intel',
      layout: iommuFlbIntelD.top,
      status: 'list',
      source: 'pran005/linux, commit 22fa8f30',
      notes: `On Intel machines. ${UNION}`,
    }),
  ],
});
