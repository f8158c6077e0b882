// SPDX-License-Identifier: Apache-2.0
// Changes to what is kept of memfds: the struct, the pages that hold the list of folios, the list itself.
import { isRecord } from '../../schemas/lang/input.js';
import {
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  numberOf,
  put,
  type Site,
  sibling,
} from '../image-operator.js';
import type { Spot } from '../spots.js';

const MEMFD = ['memfd'];
const STRUCT = ['memfd_luo_ser'];
const FOLIO = ['memfd_luo_folio_ser'];
const AREA = ['kho_vmalloc'];
const CHUNK = ['kho_vmalloc_chunk'];
/** F_SEAL_EXEC. */
const SEAL_EXEC = 0x20n;

/** The folios of all files, file by file, by position in it. */
function folioLists({ bench }: Site): readonly (readonly Spot[])[] {
  const lists = new Map<string, Spot[]>();
  for (const spot of bench.fields(FOLIO, 'folio')) {
    const file = spot.path.replace(/\[\d+\]\.folio$/, '');
    const own = lists.get(file) ?? [];
    lists.set(file, own);
    own.push(spot);
  }
  return [...lists.values()];
}

const pfnOf = ({ value }: Spot): number => (isRecord(value) ? Number(value['pfn']) : 0);
const orderOf = ({ bench }: Site, spot: Spot): number =>
  bench.handover.preserved?.find(pfnOf(spot))?.order ?? 0;

function setFolio(site: Site, spot: Spot | undefined, part: 'pfn' | 'flags', to: number): Change | undefined {
  if (spot === undefined || !isRecord(spot.value)) return undefined;
  return put(site, spot, { ...spot.value, [part]: to });
}

const anyFolio = (site: Site, fits: (spot: Spot) => boolean = () => true): Spot | undefined =>
  site.random.pick(folioLists(site).flat().filter(fits));

/** Whether a file has anything in it. */
const isFilled = (site: Site, spot: Spot): boolean => numberOf(sibling(site, spot, 'size')?.value) > 0n;

/** A page that a chunk names, and the place behind it, which is empty. */
function chunkSlots({ bench }: Site): { used: readonly Spot[]; empty: readonly Spot[] } {
  const all = bench.fields(CHUNK, 'phys');
  return { used: all.filter(({ value }) => value !== 0n), empty: all.filter(({ value }) => value === 0n) };
}

