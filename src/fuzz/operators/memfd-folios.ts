// SPDX-License-Identifier: Apache-2.0
// Changes to the folios of memfds, as the list of a file has them.
import { isRecord } from '../../schemas/lang/input.js';
import {
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  put,
  type Site,
  sibling,
} from '../image-operator.js';
import type { Spot } from '../spots.js';
import { folioLists, orderOf } from './memfd.js';

const MEMFD = ['memfd'];
const FOLIO = ['memfd_luo_folio_ser'];

const pfnOf = ({ value }: Spot): number => (isRecord(value) ? Number(value['pfn']) : 0);

function setFolio(site: Site, spot: Spot | undefined, part: 'pfn' | 'flags', to: number): Change | undefined {
  if (spot === undefined || !isRecord(spot.value)) return undefined;
  return put(site, spot, { ...spot.value, [part]: to });
}

const anyFolio = (site: Site, fits: (spot: Spot) => boolean = () => true): Spot | undefined =>
  site.random.pick(folioLists(site).flat().filter(fits));

/** Changes to folios. */
export const memfdFolioOperators: readonly ImageOperator[] = [
  {
    id: 'folio-hole',
    family: 'pointers',
    doc: 'an entry of the list of folios is page frame 0',
    on: MEMFD,
    rules: ['memfd-entries'],
    effect: 'silent',
    apply: (site) => setFolio(site, anyFolio(site), 'pfn', 0),
  },
  {
    id: 'folio-flags-unknown',
    family: 'reserved',
    doc: 'a folio has flags that no kernel knows',
    on: MEMFD,
    rules: ['memfd-entries'],
    effect: 'none',
    apply: (site) => {
      const spot = anyFolio(site);
      const old = spot && isRecord(spot.value) ? Number(spot.value['flags']) : 0;
      return setFolio(site, spot, 'flags', old | (4 << site.random.below(10)));
    },
  },
  {
    id: 'folio-beyond-memory',
    family: 'pointers',
    doc: 'a folio lies beyond memory',
    on: MEMFD,
    rules: ['reachable-ram'],
    effect: 'file-fails',
    apply: (site) =>
      setFolio(site, anyFolio(site), 'pfn', site.random.pick([Number(BEYOND >> 12n), 2 ** 40 - 1]) ?? 0),
  },
  {
    id: 'folio-not-preserved',
    family: 'pointers',
    doc: 'a folio lies in memory that is not preserved',
    on: MEMFD,
    rules: ['reachable-preserved'],
    effect: 'file-fails',
    apply: (site) => {
      const { preserved } = site.bench.handover;
      const last = preserved === undefined ? 0 : preserved.end(preserved.count - 1);
      return setFolio(site, anyFolio(site), 'pfn', last + 1 + site.random.below(64));
    },
  },
  {
    id: 'folio-within-block',
    family: 'orders',
    doc: 'a folio is named by a page in its middle',
    on: MEMFD,
    rules: ['reachable-order'],
    effect: 'file-fails',
    apply: (site) => {
      const spot = anyFolio(site, (each) => orderOf(site, each) > 0);
      if (spot === undefined) return undefined;
      return setFolio(site, spot, 'pfn', pfnOf(spot) + 1 + site.random.below(2 ** orderOf(site, spot) - 1));
    },
  },
  {
    id: 'folio-twice-in-file',
    family: 'pointers',
    doc: 'two entries of one list are one folio',
    on: MEMFD,
    rules: ['memfd-folio-once'],
    effect: 'corrupt',
    apply: (site) => {
      const list = site.random.pick(folioLists(site).filter(({ length }) => length > 1));
      const first = list?.[0];
      const later = list?.[1 + site.random.below(Math.max(1, list.length - 1))];
      return first && later && setFolio(site, later, 'pfn', pfnOf(first));
    },
  },
  {
    id: 'folio-in-two-files',
    family: 'pointers',
    doc: 'two files have one folio',
    on: MEMFD,
    rules: ['memfd-folio-once'],
    effect: 'corrupt',
    apply: (site) => {
      const [first, ...others] = folioLists(site);
      const spot = site.random.pick(site.random.pick(others) ?? []);
      const own = first && site.random.pick(first);
      return spot && own && setFolio(site, spot, 'pfn', pfnOf(own));
    },
  },
  {
    id: 'folio-index-behind-end',
    family: 'lengths',
    doc: 'the position of a folio is behind the end of the file',
    on: MEMFD,
    rules: ['memfd-index'],
    effect: 'silent',
    apply: inField(FOLIO, 'index', (old, _, { random }) =>
      random.pick([old + (1n << 20n), (1n << 63n) + old]),
    ),
  },
  {
    id: 'folio-index-last',
    family: 'lengths',
    doc: 'the position of a folio of one page is the last that a file can have',
    on: MEMFD,
    rules: ['memfd-index'],
    effect: 'oops',
    apply: inField(FOLIO, 'index', (_, spot, site) => {
      const folio = sibling(site, spot, 'folio');
      return folio !== undefined && orderOf(site, folio) === 0 ? (1n << 64n) - 1n : undefined;
    }),
  },
  {
    id: 'folio-index-twice',
    family: 'orders',
    doc: 'two folios are at one place of a file',
    on: MEMFD,
    rules: ['memfd-index'],
    effect: 'file-fails',
    apply: (site) => {
      const list = site.random.pick(folioLists(site).filter(({ length }) => length > 1));
      const first = list?.[0] && sibling(site, list[0], 'index');
      const later = list?.[1] && sibling(site, list[1], 'index');
      return first && later && put(site, later, first.value);
    },
  },
  {
    id: 'folio-order-swapped',
    family: 'orders',
    doc: 'two folios stand in the wrong order',
    on: MEMFD,
    rules: ['memfd-index'],
    effect: 'none',
    apply: (site) => {
      const lists = folioLists(site).filter(({ length }) => length > 1);
      const [first, second] = site.random.pick(lists) ?? [];
      const a = first && sibling(site, first, 'index');
      const b = second && sibling(site, second, 'index');
      if (first === undefined || second === undefined || a === undefined || b === undefined) return undefined;
      // Entries change places as they are: every folio stays where it belongs in the file.
      put(site, first, second.value);
      put(site, second, first.value);
      put(site, a, b.value);
      const { detail } = put(site, b, a.value);
      return { at: second.path, detail: `${detail}: entry changed places with the one before` };
    },
  },
];
