// SPDX-License-Identifier: Apache-2.0
// Changes to the page tables of domains that the RFC of 2024 hands over.
import { translate } from '../../vtd/translate.js';
import type { TranslationStep } from '../../vtd/translation.js';
import { type Apply, BEYOND, type ImageOperator, numberOf, type Site } from '../image-operator.js';
import { type AreaFields, areas, gapBehind } from './rfc-areas.js';

const INTEL = ['rfc-intel-iommu'];
const PAGE = 4096n;

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

/** Changes to page tables. */
export const pageTableOperators: readonly ImageOperator[] = [
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
];
