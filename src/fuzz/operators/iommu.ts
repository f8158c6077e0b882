// SPDX-License-Identifier: Apache-2.0
// Changes to what the RFC of 2024 hands over: areas, domains, page tables, lists of their pages.
import type { FdtTreeNode } from '../../fdt/tree.js';
import { translate } from '../../vtd/translate.js';
import type { TranslationStep } from '../../vtd/translation.js';
import {
  type Apply,
  BEYOND,
  type ImageOperator,
  inField,
  numberOf,
  put,
  type Site,
  sibling,
} from '../image-operator.js';
import type { Spot } from '../spots.js';
import { editRoot, withChild, withProperties } from './edit-tree.js';

const IOMMUFD = ['rfc-iommufd'];
const INTEL = ['rfc-intel-iommu'];
const ROOT = ['root'];
const PAGE = 4096n;

/** The area that a field of it is of. */
interface AreaFields {
  readonly start: Spot;
  readonly length: Spot;
  readonly path: string;
  /** Path of its address space. */
  readonly ioas: string;
}

function areas(site: Site): readonly AreaFields[] {
  return site.bench.fields(ROOT, 'iova-start').flatMap((start) => {
    const length = sibling(site, start, 'iova-len');
    const path = start.path.replace(/\/[^/]*$/, '');
    return length === undefined ? [] : [{ start, length, path, ioas: path.replace(/\/[^/]*$/, '') }];
  });
}

/** The space between an area and the next one of its address space, in bytes. */
function gapBehind(site: Site, { start, length, ioas }: AreaFields): bigint {
  const end = numberOf(start.value) + numberOf(length.value);
  const next = areas(site)
    .filter((each) => each.ioas === ioas && numberOf(each.start.value) >= end)
    .map((each) => numberOf(each.start.value));
  return (next.sort((a, b) => Number(a - b))[0] ?? end + (1n << 30n)) - end;
}

/** The entries that translate the first page of an area, top table first. */
function stepsOf(site: Site, area: AreaFields): readonly TranslationStep[] {
  const id = /^\/iommufd\/iommufds\/(\d+)\//.exec(area.path)?.[1] ?? '';
  const domain = site.bench.handover.iommu.domains.find(({ persistentId }) => `${persistentId}` === id);
  if (domain?.levels === undefined) return [];
  const root = { stage: 'second' as const, table: domain.topTable, levels: domain.levels };
  return translate(site.bench.handover.memory, root, numberOf(area.start.value)).steps;
}

/** Changes the entry of some level that translates the first page of some area. */
const inEntry =
  (
    levelOf: (levels: number) => number,
    value: (entry: bigint, site: Site, step: TranslationStep) => bigint | undefined,
  ): Apply =>
  (site) => {
    const area = site.random.pick(areas(site));
    const steps = area === undefined ? [] : stepsOf(site, area);
    const step = steps.find(({ level }) => level === levelOf(steps.length));
    const now = step && value(step.entry, site, step);
    if (step === undefined || now === undefined || area === undefined) return undefined;
    site.store.writeU64(step.address, now);
    const detail = `the level ${step.level} entry at 0x${step.address.toString(16)} was 0x${step.entry.toString(16)}, is 0x${now.toString(16)}`;
    return { at: area.path, detail };
  };

const ADDRESS = 0xf_ffff_ffff_f000n;
const leaf = (): number => 1;
const top = (levels: number): number => levels;

