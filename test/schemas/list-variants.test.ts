// SPDX-License-Identifier: Apache-2.0
// One string, several layouts: what lies in memory tells them apart, or it is said that it does not.
import { describe, expect, it } from 'vitest';
import {
  encodeUnchecked,
  type Family,
  follow,
  identify,
  iommuFlbA,
  iommuFlbB,
  iommuFlbC,
  iommuFlbF0,
  iommuFlbIntelB2,
  iommuFlbIntelD,
  iommuFlbSmmuB2,
  iommuFlbSmmuD,
  iommuFlbV1,
  iommufdLiveupdate,
  iommufdV1,
  iommuLiveupdate,
  kvmVmLiveupdate,
  type Layout,
  luoV5,
  type Memory,
  pciLiveupdate,
  registryLookup,
  relatedLayouts,
  type SchemaIssue,
  type StructType,
  u64,
  versionName,
  vfioPciLiveupdate,
} from '../../src/schemas/index.js';
import { AT, samples } from './list-samples.js';

const word = u64();
const TOP = 0x100000n;
const MORE_DEVICES = 0x104000n;

/** Memory of which only `pieces` are there. */
function memoryOf(pieces: ReadonlyMap<bigint, Uint8Array>): Memory {
  return (address, length) => {
    for (const [start, bytes] of pieces) {
      const from = address - start;
      if (from < 0n || from + BigInt(length) > BigInt(bytes.length)) continue;
      return bytes.subarray(Number(from), Number(from) + length);
    }
    return undefined;
  };
}

const sampleOf = (name: string): Readonly<Record<string, unknown>> => {
  const found = samples[name];
  if (found === undefined) throw new TypeError(`no sample ${name}`);
  return found.value;
};

/** A handover of a revision: a unit, a domain, a device, and one more in a second page of devices. */
interface Revision {
  readonly key: string;
  readonly variant: string;
  readonly top: StructType;
  readonly unit: string;
  readonly domain: string;
  readonly device: string;
}

const revisions: readonly Revision[] = [
  {
    key: 'iommu-v1',
    variant: 'F0',
    top: iommuFlbF0,
    unit: 'f0_unit',
    domain: 'f0_domain',
    device: 'f0_device',
  },
  {
    key: 'iommu-v1',
    variant: 'V1',
    top: iommuFlbV1,
    unit: 'v1_unit',
    domain: 'v1_domain',
    device: 'v1_device',
  },
  {
    key: 'iommu-liveupdate-v1',
    variant: 'A',
    top: iommuFlbA.top,
    unit: 'a_unit',
    domain: 'a_domain',
    device: 'a_device',
  },
  {
    key: 'iommu-liveupdate-v1',
    variant: 'B',
    top: iommuFlbB.top,
    unit: 'b_unit',
    domain: 'b_domain',
    device: 'b_device',
  },
  {
    key: 'iommu-liveupdate-v1',
    variant: 'B2-intel',
    top: iommuFlbIntelB2.top,
    unit: 'b_unit',
    domain: 'b_domain',
    device: 'b2_device',
  },
  {
    key: 'iommu-liveupdate-v1',
    variant: 'B2-smmuv3',
    top: iommuFlbSmmuB2.top,
    unit: 'b2_unit',
    domain: 'b_domain',
    device: 'b2_device_smmu',
  },
  {
    key: 'iommu-liveupdate',
    variant: 'C',
    top: iommuFlbC.top,
    unit: 'c_unit',
    domain: 'b_domain',
    device: 'c_device',
  },
  {
    key: 'iommu-liveupdate',
    variant: 'D-intel',
    top: iommuFlbIntelD.top,
    unit: 'b_unit',
    domain: 'd_domain',
    device: 'd_device',
  },
  {
    key: 'iommu-liveupdate',
    variant: 'D-smmuv3',
    top: iommuFlbSmmuD.top,
    unit: 'd_unit',
    domain: 'd_domain',
    device: 'd_device_smmu',
  },
];

/** The layouts of the pages of units, domains and devices, in that order. */
function pagesOf(top: StructType): readonly [Layout, Layout, Layout] {
  const pages = relatedLayouts(top).filter((each) => each.kind === 'struct' && each.size === 4096);
  const [units, domains, devices] = pages;
  if (units === undefined || domains === undefined || devices === undefined) throw new TypeError('no pages');
  return [units, domains, devices];
}

/** The bytes of a page with `records`. */
function page(layout: Layout, next: bigint, records: readonly unknown[]): Uint8Array {
  const names = layout.kind === 'struct' ? Object.keys(layout.fields) : [];
  const [link = '', count = '', array = ''] = names;
  return encodeUnchecked(layout, { [link]: next, [count]: BigInt(records.length), [array]: records });
}

