// SPDX-License-Identifier: Apache-2.0
// Changes to the areas of address spaces that the RFC of 2024 hands over.
import { type ImageOperator, inField, numberOf, put, type Site, sibling } from '../image-operator.js';
import type { Spot } from '../spots.js';

const IOMMUFD = ['rfc-iommufd'];
const ROOT = ['root'];
const PAGE = 4096n;

/** The area that a field of it is of. */
export interface AreaFields {
  readonly start: Spot;
  readonly length: Spot;
  readonly path: string;
  /** Path of its address space. */
  readonly ioas: string;
}

export function areas(site: Site): readonly AreaFields[] {
  return site.bench.fields(ROOT, 'iova-start').flatMap((start) => {
    const length = sibling(site, start, 'iova-len');
    const path = start.path.replace(/\/[^/]*$/, '');
    return length === undefined ? [] : [{ start, length, path, ioas: path.replace(/\/[^/]*$/, '') }];
  });
}

/** The space between an area and the next one of its address space, in bytes. */
export function gapBehind(site: Site, { start, length, ioas }: AreaFields): bigint {
  const end = numberOf(start.value) + numberOf(length.value);
  const next = areas(site)
    .filter((each) => each.ioas === ioas && numberOf(each.start.value) >= end)
    .map((each) => numberOf(each.start.value));
  return (next.sort((a, b) => Number(a - b))[0] ?? end + (1n << 30n)) - end;
}

/** Changes to areas. */
export const rfcAreaOperators: readonly ImageOperator[] = [
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
];
