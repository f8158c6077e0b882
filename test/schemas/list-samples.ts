// SPDX-License-Identifier: Apache-2.0
// Good values of the layouts that were never merged, by the names that test/oracle/list-layouts.c gives them.

import type { MemoryType } from '../../src/schemas/index.js';
import * as abi from '../../src/schemas/index.js';

/** Where the samples say that things lie. */
export const AT = {
  units: 0x101000n,
  domains: 0x102000n,
  devices: 0x103000n,
  unit: 0x101010n,
  domain: 0x102010n,
  root: 0x200000n,
  table: 0x201000n,
  pasid: 0x202000n,
} as const;

const REGISTERS = 0xfed90000n;

/** Headers of a record in use, by revision. */
export const header = {
  v1: { idx: 2, ref_count: 3, state: { deleted: 0, incoming: 1, padding: 0 } },
  a: { ref_count: 3, state: { deleted: 0, incoming: 1, padding: 0 } },
  b: { ref_count: 3, flags: 2 },
} as const;

const signed = { sign_extend: 1, padding: 0 };
const v1 = { obj: header.v1 };
const v1Domain = { ...v1, top_table: AT.table, top_level: 3n, restored_domain: 0n };
const v1Unit = {
  ...v1,
  token: REGISTERS,
  type: 1,
  arch: { intel: { phys_addr: REGISTERS, root_table: AT.root } },
};
const v1Device = {
  ...v1,
  token: 9n,
  devid: 0x310,
  pci_domain: 1,
  domain_iommu_ser: { did: 7, domain_phys: AT.domain, iommu_phys: AT.unit },
  type: 1,
};
const pages = {
  iommu_array_phys: AT.units,
  iommu_domain_array_phys: AT.domains,
  device_array_phys: AT.devices,
};
const tops = {
  iommus_phys: AT.units,
  nr_iommus: 1n,
  iommu_domains_phys: AT.domains,
  nr_domains: 1n,
  devices_phys: AT.devices,
  nr_devices: 2n,
};
const table = { top_table_phys: AT.table, top_level: 3n, vasz: 48 };
const map = {
  devid: 0x310,
  pci_domain_nr: 1,
  domain_iommu_ser: { attachment_id: 7n, domain_phys: AT.domain, iommu_phys: AT.unit },
};
const unit = { token: REGISTERS, type: 1n };
const intel = { pasid_table: AT.pasid, max_pasid: 0x100000n };
const master = { l1_cdtab_lu_state: 0x11n, num_l2_cdtables: 2, l2_cdtab_lu_states_phys: 0x203000n };
const stream = { strtab_base_cfg: 0x10010n, l1_strtab_lu_state: 0x21n, l2_strtab_lu_states_phys: 0x204000n };
const owner = { dma_owner_token: 0x1122334455667788n };
const b = { hdr: header.b };
const vm = { first: 0x300000n, total_pages: 2, flags: 1, order: 1 };
const bytesOf = (length: number, ...some: number[]): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes.set(some);
  return bytes;
};
const modes = bytesOf(256);
modes.set([0x6c, 0x32], 0);
modes.set([0x6c, 0x33], 16);

/** A layout and a value of it that breaks no rule. */
export interface Sample {
  readonly layout: MemoryType;
  readonly value: Readonly<Record<string, unknown>>;
}