/** Changes the list `mem` of a domain. */
const inMem =
  (change: (mem: Uint8Array, site: Site) => Uint8Array | undefined, what: string): Apply =>
  (site) => {
    const domain = site.random.pick(site.bench.handover.iommu.domains);
    if (domain === undefined) return undefined;
    const name = domain.path.replace(/^.*\//, '');
    const inDomain = (node: FdtTreeNode): FdtTreeNode | undefined => {
      const mem = node.properties.find((each) => each.name === 'mem');
      const now = mem && change(mem.value, site);
      if (now === undefined) return undefined;
      return withProperties(
        node,
        node.properties.map((each) => (each.name === 'mem' ? { name: 'mem', value: now } : each)),
      );
    };
    const done = editRoot(site, (root) =>
      withChild(root, 'intel-iommu', (intel) =>
        withChild(intel, 'domains', (domains) => withChild(domains, name, inDomain)),
      ),
    );
    return done ? { at: `${domain.path}/mem`, detail: what } : undefined;
  };

function memElement(address: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address, true);
  view.setBigUint64(8, PAGE, true);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Changes to the RFC's nodes and tables. */
export const iommuOperators: readonly ImageOperator[] = [
  {
    id: 'area-empty',
    family: 'lengths',
    doc: 'an area has no size',
    on: IOMMUFD,
    rules: ['ioas-areas'],
    effect: 'silent',
    apply: inField(ROOT, 'iova-len', () => 0n),
  },
  {
    id: 'area-wraps',
    family: 'lengths',
    doc: 'an area goes on behind the last IOVA',
    on: IOMMUFD,
    rules: ['ioas-areas'],
    effect: 'silent',
    apply: inField(ROOT, 'iova-len', (_, spot, site) => {
      const start = numberOf(sibling(site, spot, 'iova-start')?.value);
      return (1n << 64n) - start + PAGE < 1n << 64n ? (1n << 64n) - start + PAGE : undefined;
    }),
  },
  {
    id: 'area-protection-unknown',
    family: 'reserved',
    doc: 'an area has protections that nobody knows',
    on: IOMMUFD,
    rules: ['ioas-areas'],
    effect: 'silent',
    apply: inField(ROOT, 'iommu-prot', (old, _, { random }) => old | (64n << BigInt(random.below(20)))),
  },
  {
    id: 'area-misaligned',
    family: 'orders',
    doc: 'an area begins within a page',
    on: IOMMUFD,
    rules: ['ioas-alignment'],
    effect: 'silent',
    apply: inField(ROOT, 'iova-start', (old, _, { random }) => old + 8n * BigInt(1 + random.below(511))),
  },
  {
    id: 'area-overlap',
    family: 'overlaps',
    doc: 'two areas of one address space begin at one IOVA',
    on: IOMMUFD,
    rules: ['ioas-overlap'],
    effect: 'silent',
    apply: (site) => {
      const all = areas(site);
      const one = site.random.pick(all);
      const other = all.find((each) => each.ioas === one?.ioas && each !== one);
      return one && other && put(site, one.start, other.start.value);
    },
  },
  {
    id: 'area-page-more',
    family: 'lengths',
    doc: 'an area is a page larger than what its domain maps',
    on: IOMMUFD,
    rules: ['ioas-mapped'],
    effect: 'silent',
    apply: (site) => {
      const area = site.random.pick(areas(site).filter((each) => gapBehind(site, each) > 0n));
      return area && put(site, area.length, numberOf(area.length.value) + PAGE);
    },
  },
  {
    id: 'area-page-less',
    family: 'lengths',
    doc: 'an area is a page smaller than what its domain maps',
    on: IOMMUFD,
    rules: ['ioas-outside'],
    effect: 'corrupt',
    apply: (site) => {
      const area = site.random.pick(areas(site).filter(({ length }) => numberOf(length.value) > PAGE));
      return area && put(site, area.length, numberOf(area.length.value) - PAGE);
    },
  },
  {
    id: 'area-permission',
    family: 'permissions',
    doc: 'an area allows something else than its domain',
    on: IOMMUFD,
    rules: ['ioas-permissions'],
    effect: 'silent',
    apply: inField(ROOT, 'iommu-prot', (old) => old ^ 2n),
  },
  {
    id: 'area-beyond-width',
    family: 'lengths',
    doc: 'an area has IOVAs of more bits than its domain',
    on: IOMMUFD,
    rules: ['domain-width'],
    effect: 'silent',
    apply: inField(ROOT, 'iova-start', (old) => old + (1n << 60n)),
  },
  {
    id: 'leaf-permission',
    family: 'permissions',
    doc: 'a leaf of the page tables allows something else than its area',
    on: INTEL,
    rules: ['ioas-permissions'],
    effect: 'corrupt',
    apply: inEntry(leaf, (entry) => entry ^ 2n),
  },
  {
    id: 'leaf-gone',
    family: 'pointers',
    doc: 'a leaf of the page tables is gone',
    on: INTEL,
    rules: ['ioas-mapped'],
    effect: 'silent',
    apply: inEntry(leaf, () => 0n),
  },
  {
    id: 'leaf-extra',
    family: 'preserved',
    doc: 'the page tables map a page that is in no area',
    on: INTEL,
    rules: ['ioas-outside'],
    effect: 'corrupt',
    apply: (site) => {
      const area = site.random.pick(areas(site).filter((each) => gapBehind(site, each) > 0n));
      const step = area && stepsOf(site, area).find(({ level }) => level === 1);
      if (area === undefined || step === undefined) return undefined;
      const behind = numberOf(area.length.value) / PAGE;
      if (BigInt(step.index) + behind > 511n) return undefined;
      site.store.writeU64(step.address + behind * 8n, step.entry);
      return { at: area.path, detail: 'the page behind the area is mapped as well' };
    },
  },
  {
    id: 'leaf-elsewhere',
    family: 'pointers',
    doc: 'a leaf of the page tables leads to other memory',
    on: INTEL,
    rules: ['ioas-memory'],
    effect: 'corrupt',
    apply: inEntry(leaf, (entry) => entry ^ (1n << 22n)),
  },
  {
    id: 'table-cyclic',
    family: 'chains',
    doc: 'an entry of the top page table leads to that table',
    on: INTEL,
    rules: ['domain-tables'],
    effect: 'corrupt',
    apply: inEntry(top, (entry, _, { address }) => (entry & ~ADDRESS) | (address & ~0xfffn)),
  },
  {
    id: 'table-beyond-memory',
    family: 'pointers',
    doc: 'an entry of the top page table leads beyond memory',
    on: INTEL,
    rules: ['domain-tables'],
    effect: 'corrupt',
    apply: inEntry(top, (entry) => (entry & ~ADDRESS) | BEYOND),
  },
  {
    id: 'table-reserved-bits',
    family: 'reserved',
    doc: 'a leaf of 2 MiB or more has address bits that it must not have',
    on: INTEL,
    rules: ['domain-tables'],
    effect: 'corrupt',
    apply: inEntry(
      () => 2,
      (entry) => entry | (1n << 7n) | (1n << 12n),
    ),
  },
  {
    id: 'domain-tables-shared',
    family: 'pointers',
    doc: 'two domains have the same page tables',
    on: INTEL,
    rules: ['domain-shared'],
    effect: 'corrupt',
    apply: (site) => {
      const [first, ...others] = site.bench.fields(ROOT, 'pgd');
      const spot = site.random.pick(others);
      return first && spot && put(site, spot, first.value);
    },
  },
  {
    id: 'domain-width-unknown',
    family: 'orders',
    doc: 'a domain has a number of levels that no hardware walks',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'corrupt',
    apply: inField(ROOT, 'agaw', (_, __, { random }) => random.pick([0n, 4n, -1n, 0x7fff_ffffn])),
  },
  {
    id: 'domain-id-other',
    family: 'names',
    doc: 'a domain says that it is of another iommufd than its name',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(ROOT, 'persistent_id', (old, _, { random }) => old + 100n + BigInt(random.below(100))),
  },
  {
    id: 'device-twice',
    family: 'names',
    doc: 'a device is attached to two domains',
    on: INTEL,
    rules: ['device-domains'],
    effect: 'corrupt',
    apply: (site) => {
      const buses = site.bench.fields(ROOT, 'bus');
      const [first] = buses;
      const other = site.random.pick(
        buses.filter(({ path }) => path.split('/')[3] !== first?.path.split('/')[3]),
      );
      const from = first && sibling(site, first, 'devfn');
      const to = other && sibling(site, other, 'devfn');
      if (first === undefined || other === undefined || from === undefined || to === undefined)
        return undefined;
      const change = put(site, other, first.value);
      put(site, to, from.value);
      return change;
    },
  },
  {
    id: 'mem-table-missing',
    family: 'preserved',
    doc: 'the list mem of a domain lacks a page table',
    on: INTEL,
    rules: ['rfc-mem-missing'],
    effect: 'corrupt',
    apply: inMem((mem, { random }) => {
      if (mem.length < 32) return undefined;
      const at = 16 * random.below(mem.length / 16);
      return joined(mem.subarray(0, at), mem.subarray(at + 16));
    }, 'an element less'),
  },
  {
    id: 'mem-page-extra',
    family: 'preserved',
    doc: 'the list mem of a domain has a page that is no page table of it',
    on: INTEL,
    rules: ['rfc-mem-extra'],
    effect: 'silent',
    apply: inMem(
      (mem, { random }) => joined(mem, memElement(0x80_0000n + PAGE * BigInt(random.below(512)))),
      'an element more',
    ),
  },
  {
    id: 'mem-page-twice',
    family: 'preserved',
    doc: 'the list mem of a domain has a page twice',
    on: INTEL,
    rules: ['rfc-mem-once'],
    effect: 'silent',
    apply: inMem((mem) => joined(mem, mem.subarray(0, 16)), 'its first element is there again'),
  },
  {
    id: 'mem-overflow',
    family: 'counts',
    doc: 'the list mem of a domain has more elements than the RFC has room for',
    on: INTEL,
    rules: ['rfc-mem-room'],
    effect: 'corrupt',
    apply: inMem(
      (mem) =>
        joined(
          mem,
          ...Array.from({ length: 257 }, (_, page) => memElement(0x100_0000n + PAGE * BigInt(page))),
        ),
      '257 elements more',
    ),
  },
  {
    id: 'mem-element-misaligned',
    family: 'orders',
    doc: 'an element of the list mem is off the start of a page',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(ROOT, 'addr', (old, _, { random }) => old + 8n * BigInt(1 + random.below(511))),
  },
];
