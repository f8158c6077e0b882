// SPDX-License-Identifier: Apache-2.0
// Parts of IOMMU records that several revisions from B on share: headers, domains, hardware units. Never merged.
import { pointer, reserved, u8, u32, u64 } from '../lang/scalar.js';
import { array, struct, union } from '../lang/struct.js';
import type { StructType } from '../lang/type.js';
import {
  counted,
  IOMMU_TYPES,
  IOMMU_TYPES_ARM,
  restoredDomain,
  signExtendBit,
  topLevel,
  usedWith,
} from './iommu-records.js';
import { PAGE_SIZE } from './page.js';

/** Where records from B on say that they are deleted: path and bit. */
export const DELETED = ['hdr.flags', 1n] as const;

/** From B on: the header of all records, 8 bytes. */
export const iommuHeader = struct(
  'iommu_hdr_ser',
  {
    ref_count: u32({ doc: 'references' }),
    flags: u32({ doc: 'state of the record', flags: { DELETED: 1n, INCOMING: 2n }, mask: 3n }),
  },
  { doc: 'What every record begins with.', rules: [counted('flags', 1n)] },
);

/** The physical address of a domain's top table. */
export const topTablePhys = pointer({ to: 'memory' }, { doc: 'top page table', align: PAGE_SIZE });

/** The width of a domain's addresses. */
export const vasz = u32({ doc: 'width of its addresses', unit: 'bits', min: 1n, max: 57n });

/** B, B2 and C: a domain. */
export const iommuDomainB = struct(
  'iommu_domain_ser',
  {
    hdr: iommuHeader,
    top_table_phys: topTablePhys,
    top_level: topLevel,
    vasz,
    sign_extend: signExtendBit,
    restored_domain: restoredDomain,
  },
  { doc: 'A domain: one set of page tables.', rules: [usedWith(['top_table_phys'], ...DELETED)] },
);

/** The physical address of a unit's registers, by which it is found again. */
export const unitToken = u64({ doc: 'physical address of its registers' });

/** The bus, device and function of a device. */
export const devid = u32({ doc: 'bus << 8 | devfn', max: 0xffffn });

/** The segment of a device. */
export const pciDomainNr = u32({ doc: 'PCI segment' });

/** The domain id of a device on an Intel unit. */
export const domainId = u64({ doc: 'domain id on its hardware unit', max: 0xffffn });

/** The rule that a device in use has a domain and a unit. */
export const deviceRules = {
  doc: 'A device and what it is attached to.',
  rules: [usedWith(['domain_iommu_ser.domain_phys', 'domain_iommu_ser.iommu_phys'], ...DELETED)],
};

/** Where a device is attached: to records of these kinds. */
export const deviceMap = (attachment: typeof domainId, domain: StructType, unit: StructType) =>
  struct('iommu_dev_map_ser', {
    attachment_id: attachment,
    domain_phys: pointer({ to: 'layout', layout: domain }, { doc: 'its domain' }),
    iommu_phys: pointer({ to: 'layout', layout: unit }, { doc: 'its hardware unit' }),
  });

/** The physical address of a device's PASID directory. */
export const pasidTable = pointer(
  { to: 'memory' },
  { doc: 'PASID directory; 0 in legacy mode', align: PAGE_SIZE },
);

/** The limit of the table that a device's PASID directory makes up. */
export const maxPasid = u64({ doc: 'PASIDs that its table has room for' });

/** Whether the next kernel has taken over a part of the state. */
export const restored = u8({ doc: '1 when the next kernel has restored it', max: 1n });

/** The state of an Intel unit, 88 bytes. */
const intelUnit = struct(
  'iommu_intel_ser',
  {
    restored,
    padding: reserved(7),
    phys_addr: u64({ doc: 'physical address of its registers' }),
    root_table: pointer({ to: 'memory' }, { doc: 'root table', align: PAGE_SIZE }),
    context_tables_bitmap: array(u64(), 8, {
      doc: 'bit bus << 1 | devfn >> 7 is set when that context table is preserved',
    }),
  },
  { doc: 'An Intel unit.', packed: false },
);

/** B, B2 and D: a hardware unit of Intel. */
export const iommuUnitIntel = struct(
  'iommu_hw_ser',
  {
    hdr: iommuHeader,
    token: unitToken,
    type: u64({ doc: 'kind of hardware unit', names: IOMMU_TYPES }),
    arch: union('type', { intel: { when: 1, type: intelUnit } }),
  },
  { doc: 'A hardware unit.', rules: [usedWith(['arch.intel.root_table'], ...DELETED)] },
);

/** Tokens of tables of the second level. */
const tokens = array(u64(), 'rest', { doc: 'tokens of tables of the second level' });

/** The kind of a hardware unit, in trees that know Arm's. */
const armType = u64({ doc: 'kind of hardware unit', names: IOMMU_TYPES_ARM });
const lengthOfIntel = { size: 88 };
const smmuRegisters = u64({ doc: 'physical address of its registers' });
const strtabBaseCfg = u64({ doc: 'register STRTAB_BASE_CFG' });
const l1StrtabState = u64({ doc: 'token of the linear stream table, or of its first level' });

/** B2: a hardware unit of Arm. */
export const iommuUnitSmmuB2 = struct(
  'iommu_hw_ser',
  {
    hdr: iommuHeader,
    token: unitToken,
    type: armType,
    arch: union(
      'type',
      {
        smmuv3: {
          when: 2,
          type: struct('iommu_smmuv3_hw_ser', {
            phys_addr: smmuRegisters,
            strtab_base: u64({ doc: 'register STRTAB_BASE' }),
            strtab_base_cfg: strtabBaseCfg,
            l1_strtab_lu_state: l1StrtabState,
            num_l2_tables: u32({ doc: 'number of preserved tables of the second level' }),
            padding: reserved(4),
            l2_strtab_lu_states_phys: pointer(
              { to: 'layout', layout: tokens, elements: 'num_l2_tables' },
              { doc: 'tokens of those tables; 0 for a linear table' },
            ),
          }),
        },
      },
      lengthOfIntel,
    ),
  },
  { doc: 'A hardware unit.' },
);

/** D: a hardware unit of Arm. */
export const iommuUnitSmmuD = struct(
  'iommu_hw_ser',
  {
    hdr: iommuHeader,
    token: unitToken,
    type: armType,
    arch: union(
      'type',
      {
        smmuv3: {
          when: 2,
          type: struct('iommu_smmuv3_hw_ser', {
            phys_addr: smmuRegisters,
            strtab_base_cfg: strtabBaseCfg,
            l1_strtab_lu_state: l1StrtabState,
            l2_strtab_lu_states_phys: pointer(
              { to: 'memory' },
              { doc: 'u64 tokens of tables of the second level by index, 0 for one not preserved' },
            ),
          }),
        },
      },
      lengthOfIntel,
    ),
  },
  { doc: 'A hardware unit.' },
);

/** B2 and D: what a device of an Arm unit keeps, 24 bytes. */
export const iommuDeviceSmmu = struct(
  'iommu_master_smmuv3_ser',
  {
    l1_cdtab_lu_state: u64({
      doc: 'token of the linear table of context descriptors, or of its first level',
    }),
    num_l2_cdtables: u32({ doc: 'number of preserved tables of the second level' }),
    padding: reserved(4),
    l2_cdtab_lu_states_phys: pointer(
      { to: 'layout', layout: tokens, elements: 'num_l2_cdtables' },
      { doc: 'tokens of those tables; 0 for a linear table' },
    ),
  },
  { doc: 'Context descriptors of a device.' },
);
