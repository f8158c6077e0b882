// SPDX-License-Identifier: Apache-2.0
// Every value rule of the layouts that were never merged has a value that breaks it, and says where.
import { describe, expect, it } from 'vitest';
import {
  check,
  encodeUnchecked,
  hugeMemfdFolio,
  iommuFlbB,
  iommuFlbF0,
  type Layout,
  relatedLayouts,
} from '../../src/schemas/index.js';
import { header, samples } from './list-samples.js';

/** A copy of `value` with what `path` leads to replaced. */
function replaced(value: unknown, [name, ...path]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value))
    return value.map((each, at) => (`${at}` === name ? replaced(each, path, by) : each));
  if (typeof value !== 'object' || value === null) throw new TypeError(`nothing at ${name}`);
  return Object.fromEntries([
    ...Object.entries(value),
    [name, replaced(Object.entries(value).find(([key]) => key === name)?.[1], path, by)],
  ]);
}

/** What is wrong with a sample when a field is replaced: path, offset, expected, found. */
function broken(layout: Layout, value: unknown, path: string, by: unknown): readonly unknown[] {
  const bytes = encodeUnchecked(layout, replaced(value, path.split('.'), by));
  return check(layout, bytes).issues.map(({ path: where, offset, expected, found }) => [
    where,
    offset,
    expected,
    found,
  ]);
}