/** Changes to memfds. */
export const memfdOperators: readonly ImageOperator[] = [
  {
    id: 'memfd-seals-unknown',
    family: 'reserved',
    doc: 'a memfd has seals that no kernel knows',
    on: MEMFD,
    rules: ['memfd-values'],
    codes: ['BAD_VALUE'],
    effect: 'file-fails',
    apply: inField(STRUCT, 'seals', (old, { type }, { random }) =>
      type.kind === 'integer' ? old | (1n << BigInt(6 + random.below(26))) : undefined,
    ),
  },
  {
    id: 'memfd-exec-sealed',
    family: 'seals',
    doc: 'a memfd is sealed against a change of its executable bits and against nothing else, as MFD_NOEXEC_SEAL makes it',
    on: MEMFD,
    rules: ['memfd-exec-seal'],
    effect: 'silent',
    apply: inField(STRUCT, 'seals', (old) => (old === SEAL_EXEC ? undefined : SEAL_EXEC)),
  },
  {
    id: 'memfd-flags-in-use',
    family: 'reserved',
    doc: 'a memfd has bits in a field of which none are defined',
    on: MEMFD,
    rules: ['memfd-values'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(STRUCT, 'flags', (_, { type }, { random }) =>
      type.kind === 'integer' ? 1n << BigInt(random.below(32)) : undefined,
    ),
  },
  {
    id: 'memfd-size-zero',
    family: 'lengths',
    doc: 'a memfd that has folios has no size',
    on: MEMFD,
    rules: ['memfd-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(STRUCT, 'size', (old) => (old > 0n ? 0n : undefined)),
  },
  {
    id: 'memfd-count-zero',
    family: 'counts',
    doc: 'a memfd that has a size counts no folios',
    on: MEMFD,
    rules: ['memfd-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(STRUCT, 'nr_folios', (old) => (old > 0n ? 0n : undefined)),
  },
  {
    id: 'memfd-size-page-more',
    family: 'lengths',
    doc: 'a memfd is a page larger than its folios',
    on: MEMFD,
    rules: ['memfd-covered'],
    effect: 'silent',
    apply: (site) => {
      const plain = folioLists(site).filter((list) => list.every((spot) => orderOf(site, spot) === 0));
      const list = site.random.pick(plain);
      const path = list?.[0]?.path.replace(/[./]folios\.elements.*$/, '');
      const size = path === undefined ? undefined : site.bench.at(`${path}.size`);
      return size && put(site, size, numberOf(size.value) + 4096n);
    },
  },
  {
    id: 'memfd-size-overflow',
    family: 'lengths',
    doc: 'a memfd is larger than memory',
    on: MEMFD,
    rules: ['memfd-covered'],
    effect: 'silent',
    apply: inField(STRUCT, 'size', (old, _, { random }) =>
      old > 0n ? random.pick([1n << 62n, (1n << 64n) - 1n, 1n << 63n, 1n << 44n]) : undefined,
    ),
  },
  {
    id: 'memfd-size-less',
    family: 'lengths',
    doc: 'a memfd ends before its last folio begins',
    on: MEMFD,
    rules: ['memfd-index'],
    effect: 'silent',
    apply: (site) => {
      const list = site.random.pick(folioLists(site).filter(({ length }) => length > 1));
      const path = list?.[0]?.path.replace(/[./]folios\.elements.*$/, '');
      const size = path === undefined ? undefined : site.bench.at(`${path}.size`);
      return size && put(site, size, 1n);
    },
  },
  {
    id: 'memfd-count-overflow',
    family: 'counts',
    doc: 'a memfd counts more folios than its pages have room for',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_COUNT'],
    effect: 'oops',
    apply: inField(STRUCT, 'nr_folios', (old, spot, site) =>
      old > 0n && isFilled(site, spot) ? site.random.pick([65536n, 1n << 32n, (1n << 59n) + old]) : undefined,
    ),
  },
  {
    id: 'memfd-pages-plus-one',
    family: 'counts',
    doc: 'the list of folios counts one page more than its chunks name',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_COUNT'],
    effect: 'file-fails',
    apply: inField(AREA, 'total_pages', (old, _, { random }) =>
      old > 0n ? random.pick([old + 1n, 0xffff_ffffn, 1n << 31n]) : undefined,
    ),
  },
  {
    id: 'memfd-pages-zero',
    family: 'counts',
    doc: 'the list of folios counts no page',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_COUNT'],
    effect: 'file-fails',
    apply: inField(AREA, 'total_pages', (old) => (old > 0n ? 0n : undefined)),
  },
  {
    id: 'memfd-page-order',
    family: 'lengths',
    doc: 'the pages of the list of folios are of an order that no memory has',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_VALUE'],
    effect: 'file-fails',
    apply: inField(AREA, 'order', (_, spot, site) =>
      numberOf(sibling(site, spot, 'total_pages')?.value) > 0n ? site.random.pick([53n, 0xffffn]) : undefined,
    ),
  },
  {
    id: 'memfd-page-order-wrapped',
    family: 'lengths',
    doc: 'the order of the pages of the list of folios is some multiple of 64 more than it was, which shifts do not see',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(AREA, 'order', (old, spot, site) =>
      old === 0n && numberOf(sibling(site, spot, 'total_pages')?.value) > 0n
        ? site.random.pick([64n, 0x4000n, 0x8000n])
        : undefined,
    ),
  },
  {
    id: 'memfd-first-chunk-null',
    family: 'pointers',
    doc: 'nothing leads to the chunks of the list of folios',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_COUNT'],
    effect: 'file-fails',
    apply: inField(AREA, 'first', (old) => (old > 0n ? 0n : undefined)),
  },
  {
    id: 'memfd-first-chunk-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the first chunk of the list of folios leads beyond memory',
    on: MEMFD,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(AREA, 'first', (old) => (old > 0n ? BEYOND : undefined)),
  },
  {
    id: 'memfd-chunk-shared',
    family: 'pointers',
    doc: 'two files have one list of folios',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['LOOP'],
    effect: 'file-fails',
    apply: (site) => {
      const all = site.bench.fields(AREA, 'first').filter(({ value }) => value !== 0n);
      const spot = site.random.pick(all.slice(1));
      return spot && put(site, spot, all[0]?.value);
    },
  },
  {
    id: 'memfd-chunk-cyclic',
    family: 'chains',
    doc: 'a chunk of the list of folios leads to itself',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['LOOP'],
    effect: 'file-fails',
    apply: inField(CHUNK, 'next', (_, { block }) => block),
  },
  {
    id: 'memfd-chunk-page-twice',
    family: 'chains',
    doc: 'a chunk of the list of folios names one page twice',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['LOOP'],
    effect: 'file-fails',
    apply: (site) => {
      const { used, empty } = chunkSlots(site);
      const spot = site.random.pick(empty);
      const own = used.find(({ block }) => block === spot?.block);
      return spot && own && put(site, spot, own.value);
    },
  },
  {
    id: 'memfd-chunk-page-beyond-memory',
    family: 'pointers',
    doc: 'a page of the list of folios lies beyond memory',
    on: MEMFD,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'file-fails',
    apply: (site) => {
      const spot = site.random.pick(chunkSlots(site).used);
      return spot && put(site, spot, BEYOND);
    },
  },
  {
    id: 'memfd-chunk-page-misaligned',
    family: 'pointers',
    doc: 'the address of a page of the list of folios is off the start of the page',
    on: MEMFD,
    rules: ['memfd-array'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: (site) => {
      const spot = site.random.pick(chunkSlots(site).used);
      return spot && put(site, spot, numberOf(spot.value) + 16n);
    },
  },
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
