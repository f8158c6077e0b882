// SPDX-License-Identifier: Apache-2.0
// What all revisions of the IOMMU live-update ABI share. None of it was merged up to Linux 7.3.
import { bits, link, part, u64, unused } from '../lang/scalar.js';
import { sizeOf } from '../lang/size.js';
import { array, struct } from '../lang/struct.js';
import type { StructType } from '../lang/type.js';
import { PAGE_SIZE } from './page.js';

/** Kinds of hardware units. */
export const IOMMU_TYPES = { INVALID: 0n, INTEL: 1n };

/** Kinds of hardware units in trees that know Arm's. */
export const IOMMU_TYPES_ARM = { ...IOMMU_TYPES, ARM_SMMUV3: 2n };

/** How many of `record` a page holds after its header of 16 bytes. */
const capacity = (record: StructType): bigint =>
  BigInt(Math.floor((PAGE_SIZE - 16) / (sizeOf(record) ?? PAGE_SIZE)));

/** The link to the next page, and the number of records in this one. */
const next = link({ doc: 'the next page', align: PAGE_SIZE });
const count = (record: StructType) =>
  u64({ doc: 'records in this page, deleted ones included', max: capacity(record) });

/** A page of records as iommu-liveupdate has them, F0 and V1 excepted. */
const iommuArray = <R extends StructType>(name: string, record: R, doc: string) =>
  struct(
    name,
    {
      next_array_phys: next,
      nr_objects: count(record),
      objects: array(record, { field: 'nr_objects' }),
      tail: unused('rest'),
    },
    { doc, size: PAGE_SIZE, align: PAGE_SIZE },
  );

/** The pages of hardware units, domains and devices of a revision. */
export const iommuArrays = <U extends StructType, D extends StructType, V extends StructType>(
  unit: U,
  domain: D,
  device: V,
) => ({
  units: iommuArray('iommu_hw_array_ser', unit, 'A page of hardware units.'),
  domains: iommuArray('iommu_domain_array_ser', domain, 'A page of domains.'),
  devices: iommuArray('iommu_device_array_ser', device, 'A page of devices.'),
});

/** A page of records as iommu-v1 has them (F0 and V1). */
export const iommuObjects = <R extends StructType>(name: string, record: R, doc: string) =>
  struct(
    name,
    {
      next_objs: next,
      nr_objs: count(record),
      objs: array(record, { field: 'nr_objs' }),
      tail: unused('rest'),
    },
    { doc, size: PAGE_SIZE, align: PAGE_SIZE },
  );

/** The state of a record as C bit fields; in a packed struct they take one byte, not the four of their type. */
export const recordState = bits(
  8,
  {
    deleted: part(1, { doc: 'removed: nothing refers to it, its slot is not used again' }),
    incoming: part(1, { doc: 'came from the kernel before' }),
    padding: part(6, { mask: 0n }),
  },
  'bit fields of one byte',
);

/** The sign extension of a domain as a C bit field of one byte. */
export const signExtendBit = bits(
  8,
  {
    sign_extend: part(1, { doc: 'addresses are sign-extended, as first-stage tables do' }),
    padding: part(7, { mask: 0n }),
  },
  'bit field of one byte',
);

/** The level of a domain's top table. */
export const topLevel = u64({ doc: 'level of the top table, leaf tables being level 0', min: 2n, max: 4n });

/** The kernel address that a domain gets when it is restored. */
export const restoredDomain = u64({
  doc: 'kernel address of the restored domain; 0 until the next kernel has restored it',
  mask: 0n,
});

/** The rule that a record in use has references. `when` says where it is marked as deleted. */
export const counted = (when: string, mask?: bigint) =>
  ({
    rule: 'not-zero-unless',
    fields: ['ref_count'],
    when,
    mask,
    doc: 'references to a record that is not deleted',
  }) as const;

/** The rule that a record in use has `fields`. */
export const usedWith = (fields: readonly string[], when: string, mask?: bigint) =>
  ({
    rule: 'not-zero-unless',
    fields,
    when,
    mask,
    doc: 'an address in a record that is not deleted',
  }) as const;
