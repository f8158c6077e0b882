// SPDX-License-Identifier: Apache-2.0
// Changes to which blocks the map says are preserved.
import type { ReachKind } from '../../kho/reach.js';
import type { Change, ImageOperator, Site } from '../image-operator.js';
import type { PreservedBit } from '../preserved-bits.js';

const ROOT = ['kho-root'];
const PAGE = 4096n;

const pageText = (pfn: number): string => `0x${(pfn * 4096).toString(16)}`;

/** Sets or clears a bit of the map. */
export function setBit({ store }: Site, holder: bigint, bit: number, on: boolean): void {
  const at = holder + BigInt(bit >> 3);
  const [byte = 0] = store.read(at, 1);
  const mask = 1 << (bit & 7);
  store.write(at, Uint8Array.of(on ? byte | mask : byte & ~mask));
}

/** The block that something of this kind is in is no longer preserved. */
const forget =
  (...kinds: readonly ReachKind[]) =>
  (site: Site): Change | undefined => {
    const { bench, random } = site;
    const { reach } = bench.handover;
    const starts = new Set<number>();
    for (let index = 0; index < reach.count; index++)
      if (kinds.includes(reach.kind(index)) && reach.owner(index)?.within !== true)
        starts.add(reach.pfn(index));
    const chosen = random.pick(bench.preservedBits.filter(({ pfn }) => starts.has(pfn)));
    if (chosen === undefined) return undefined;
    setBit(site, chosen.holder, chosen.bit, false);
    return {
      at: '/preserved-memory-map',
      detail: `the block of order ${chosen.order} at ${pageText(chosen.pfn)} is not preserved`,
    };
  };

/** Whether nothing else uses a page: it is memory, neither preserved nor of the map nor scratch. */
function isFree({ bench }: Site, pfn: number): boolean {
  const { preserved, scratch, memory } = bench.handover;
  if (preserved === undefined || preserved.find(pfn) !== undefined || preserved.nodes.includes(pfn))
    return false;
  const address = BigInt(pfn) * PAGE;
  if (memory.page(pfn) === 'absent') return false;
  return !(scratch.regions ?? []).some(
    (each) => address >= each.address && address < each.address + each.size,
  );
}

/** The bit of a page that the bitmap of another page of order 0 has as well. */
function bitFor(near: PreservedBit, pfn: number): number | undefined {
  const bit = near.bit + pfn - near.pfn;
  return near.order === 0 && bit >= 0 && bit < near.bits ? bit : undefined;
}

/** Changes to what is preserved. */
export const mapPreservedOperators: readonly ImageOperator[] = [
  {
    id: 'map-folio-missing',
    family: 'preserved',
    doc: 'a folio of a file is not preserved',
    on: [...ROOT, 'memfd'],
    rules: ['reachable-preserved'],
    effect: 'file-fails',
    apply: forget('folio'),
  },
  {
    id: 'map-list-missing',
    family: 'preserved',
    doc: 'a list or a struct is not preserved',
    on: [...ROOT, 'luo'],
    rules: ['reachable-preserved'],
    effect: 'corrupt',
    apply: forget('struct'),
  },
  {
    id: 'map-list-page-missing',
    family: 'preserved',
    doc: 'a page of the list of folios of a file is not preserved',
    on: [...ROOT, 'memfd'],
    rules: ['reachable-preserved'],
    effect: 'file-fails',
    apply: forget('page'),
  },
  {
    id: 'map-blob-missing',
    family: 'preserved',
    doc: 'the blob of a subsystem is not preserved',
    on: ROOT,
    rules: ['reachable-preserved'],
    effect: 'corrupt',
    apply: forget('blob'),
  },
  {
    id: 'map-page-extra',
    family: 'preserved',
    doc: 'a page is preserved that nothing leads to',
    on: ROOT,
    rules: ['preserved-reached'],
    effect: 'silent',
    apply: (site) => {
      const near = site.random.pick(site.bench.preservedBits.filter(({ order }) => order === 0));
      if (near === undefined) return undefined;
      for (let away = 1; away < 4096; away++) {
        const bit = bitFor(near, near.pfn + away);
        if (bit === undefined || !isFree(site, near.pfn + away)) continue;
        setBit(site, near.holder, bit, true);
        return { at: '/preserved-memory-map', detail: `${pageText(near.pfn + away)} is preserved` };
      }
      return undefined;
    },
  },
  {
    id: 'map-overlap',
    family: 'overlaps',
    doc: 'a page in the middle of a larger block is preserved by itself as well',
    on: ROOT,
    rules: ['map-overlap'],
    effect: 'corrupt',
    apply: (site) => {
      const large = site.random.pick(site.bench.preservedBits.filter(({ order }) => order > 0));
      if (large === undefined) return undefined;
      const pfn = large.pfn + site.random.below(2 ** large.order);
      for (const near of site.bench.preservedBits) {
        const bit = bitFor(near, pfn);
        if (bit === undefined) continue;
        setBit(site, near.holder, bit, true);
        return {
          at: '/preserved-memory-map',
          detail: `${pageText(pfn)} is preserved, within the block of order ${large.order} at ${pageText(large.pfn)}`,
        };
      }
      return undefined;
    },
  },
];