/** All samples. */
export const samples: Readonly<Record<string, Sample>> = {
  f0_domain: { layout: abi.iommuDomainF0, value: { ...v1Domain, attach_count: 1n } },
  f0_unit: { layout: abi.iommuUnitF0, value: v1Unit },
  f0_device: { layout: abi.iommuDeviceF0, value: v1Device },
  v1_domain: { layout: abi.iommuDomainV1, value: v1Domain },
  v1_unit: { layout: abi.iommuUnitV1, value: v1Unit },
  v1_device: { layout: abi.iommuDeviceV1, value: v1Device },
  v1_deleted: {
    layout: abi.iommuDomainV1,
    value: {
      obj: { idx: 1, ref_count: 0, state: { deleted: 1, incoming: 0, padding: 0 } },
      top_table: 0n,
      top_level: 2n,
      restored_domain: 0n,
    },
  },
  v1_top: { layout: abi.iommuFlbV1, value: tops },
  a_domain: {
    layout: abi.iommuDomainA,
    value: { hdr: header.a, ...table, sign_extend: signed, restored_domain: 0n },
  },
  a_unit: { layout: abi.iommuUnitA, value: { hdr: header.a, ...unit } },
  a_device: { layout: abi.iommuDeviceA, value: { hdr: header.a, ...map } },
  a_top: { layout: abi.iommuFlbA.top, value: pages },
  b_domain: {
    layout: abi.iommuDomainB,
    value: { ...b, ...table, sign_extend: signed, restored_domain: 0n },
  },
  b_unit: {
    layout: abi.iommuUnitIntel,
    value: {
      ...b,
      ...unit,
      arch: {
        intel: {
          restored: 0,
          phys_addr: REGISTERS,
          root_table: AT.root,
          context_tables_bitmap: [0n, 5n, 0n, 0n, 0n, 0n, 0n, 0n],
        },
      },
    },
  },
  b_device: { layout: abi.iommuDeviceB, value: { ...b, ...map, intel } },
  b2_device: { layout: abi.iommuDeviceIntelB2, value: { ...b, ...map, intel } },
  b2_device_smmu: { layout: abi.iommuDeviceSmmuB2, value: { ...b, ...map, smmuv3: master } },
  b2_unit: {
    layout: abi.iommuUnitSmmuB2,
    value: {
      ...b,
      ...unit,
      type: 2n,
      arch: {
        smmuv3: { phys_addr: REGISTERS, strtab_base: AT.root, num_l2_tables: 3, ...stream },
      },
    },
  },
  c_unit: { layout: abi.iommuUnitC, value: { ...b, ...unit } },
  c_device: { layout: abi.iommuDeviceC, value: { ...b, ...map } },
  c_top: { layout: abi.iommuFlbC.top, value: { version: 1n, ...pages } },
  d_domain: { layout: abi.iommuDomainD, value: { ...b, ...table, sign_extend: 1, restored_domain: 0n } },
  d_device: {
    layout: abi.iommuDeviceIntelD,
    value: { ...b, ...map, ...owner, intel: { restored: 0, ...intel } },
  },
  d_device_smmu: { layout: abi.iommuDeviceSmmuD, value: { ...b, ...map, ...owner, smmuv3: master } },
  d_unit: {
    layout: abi.iommuUnitSmmuD,
    value: { ...b, ...unit, type: 2n, arch: { smmuv3: { phys_addr: REGISTERS, ...stream } } },
  },
  fd_pointer: { layout: abi.iommufdPointer, value: { folio_lu: 0n } },
  fd_v1: {
    layout: abi.iommufdV1,
    value: {
      nr_hwpts: 2,
      hwpts: [
        { token: 5, domain_data: AT.domain, reclaimed: 0 },
        { token: 6, domain_data: AT.domain + 33n, reclaimed: 0 },
      ],
    },
  },
  fd_b: {
    layout: abi.iommufdB,
    value: {
      nr_hwpts: 2n,
      hwpt_array: [
        { domain_data: AT.domain, token: 5n, reclaimed: 0 },
        { domain_data: AT.domain + 37n, token: 0x600000001n, reclaimed: 0 },
      ],
    },
  },
  pci1_a: {
    layout: abi.pciV1A,
    value: {
      nr_devices: 2n,
      devices: [
        { domain: 0, bdf: 0x310 },
        { domain: 1, bdf: 8 },
      ],
    },
  },
  pci1_b: {
    layout: abi.pciV1B,
    value: {
      max_nr_devices: 4n,
      nr_devices: 2n,
      devices: [
        { domain: 0, bdf: 0x310 },
        { domain: 1, bdf: 8 },
      ],
    },
  },
  pci1_c: {
    layout: abi.pciV1C,
    value: {
      max_nr_devices: 2,
      nr_devices: 1,
      devices: [
        { domain: 0x10000, bdf: 0x310 },
        { domain: 0, bdf: 0 },
      ],
    },
  },
  pci2_a: {
    layout: abi.pciV2A,
    value: {
      max_nr_devices: 4n,
      nr_devices: 2n,
      devices: [
        { domain: 0, bdf: 0x310, refcount: 1 },
        { domain: 0x10000, bdf: 8, refcount: 2 },
      ],
    },
  },
  pci2_b: {
    layout: abi.pciV2B,
    value: {
      max_nr_devices: 2,
      nr_devices: 1,
      devices: [
        { domain: 0, bdf: 0, refcount: 0 },
        { domain: 0x10000, bdf: 0x310, refcount: 1 },
      ],
    },
  },
  vfio_a: {
    layout: abi.vfioPciA,
    value: {
      bdf: 0x310,
      cfg_size: 256,
      pci_config_map: bytesOf(4096, 1, 1),
      vconfig: bytesOf(4096, 0x86, 0x80),
      rbar: [0xfe000000, 0, 7, 0, 0, 0, 0],
      reset_works: 1,
    },
  },
  vfio_b: { layout: abi.vfioPciB, value: { bdf: 0x310, domain: 2 } },
  vfio_c: { layout: abi.vfioPciC, value: { bdf: 0x310, domain: 2, reset_works: 1 } },
  vfio_d: {
    layout: abi.vfioPciD,
    value: { bdf: 0x310, domain: 2, reset_works: 1, iommufd_ser: { token: 0x01020304 } },
  },
  vfio_e: { layout: abi.vfioPciE, value: { domain: 0x10000, bdf: 0x310 } },
  hugetlb: {
    layout: abi.hugetlbV1,
    value: {
      hstates: [
        { nr_pages: 16n, order: 9 },
        { nr_pages: 2n, order: 18 },
        { nr_pages: 0n, order: 0 },
        { nr_pages: 0n, order: 0 },
      ],
      nr_hstates: 2,
    },
  },
  huge_memfd: {
    layout: abi.hugeMemfdV1,
    value: { size: 0x400000n, pos: 0x1000n, nr_folios: 2n, folios: vm, order: 9 },
  },
  kvm_plain: { layout: abi.kvmVmPlain, value: { type: 3n } },
  kvm_attrs: { layout: abi.kvmVmAttributes, value: { type: 3n, nr_mem_attrs: 5n, mem_attrs: vm } },
  guest_memfd: {
    layout: abi.guestMemfdV1,
    value: { size: 0x4000n, flags: 3n, nr_folios: 2n, vm_token: 77n, folios: vm },
  },
  guest_folio: {
    layout: abi.guestMemfdFolio,
    value: { folio: { pfn: 0x123456789, flags: 1 }, index: 4n },
  },
  netkit: {
    layout: abi.netkitV1,
    value: { cnt: 2n, names: ['nk0', 'nk1', ...Array<string>(14).fill('')], modes },
  },
  feat_luo: {
    layout: abi.luoFeatures,
    value: {
      header: { supp: 7n, req: 3n, active: 7n },
      liveupdate_num: 4n,
      sessions_pa: 0x400000n,
      flbs_pa: 0x401000n,
    },
  },
  feat_memfd: {
    layout: abi.memfdFeatures,
    value: {
      header: { supp: 3n, req: 1n, active: 3n },
      pos: 5n,
      size: 0x4000n,
      seals: 0xb,
      flags: 0,
      nr_folios: 2n,
      folios: vm,
    },
  },
  feat_section: {
    layout: abi.liveupdateFeaturesSection,
    value: {
      magic: 0x4c565550,
      version: 1,
      entries: [{ name: 'memfd', feat_bytes: 8, supp: 3n, req: 1n, active: 3n }],
    },
  },
};
