// SPDX-License-Identifier: Apache-2.0
// Changes to what lies beside a handover of the RFC of 2024: context tables, and what somebody else says of address spaces.
import { isRecord } from '../../schemas/lang/input.js';
import { CONTEXT_ENTRY } from '../../vtd/abi/device-tables.js';
import { encodeBits } from '../encode-bits.js';
import type { Apply, Change, ImageOperator, Site } from '../image-operator.js';

const IOMMUFD = ['rfc-iommufd'];
const INTEL = ['rfc-intel-iommu'];

/** A member of the description beside the handover, changed in place. */
function describedSpace({ areas: described, random }: Site): Record<string, unknown> | undefined {
  const ioases = isRecord(described) && Array.isArray(described['ioases']) ? described['ioases'] : [];
  const chosen: unknown = random.pick(ioases);
  return isRecord(chosen) ? { ...chosen, self: chosen } : undefined;
}

function changeDescribed(site: Site, field: 'devices' | 'areas', more: unknown): Change | undefined {
  const space = describedSpace(site);
  const list = space?.[field];
  if (space === undefined || !Array.isArray(list)) return undefined;
  list.push(more);
  return {
    at: `given/ioases/${String(space['id'])}`,
    detail: `${field} has ${JSON.stringify(more)} as well`,
  };
}

/** Changes the context entry of some device. */
const inContext =
  (value: (entry: Uint8Array, site: Site, domain: number) => Uint8Array | undefined, what: string): Apply =>
  (site) => {
    const { given, iommu } = site.bench.handover;
    const index = site.random.below(Math.max(1, iommu.domains.length));
    const device = site.random.pick(iommu.domains[index]?.devices ?? []);
    const found = given.contexts?.devices.find(
      ({ sourceId }) => device !== undefined && sourceId === device.bus * 256 + device.devfn,
    );
    if (device === undefined || found?.contextEntry === undefined) return undefined;
    const now = value(site.bench.memory.read(found.contextEntry, 16).slice(), site, index);
    if (now === undefined) return undefined;
    site.store.write(found.contextEntry, now);
    return { at: device.path, detail: what };
  };

/** Changes to context tables and to the description of address spaces. */
export const besideOperators: readonly ImageOperator[] = [
  {
    id: 'space-device-unknown',
    family: 'names',
    doc: 'the description names a device that no context entry is there for',
    on: INTEL,
    rules: ['given-spaces'],
    effect: 'none',
    apply: (site) => changeDescribed(site, 'devices', '0000:ff:1f.7'),
  },
  {
    id: 'space-area-more',
    family: 'lengths',
    doc: 'the description has an area that was not handed over',
    on: IOMMUFD,
    rules: ['given-serialised', 'ioas-mapped'],
    effect: 'silent',
    apply: (site) => changeDescribed(site, 'areas', { iova: '0x7f00000000', length: '0x1000', perm: 'rw' }),
  },
  {
    id: 'context-elsewhere',
    family: 'pointers',
    doc: 'the context entry of a device leads to the page tables of another domain',
    on: INTEL,
    rules: ['device-context'],
    effect: 'corrupt',
    apply: inContext((_, { bench }, index) => {
      const { domains } = bench.handover.iommu;
      const other = domains.find(
        (domain, at) => at !== index && domain.topTable !== domains[index]?.topTable,
      );
      if (other?.levels === undefined) return undefined;
      const values = { P: true, SSPTPTR: other.topTable, AW: other.levels - 2 };
      return encodeBits(CONTEXT_ENTRY, { ...values, DID: domains.indexOf(other) + 1 });
    }, 'its context entry is that of another domain'),
  },
  {
    id: 'context-reserved-bits',
    family: 'reserved',
    doc: 'the context entry of a device has reserved bits',
    on: INTEL,
    rules: ['context-tables'],
    effect: 'corrupt',
    apply: inContext((entry, { random }) => {
      const bit = 88 + random.below(40);
      entry[bit >> 3] = (entry[bit >> 3] ?? 0) | (1 << (bit & 7));
      return entry;
    }, 'its context entry has a reserved bit'),
  },
];