function handover({ key, top, unit, domain, device }: Revision, empty = false): Map<bigint, Uint8Array> {
  const [units, domains, devices] = pagesOf(top);
  const some = (name: string): unknown[] => (empty ? [] : [sampleOf(name)]);
  const first = key === 'iommu-v1' ? 'v1_top' : key === 'iommu-liveupdate' ? 'c_top' : 'a_top';
  return new Map([
    [TOP, encodeUnchecked(top, sampleOf(first))],
    [AT.units, page(units, 0n, some(unit))],
    [AT.domains, page(domains, 0n, some(domain))],
    [AT.devices, page(devices, empty ? 0n : MORE_DEVICES, some(device))],
    [MORE_DEVICES, page(devices, 0n, [...some(device), ...some(device)])],
    // Tokens of an Arm unit's tables, and of a device's.
    [0x203000n, new Uint8Array(2 * 8)],
    [0x204000n, new Uint8Array(3 * 8)],
  ]);
}

const find = (family: Family, key: string, address: bigint, memory: Memory) => {
  const found = identify(family, new Uint8Array(), { memory, address }, key);
  return found && { ...found, name: versionName(found.version) };
};

describe('IOMMU state', () => {
  it.each(revisions)('of $key=$variant is told from the others', (revision) => {
    const found = find(iommuLiveupdate, revision.key, TOP, memoryOf(handover(revision)));
    expect(found?.name).toBe(`${revision.key}=${revision.variant}`);
    expect(found?.confidence).toBe('evidence');
    expect(found?.alternatives).toEqual([]);
    expect(found?.because).toMatch(/^not iommu-/);
  });

  it.each(revisions)('of $key=$variant is followed page to page and to records', (revision) => {
    const memory = memoryOf(handover(revision));
    const issues: SchemaIssue[] = [];
    const start = { layout: revision.top, address: TOP };
    const reached = [...follow(start, memory, registryLookup(), { issue: (issue) => issues.push(issue) })];
    expect(issues).toEqual([]);
    const at = (address: bigint) => reached.filter((each) => each.address === address);
    expect(at(AT.devices)).toHaveLength(1);
    expect(at(MORE_DEVICES)).toHaveLength(1);
    expect(at(AT.domain).map(({ value }) => value)).toEqual([sampleOf(revision.domain)]);
    expect(at(AT.unit).map(({ value }) => value)).toEqual([sampleOf(revision.unit)]);
    expect(at(AT.table).length).toBeGreaterThan(0);
    for (const { layout, bytes, value } of reached) {
      if (layout !== undefined && bytes !== undefined)
        expect(Buffer.from(encodeUnchecked(layout, value)).equals(bytes)).toBe(true);
    }
  });

  it.each([
    ['iommu-v1', 'V1', ['F0']],
    ['iommu-liveupdate-v1', 'B', ['A', 'B2-smmuv3', 'B2-intel']],
    ['iommu-liveupdate', 'D-intel', ['C', 'D-smmuv3']],
  ])('without records is unsure under %s', (key, guess, others) => {
    for (const revision of revisions.filter((each) => each.key === key)) {
      const found = find(iommuLiveupdate, key, TOP, memoryOf(handover(revision, true)));
      expect(found).toMatchObject({ confidence: 'likely', name: `${key}=${guess}` });
      expect(found?.alternatives).toEqual(others.map((variant) => `${key}=${variant}`));
    }
  });

  it('has the variant that is forced', () => {
    const [revision] = revisions;
    if (revision === undefined) throw new TypeError('no revision');
    const options = { memory: memoryOf(handover(revision)), address: TOP };
    const variants = new Map([['iommu-v1', 'V1']]);
    const found = identify(iommuLiveupdate, new Uint8Array(), { ...options, variants }, 'iommu-v1');
    expect(found).toMatchObject({ confidence: 'certain', version: { variant: 'V1' } });
  });

  it('whose list of pages leads back is told of', () => {
    const revision = revisions.at(-1);
    if (revision === undefined) throw new TypeError('no revision');
    const pieces = handover(revision);
    const devices = pieces.get(MORE_DEVICES);
    devices?.set(encodeUnchecked(word, AT.devices));
    const issues: SchemaIssue[] = [];
    const start = { layout: revision.top, address: TOP };
    for (const _ of follow(start, memoryOf(pieces), registryLookup(), {
      issue: (issue) => issues.push(issue),
    }));
    expect(issues).toMatchObject([{ code: 'LOOP', path: '.device_array_phys#2' }]);
  });
});

describe('what LUO leads to', () => {
  it.each(revisions)('is read as $key=$variant when that fits', (revision) => {
    const pieces = handover(revision);
    const luo = { compatible: 'luo-v5', liveupdate_num: 1n, sessions_pa: 0n, flbs_pa: 0x2000n };
    pieces.set(0x1000n, encodeUnchecked(luoV5, luo));
    const flbs = new Uint8Array(4096);
    flbs.set([1, 0, 0, 0, 0, 0, 0, 0, 1]);
    flbs.set(Buffer.from(revision.key), 16);
    flbs.set(encodeUnchecked(word, TOP), 64);
    flbs.set([1], 72);
    pieces.set(0x2000n, flbs);
    const memory = memoryOf(pieces);
    const issues: SchemaIssue[] = [];
    const start = { layout: luoV5, address: 0x1000n };
    const lookup = registryLookup({ memory });
    const reached = [...follow(start, memory, lookup, { issue: (issue) => issues.push(issue) })];
    expect(issues).toEqual([]);
    expect(reached.find(({ address }) => address === TOP)?.layout).toBe(revision.top);
  });
});

