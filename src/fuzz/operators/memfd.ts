// SPDX-License-Identifier: Apache-2.0
// Changes to what is kept of memfds: the struct, and the pages that hold the list of folios.
import { isRecord } from '../../schemas/lang/input.js';
import { BEYOND, type ImageOperator, inField, numberOf, put, type Site, sibling } from '../image-operator.js';
import type { Spot } from '../spots.js';

const MEMFD = ['memfd'];
const STRUCT = ['memfd_luo_ser'];
const FOLIO = ['memfd_luo_folio_ser'];
const AREA = ['kho_vmalloc'];
const CHUNK = ['kho_vmalloc_chunk'];

/** F_SEAL_EXEC. */
const SEAL_EXEC = 0x20n;

/** The folios of all files, file by file, by position in it. */
export function folioLists({ bench }: Site): readonly (readonly Spot[])[] {
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

export const orderOf = ({ bench }: Site, spot: Spot): number =>
  bench.handover.preserved?.find(pfnOf(spot))?.order ?? 0;

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
];
