// SPDX-License-Identifier: Apache-2.0
// Layouts that were never merged: sizes, offsets and bytes as gcc has them for structs written down by hand.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  check,
  decode,
  encodeUnchecked,
  fieldOffsets,
  iommuFlbA,
  iommuFlbB,
  iommuFlbC,
  iommuFlbF0,
  iommuFlbIntelB2,
  iommuFlbIntelD,
  iommuFlbSmmuB2,
  iommuFlbSmmuD,
  iommuFlbV1,
  iommufdHwptB,
  iommufdHwptV1,
  kvmMemoryAttribute,
  type Layout,
  type MemoryType,
  pciDeviceNarrow,
  pciDevicePadded,
  pciDeviceV2A,
  pciDeviceV2B,
  relatedLayouts,
  type StructType,
  sizeOf,
} from '../../src/schemas/index.js';
import { buildWithGcc } from '../oracle/oracle.js';
import { samples } from './list-samples.js';

const program = buildWithGcc('list-layouts');
const lines =
  program === undefined
    ? []
    : execFileSync(program, { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
const told = (kind: string): string[][] => lines.filter(([first]) => first === kind);

/** Layouts by the name of the C struct; two where a union of it is declared as two. */
function layoutsOf(name: string): MemoryType[] {
  const inner: Readonly<Record<string, MemoryType[]>> = {
    fd_v1_hwpt: [iommufdHwptV1],
    fd_b_hwpt: [iommufdHwptB],
    pci_dev4: [pciDeviceNarrow],
    pci_dev8: [pciDevicePadded],
    pci_dev_ref: [pciDeviceV2A, pciDeviceV2B],
    kvm_attr: [kvmMemoryAttribute],
  };
  return (
    inner[name] ?? [samples[name], samples[`${name}_smmu`]].flatMap((each) => (each ? [each.layout] : []))
  );
}

/** Offset and size of the field that a path leads to; `undefined` where the layout has none. */
function locate(type: MemoryType, path: string): readonly [number, number | undefined] | undefined {
  let at = 0;
  let inside: MemoryType | undefined = type;
  for (const name of path.split('.')) {
    if (inside?.kind === 'struct') {
      at += fieldOffsets(inside).get(name) ?? 0;
      inside = inside.fields[name];
    } else inside = inside?.kind === 'union' ? inside.cases[name]?.type : undefined;
  }
  return inside && [at, sizeOf(inside)];
}

/** Paths of the fields that C can name: all but bit fields and padding. */
function pathsOf(type: StructType, prefix = ''): string[] {
  return Object.entries(type.fields).flatMap(([name, field]) => {
    const path = prefix + name;
    if (field.kind === 'struct') return pathsOf(field, `${path}.`);
    if (field.kind !== 'union') return field.kind === 'bits' || field.kind === 'reserved' ? [] : [path];
    return Object.entries(field.cases).flatMap(([key, each]) => pathsOf(each.type, `${path}.${key}.`));
  });
}

describe.skipIf(program === undefined)('layouts that were never merged, as gcc has them', () => {
  it.each(told('size'))('%s of %s: %s bytes', (_, name = '', size) => {
    const layouts = layoutsOf(name);
    expect(layouts.length).toBeGreaterThan(0);
    for (const layout of layouts) expect(sizeOf(layout)).toBe(Number(size));
  });

  it('have their fields where C has them', () => {
    const offsets = told('off');
    expect(offsets.length).toBeGreaterThan(180);
    for (const [, name = '', path = '', offset, size] of offsets) {
      const found = layoutsOf(name)
        .map((layout) => locate(layout, path))
        .filter((each) => each !== undefined);
      expect(found.length, `${name}.${path}`).toBeGreaterThan(0);
      for (const each of found) expect(each, `${name}.${path}`).toEqual([Number(offset), Number(size)]);
    }
  });

  it('have no field that C does not have', () => {
    const headers = /^(obj|hdr|header)\./;
    for (const name of new Set(told('off').map(([, each = '']) => each))) {
      const known = new Set(told('off').flatMap(([, each, path]) => (each === name ? [path] : [])));
      for (const layout of layoutsOf(name)) {
        if (layout.kind !== 'struct') throw new TypeError(`${name} is no struct`);
        const missing = pathsOf(layout).filter(
          (path) => !headers.test(path) && !known.has(path) && !known.has(path.replace(/\.[^.]*$/, '')),
        );
        expect(missing, name).toEqual([]);
      }
    }
  });

  it('have room in a page for as many records', () => {
    const tops = [iommuFlbF0, iommuFlbV1, iommuFlbA.top, iommuFlbB.top, iommuFlbIntelB2.top];
    tops.push(iommuFlbSmmuB2.top, iommuFlbC.top, iommuFlbIntelD.top, iommuFlbSmmuD.top);
    const capacities = new Map<Layout, bigint | undefined>();
    for (const page of tops.flatMap(relatedLayouts)) {
      if (page.kind !== 'struct' || page.size !== 4096) continue;
      const [, count, records] = Object.values(page.fields);
      if (count?.kind !== 'integer' || records?.kind !== 'array') throw new TypeError('no page of records');
      capacities.set(records.of, count.rules.max);
    }
    const expected = told('cap');
    expect(expected).toHaveLength(19);
    for (const [, name = '', records] of expected) {
      for (const layout of layoutsOf(name)) expect(capacities.get(layout), name).toBe(BigInt(records ?? 0));
    }
    expect(capacities.size).toBe(expected.length + 2);
  });

  it.each(told('hex'))('%s of %s, bytes and values', (_, name = '', hex = '') => {
    const sample = samples[name];
    if (sample === undefined) throw new TypeError(`no sample ${name}`);
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(Buffer.from(encodeUnchecked(sample.layout, sample.value)).toString('hex')).toBe(hex);
    expect(decode<Layout>(sample.layout, bytes)).toEqual(sample.value);
    expect(check(sample.layout, bytes).issues).toEqual([]);
  });

  it('are tried with all samples', () => {
    expect(told('hex').map(([, name]) => name)).toEqual(expect.arrayContaining(Object.keys(samples)));
  });
});

/** Bytes written out by hand, little-endian, a field a word. */
const byHand: Readonly<Record<string, string>> = {
  // idx, ref_count, incoming | top_table | top_level | restored_domain
  v1_domain: '0200000003000000 02 0010200000000000 0300000000000000 0000000000000000',
  // obj | hole | token | type | phys_addr | root_table | padding
  f0_unit:
    '0200000003000000 02 00000000000000 0000d9fe00000000 01000000 0000d9fe00000000 0000200000000000 00000000',
  // hdr | devid | pci_domain_nr | attachment_id | domain_phys | iommu_phys
  a_device: '03000000 02 10030000 01000000 0700000000000000 1020100000000000 1010100000000000',
  // hdr | top_table_phys | top_level | vasz | sign_extend | restored_domain
  b_domain: '0300000002000000 0010200000000000 0300000000000000 30000000 01 0000000000000000',
  d_domain: '0300000002000000 0010200000000000 0300000000000000 30000000 01 000000 0000000000000000',
  fd_v1: '02000000 05000000 1020100000000000 00 06000000 3120100000000000 00',
  pci2_b: '02000000 01000000 00000000 0000 0000 00000100 1003 0100',
  vfio_d: '1003 0200 01 04030201',
  hugetlb: '1000000000000000 09 0200000000000000 12 0000000000000000 00 0000000000000000 00 02',
};

describe('bytes written out by hand', () => {
  it.each(Object.entries(byHand))('%s', (name, text) => {
    const sample = samples[name];
    if (sample === undefined) throw new TypeError(`no sample ${name}`);
    const hex = text.replaceAll(' ', '');
    expect(decode<Layout>(sample.layout, Buffer.from(hex, 'hex'))).toEqual(sample.value);
    expect(Buffer.from(encodeUnchecked(sample.layout, sample.value)).toString('hex')).toBe(hex);
  });
});