describe('a preserved iommufd file', () => {
  const v1 = revisions.find(({ variant }) => variant === 'V1');
  const b = revisions.find(({ variant }) => variant === 'B');
  const FILE = 0x300000n;
  const pieces = (revision: Revision | undefined, name: string, records: string): Map<bigint, Uint8Array> => {
    if (revision === undefined) throw new TypeError('no revision');
    const sample = samples[name];
    const all = handover(revision);
    const domains = pagesOf(revision.top)[1];
    all.set(AT.domains, page(domains, 0n, [sampleOf(records), sampleOf(records)]));
    const file = new Uint8Array(4096);
    if (sample !== undefined) file.set(encodeUnchecked(sample.layout, sample.value));
    return all.set(FILE, file);
  };

  it.each([
    ['V1', v1, 'fd_v1', 'v1_domain'],
    ['B', b, 'fd_b', 'b_domain'],
  ])('of %s is told from the others', (variant, revision, name, records) => {
    const found = find(iommufdLiveupdate, 'iommufd-v1', FILE, memoryOf(pieces(revision, name, records)));
    expect(found).toMatchObject({ confidence: 'evidence', name: `iommufd-v1=${variant}` });
  });

  it('without page tables is unsure', () => {
    const memory = memoryOf(new Map([[FILE, new Uint8Array(4096)]]));
    expect(find(iommufdLiveupdate, 'iommufd-v1', FILE, memory)).toMatchObject({
      confidence: 'likely',
      name: 'iommufd-v1=B',
      alternatives: ['iommufd-v1=pointer', 'iommufd-v1=V1'],
    });
  });

  it('leads to the domains of its page tables, as many bytes as its count says', () => {
    const memory = memoryOf(pieces(v1, 'fd_v1', 'v1_domain'));
    const reached = [...follow({ layout: iommufdV1, address: FILE }, memory, registryLookup())];
    expect(reached[0]).toMatchObject({ address: FILE, length: 4 + 2 * 13, value: sampleOf('fd_v1') });
    expect(reached.map(({ address }) => address)).toEqual([
      FILE,
      AT.domain,
      AT.table,
      AT.domain + 33n,
      AT.table,
    ]);
  });

  it('that counts more than there is, or more than can be, is told of', () => {
    for (const [count, code] of [
      [1000, 'ABSENT'],
      [0xffffffff, 'BAD_COUNT'],
    ] as const) {
      const file = encodeUnchecked(iommufdV1, { nr_hwpts: 0, hwpts: [], tail: new Uint8Array(4092) });
      new DataView(file.buffer).setUint32(0, count, true);
      const issues: SchemaIssue[] = [];
      const start = { layout: iommufdV1, address: FILE };
      const memory = memoryOf(new Map([[FILE, file]]));
      const walk = follow(start, memory, registryLookup(), { issue: (issue) => issues.push(issue) });
      expect([...walk]).toEqual([]);
      expect(issues).toMatchObject([{ code, address: FILE }]);
    }
  });
});

describe('other users', () => {
  const PLACE = 0x500000n;
  const placed = (name: string): Memory => {
    const bytes = new Uint8Array(3 * 4096);
    const sample = samples[name];
    if (sample !== undefined) bytes.set(encodeUnchecked(sample.layout, sample.value));
    return memoryOf(new Map([[PLACE, bytes]]));
  };

  it.each([
    ['pci1_a', 'pci-v1', 'A'],
    ['pci1_b', 'pci-v1', 'B'],
    ['pci1_c', 'pci-v1', 'C'],
    ['pci2_a', 'pci-v2', 'A'],
    ['pci2_b', 'pci-v2', 'B'],
  ])('%s is %s=%s by evidence', (name, key, variant) => {
    const found = find(pciLiveupdate, key, PLACE, placed(name));
    expect(found).toMatchObject({ name: `${key}=${variant}`, confidence: 'evidence' });
  });

  it.each([
    ['vfio_a', vfioPciLiveupdate, 'vfio-pci-v1', 'A'],
    ['vfio_b', vfioPciLiveupdate, 'vfio-pci-v1', 'B'],
    ['vfio_c', vfioPciLiveupdate, 'vfio-pci-v1', 'C'],
    ['vfio_d', vfioPciLiveupdate, 'vfio-pci-v1', 'D'],
    ['vfio_e', vfioPciLiveupdate, 'vfio-pci-v1', 'E'],
    ['kvm_plain', kvmVmLiveupdate, 'kvm_vm_luo_v1', 'plain'],
  ])('%s may be more than one layout, and that is said', (name, family, key, variant) => {
    const found = find(family, key, PLACE, placed(name));
    expect(found?.confidence).toBe('likely');
    expect([found?.name, ...(found?.alternatives ?? [])]).toContain(`${key}=${variant}`);
  });
});