const USED = 'references to a record that is not deleted';
const ADDRESS = 'an address in a record that is not deleted';
const LEVEL = ['at least 2', 'at most 4'] as const;
const byte = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Sample, path replaced, value; then path, offset, expected, found of the one thing that is wrong. */
const cases: readonly (readonly [string, string, unknown, string, number, string, string])[] = [
  // iommu-v1
  ['v1_domain', 'obj.ref_count', 0, '.obj.ref_count', 4, USED, '0'],
  ['f0_unit', 'obj.ref_count', 0, '.obj.ref_count', 4, USED, '0'],
  ['v1_domain', 'obj.state.padding', 1, '.obj.state.padding', 8, 'zero', '1'],
  ['v1_domain', 'top_table', 0x201008n, '.top_table', 9, 'a multiple of 0x1000', '0x201008'],
  ['v1_domain', 'top_table', 0n, '.top_table', 9, ADDRESS, '0x0'],
  ['f0_domain', 'top_table', 0n, '.top_table', 9, ADDRESS, '0x0'],
  ['v1_domain', 'top_level', 1n, '.top_level', 17, LEVEL[0], '0x1'],
  ['f0_domain', 'top_level', 5n, '.top_level', 17, LEVEL[1], '0x5'],
  ['v1_domain', 'restored_domain', 8n, '.restored_domain', 25, 'zero', '0x8'],
  ['f0_domain', 'restored_domain', 8n, '.restored_domain', 33, 'zero', '0x8'],
  ['f0_unit', 'hole', byte(0, 0, 1, 0, 0, 0, 0), '.hole', 11, 'zero', 'byte 0x1'],
  ['f0_unit', 'padding', byte(0, 0, 0, 2), '.padding', 47, 'zero', 'byte 0x2'],
  ['v1_unit', 'arch.intel.root_table', 1n, '.arch.intel.root_table', 29, 'a multiple of 0x1000', '0x1'],
  ['v1_unit', 'arch.intel.root_table', 0n, '.arch.intel.root_table', 29, ADDRESS, '0x0'],
  ['f0_unit', 'arch.intel.root_table', 0n, '.arch.intel.root_table', 36, ADDRESS, '0x0'],
  ['v1_device', 'devid', 0x10000, '.devid', 17, 'at most 65535', '65536'],
  ['v1_device', 'type', 0, '.type', 45, '1', '0'],
  ['f0_device', 'type', 2, '.type', 49, '1', '2'],
  ['v1_device', 'domain_iommu_ser.did', 0x10000, '.domain_iommu_ser.did', 25, 'at most 65535', '65536'],
  ['v1_device', 'domain_iommu_ser.domain_phys', 0n, '.domain_iommu_ser.domain_phys', 29, ADDRESS, '0x0'],
  ['f0_device', 'domain_iommu_ser.iommu_phys', 0n, '.domain_iommu_ser.iommu_phys', 41, ADDRESS, '0x0'],
  ['f0_device', 'domain_iommu_ser.hole', byte(1, 0, 0, 0), '.domain_iommu_ser.hole', 29, 'zero', 'byte 0x1'],
  ['v1_top', 'devices_phys', 0x103010n, '.devices_phys', 32, 'a multiple of 0x1000', '0x103010'],
  // iommu-liveupdate-v1
  ['a_domain', 'hdr.ref_count', 0, '.hdr.ref_count', 0, USED, '0'],
  ['a_domain', 'hdr.state.padding', 2, '.hdr.state.padding', 4, 'zero', '2'],
  ['a_domain', 'top_table_phys', 0n, '.top_table_phys', 5, ADDRESS, '0x0'],
  ['a_domain', 'sign_extend.padding', 1, '.sign_extend.padding', 25, 'zero', '1'],
  ['a_unit', 'type', 2n, '.type', 13, 'at most 1', '0x2'],
  ['a_device', 'domain_iommu_ser.domain_phys', 0n, '.domain_iommu_ser.domain_phys', 21, ADDRESS, '0x0'],
  ['a_top', 'device_array_phys', 1n, '.device_array_phys', 16, 'a multiple of 0x1000', '0x1'],
  ['b_domain', 'hdr.ref_count', 0, '.hdr.ref_count', 0, USED, '0'],
  ['b_domain', 'hdr.flags', 4, '.hdr.flags', 4, 'no bits but 0x3', '4'],
  ['b_domain', 'top_table_phys', 0n, '.top_table_phys', 8, ADDRESS, '0x0'],
  ['b_domain', 'vasz', 58, '.vasz', 24, 'at most 57', '58'],
  ['b_domain', 'vasz', 0, '.vasz', 24, 'at least 1', '0'],
  ['b_unit', 'arch.intel.restored', 2, '.arch.intel.restored', 24, 'at most 1', '2'],
  ['b_unit', 'arch.intel.padding', byte(0, 0, 0, 0, 0, 0, 9), '.arch.intel.padding', 31, 'zero', 'byte 0x9'],
  ['b_unit', 'arch.intel.root_table', 0n, '.arch.intel.root_table', 40, ADDRESS, '0x0'],
  [
    'b_device',
    'domain_iommu_ser.attachment_id',
    0x10000n,
    '.domain_iommu_ser.attachment_id',
    16,
    'at most 65535',
    '0x10000',
  ],
  ['b_device', 'domain_iommu_ser.iommu_phys', 0n, '.domain_iommu_ser.iommu_phys', 32, ADDRESS, '0x0'],
  ['b_device', 'intel.pasid_table', 64n, '.intel.pasid_table', 40, 'a multiple of 0x1000', '0x40'],
  ['b2_device', 'padding', byte(1, 0, 0, 0, 0, 0, 0, 0), '.padding', 56, 'zero', 'byte 0x1'],
  ['b2_device_smmu', 'smmuv3.padding', byte(0, 1, 0, 0), '.smmuv3.padding', 53, 'zero', 'byte 0x1'],
  ['b2_unit', 'arch.smmuv3.padding', byte(0, 0, 0, 1), '.arch.smmuv3.padding', 63, 'zero', 'byte 0x1'],
  // iommu-liveupdate
  ['c_top', 'version', 2n, '.version', 0, '1', '0x2'],
  ['c_top', 'iommu_array_phys', 0n, '.iommu_array_phys', 8, 'at least 1', '0x0'],
  ['c_unit', 'type', 2n, '.type', 16, 'at most 1', '0x2'],
  ['d_domain', 'top_table_phys', 0n, '.top_table_phys', 8, ADDRESS, '0x0'],
  ['d_domain', 'sign_extend', 2, '.sign_extend', 28, 'at most 1', '2'],
  ['d_domain', 'padding', byte(0, 0, 1), '.padding', 31, 'zero', 'byte 0x1'],
  ['d_domain', 'restored_domain', 1n, '.restored_domain', 32, 'zero', '0x1'],
  ['d_device', 'intel.restored', 3, '.intel.restored', 48, 'at most 1', '3'],
  ['d_device', 'intel.padding', byte(1, 0, 0, 0, 0, 0, 0), '.intel.padding', 49, 'zero', 'byte 0x1'],
  ['d_device', 'domain_iommu_ser.domain_phys', 0n, '.domain_iommu_ser.domain_phys', 32, ADDRESS, '0x0'],
  // files and other users
  ['fd_pointer', 'folio_lu', 1n, '.folio_lu', 0, 'zero', '0x1'],
  ['fd_v1', 'hwpts.1.token', 5, '.hwpts[1].token', 17, 'a value that [0] does not have', '5'],
  ['fd_v1', 'hwpts.0.domain_data', 0n, '.hwpts[0].domain_data', 8, 'at least 1', '0x0'],
  ['fd_v1', 'hwpts.1.reclaimed', 1, '.hwpts[1].reclaimed', 29, 'zero', '1'],
  ['fd_b', 'hwpt_array.1.token', 5n, '.hwpt_array[1].token', 40, 'a value that [0] does not have', '0x5'],
  ['fd_b', 'hwpt_array.0.domain_data', 0n, '.hwpt_array[0].domain_data', 8, 'at least 1', '0x0'],
  ['fd_b', 'hwpt_array.0.reclaimed', 1, '.hwpt_array[0].reclaimed', 24, 'zero', '1'],
  [
    'fd_b',
    'hwpt_array.0.padding',
    byte(1, 0, 0, 0, 0, 0, 0),
    '.hwpt_array[0].padding',
    25,
    'zero',
    'byte 0x1',
  ],
  [
    'pci1_a',
    'devices.1',
    { domain: 0, bdf: 8 },
    '.devices[1].domain',
    12,
    'domain, bdf after 0, 784, as in [0]',
    '0, 8',
  ],
  ['pci1_b', 'devices.1.domain', 0, '.devices[1].domain', 20, 'domain, bdf after 0, 784, as in [0]', '0, 8'],
  [
    'pci2_a',
    'devices.1',
    { domain: 0, bdf: 0x310, refcount: 1 },
    '.devices[1].domain',
    24,
    'domain, bdf after 0, 784, as in [0]',
    '0, 784',
  ],
  ['pci2_a', 'max_nr_devices', 1n << 31n, '.max_nr_devices', 0, 'at most 2147483647', '0x80000000'],
  ['pci1_c', 'devices.0.padding', byte(0, 1), '.devices[0].padding', 15, 'zero', 'byte 0x1'],
  ['pci2_b', 'devices.1.refcount', 2, '.devices[1].refcount', 22, 'at most 1', '2'],
  ['vfio_a', 'cfg_size', 4097, '.cfg_size', 2, 'at most 4096', '4097'],
  ['vfio_a', 'reset_works', 2, '.reset_works', 8226, 'at most 1', '2'],
  ['vfio_c', 'reset_works', 2, '.reset_works', 4, 'at most 1', '2'],
  ['vfio_d', 'reset_works', 2, '.reset_works', 4, 'at most 1', '2'],
  ['hugetlb', 'nr_hstates', 5, '.nr_hstates', 36, 'at most 4', '5'],
  ['hugetlb', 'hstates.1.order', 53, '.hstates[1].order', 17, 'at most 52', '53'],
  ['huge_memfd', 'order', 53, '.order', 40, 'at most 52', '53'],
  ['guest_memfd', 'flags', 4n, '.flags', 8, 'no bits but 0x3', '0x4'],
  ['guest_folio', 'folio.flags', 2, '.folio.flags', 0, 'no bits but 0x1', '2'],
  ['netkit', 'cnt', 17n, '.cnt', 0, 'at most 16', '0x11'],
  ['feat_luo', 'flbs_pa', 1n, '.flbs_pa', 144, 'a multiple of 0x1000', '0x1'],
  ['feat_luo', 'sessions_pa', 1n, '.sessions_pa', 136, 'a multiple of 0x1000', '0x1'],
  ['feat_section', 'magic', 1, '.magic', 0, '1280726352', '1'],
  ['feat_section', 'version', 2, '.version', 4, '1', '2'],
  ['feat_section', 'entries.0.name', '', '.entries[0].name', 8, 'text', 'nothing'],
  ['feat_section', 'entries.0.reserved', byte(1, 0, 0, 0), '.entries[0].reserved', 60, 'zero', 'byte 0x1'],
];

describe('a broken rule of a layout that was never merged', () => {
  it.each(cases)('%s with %s %s', (name, path, by, ...expected) => {
    const sample = samples[name];
    if (sample === undefined) throw new TypeError(`no sample ${name}`);
    expect(broken(sample.layout, sample.value, path, by)).toEqual([expected]);
  });

  it.each([
    ['pci1_b', 1n, 0],
    ['pci2_a', 1n, 0],
  ])('%s with more devices than there is room for', (name, room, at) => {
    const sample = samples[name];
    expect(sample && broken(sample.layout, sample.value, 'max_nr_devices', room)).toEqual([
      [undefined, at, 'max_nr_devices of at least nr_devices', 'max_nr_devices 0x1, nr_devices 0x2'],
    ]);
  });

  it.each(['pci1_c', 'pci2_b'])('%s with more devices than slots', (name) => {
    const sample = samples[name];
    expect(sample && broken(sample.layout, sample.value, 'nr_devices', 3)).toEqual([
      [undefined, 0, 'max_nr_devices of at least nr_devices', 'max_nr_devices 2, nr_devices 3'],
    ]);
  });

  it.each([
    ['v1_unit', 0, '.arch', 21, '1 (intel)', '0'],
    ['f0_unit', 7, '.arch', 28, '1 (intel)', '7'],
    ['b_unit', 2n, '.arch', 24, '1 (intel)', '0x2'],
    ['b2_unit', 1n, '.arch', 24, '2 (smmuv3)', '0x1'],
    ['d_unit', 0n, '.arch', 24, '2 (smmuv3)', '0x0'],
  ])('%s of an unknown kind, %s', (name, type, path, offset, known, found) => {
    const sample = samples[name];
    if (sample === undefined) throw new TypeError(`no sample ${name}`);
    const bytes = encodeUnchecked(sample.layout, sample.value);
    const raw = bytes.slice(offset);
    const size = name === 'f0_unit' ? raw.slice(0, 16) : raw;
    expect(broken(sample.layout, { ...sample.value, type }, 'arch', { raw: size })).toEqual([
      [path, offset, `type to be ${known}, zeros after it`, found],
    ]);
  });

  it('excuses what is deleted', () => {
    for (const [name, path, deleted] of [
      ['v1_device', 'obj', { idx: 0, ref_count: 0, state: { deleted: 1, incoming: 0, padding: 0 } }],
      ['a_device', 'hdr', { ref_count: 0, state: { deleted: 1, incoming: 0, padding: 0 } }],
      ['b_device', 'hdr', { ref_count: 0, flags: 1 }],
      ['d_device', 'hdr', { ref_count: 0, flags: 3 }],
    ] as const) {
      const sample = samples[name];
      if (sample === undefined) throw new TypeError(`no sample ${name}`);
      const empty = replaced(sample.value, ['domain_iommu_ser', 'domain_phys'], 0n);
      expect(broken(sample.layout, empty, path, deleted), name).toEqual([]);
    }
  });

  it('is told of pages of records', () => {
    const page = iommuFlbB.domains;
    const value = { next_array_phys: 0n, nr_objects: 1n, objects: [samples['b_domain']?.value] };
    expect(broken(page, value, 'next_array_phys', 0x1010n)).toEqual([
      ['.next_array_phys', 0, 'a multiple of 0x1000', '0x1010'],
    ]);
    expect(broken(page, value, 'objects.0.hdr', { ...header.b, ref_count: 0 })).toEqual([
      ['.objects[0].hdr.ref_count', 16, USED, '0'],
    ]);
    const full = encodeUnchecked(page, value);
    full[8] = 111;
    expect(check(page, full).issues).toMatchObject([
      { code: 'BAD_COUNT', path: '.objects', offset: 16, expected: 'at most 110 elements', found: '111' },
    ]);
    // 85 units of 48 bytes leave no room for one more; 99 domains of 41 bytes leave 21 bytes.
    for (const [layout, records] of [
      [relatedLayouts(iommuFlbF0)[1], 85],
      [relatedLayouts(iommuFlbF0)[2], 99],
    ] as const) {
      const bytes = new Uint8Array(4096);
      bytes[8] = records + 1;
      expect(layout && check(layout, bytes).issues).toMatchObject([
        { code: 'BAD_COUNT', found: `${records + 1}` },
      ]);
    }
  });

  it('is told of folios of hugetlb memfds', () => {
    const value = { folio: { pfn: 5, flags: 0 }, index: 0n };
    expect(broken(hugeMemfdFolio, value, 'folio.flags', 1)).toEqual([['.folio.flags', 0, 'zero', '1']]);
  });
});
