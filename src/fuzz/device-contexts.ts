// SPDX-License-Identifier: Apache-2.0
// What lies beside a handover of the RFC of 2024: the tables that lead from devices to its domains, which it does not
// name, and what somebody else says of its address spaces.
import { formatHex } from '../bytes/hex.js';
import type { PageStore } from '../image/page-store.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import type { Handover } from '../kho/handover.js';
import type { HandoverDomain, HandoverIoas } from '../kho/iommu-state.js';
import { CONTEXT_ENTRY, ROOT_ENTRY } from '../vtd/abi/device-tables.js';
import { formatSourceId } from '../vtd/source-id.js';
import { translate } from '../vtd/translate.js';
import { encodeBits } from './encode-bits.js';

/** Where the tables go: below 640 KiB, where nothing else is placed. */
const FIRST_TABLE = 0x10;

/** An area of the description, as `kho verify --areas` takes it. */
export interface DescribedArea {
  iova: string;
  length: string;
  perm: string;
  pages: (readonly [page: number, pfn: number, count: number])[];
}

/** The description of address spaces, as `kho verify --areas` takes it. */
export interface DescribedSpaces {
  root: string;
  ioases: { id: number; devices: string[]; areas: DescribedArea[] }[];
}

/**
 * Writes root and context tables in legacy mode for the devices of all domains, and describes the address spaces.
 *
 * @param memory - where the handover is; tables go into its first pages
 */
export function describeDevices(memory: PageStore, { iommu }: Handover): DescribedSpaces {
  const root = BigInt(FIRST_TABLE * PAGE_SIZE);
  const contexts = new Map<number, bigint>();
  memory.write(root, new Uint8Array(PAGE_SIZE));
  const ioases = iommu.domains.flatMap((domain, index) => {
    for (const { bus, devfn } of domain.devices) {
      const table = contexts.get(bus) ?? root + BigInt((contexts.size + 1) * PAGE_SIZE);
      if (!contexts.has(bus)) {
        contexts.set(bus, table);
        memory.write(table, new Uint8Array(PAGE_SIZE));
        memory.write(root + BigInt(bus * 16), encodeBits(ROOT_ENTRY, { P: true, CTP: table }));
      }
      const AW = (domain.levels ?? 4) - 2;
      const entry = { P: true, SSPTPTR: domain.topTable, AW, DID: index + 1 };
      memory.write(table + BigInt(devfn * 16), encodeBits(CONTEXT_ENTRY, entry));
    }
    const own = iommu.ioases.find(({ iommufd }) => BigInt(iommufd ?? 0) === domain.persistentId);
    return own === undefined ? [] : [described(memory, domain, own)];
  });
  return { root: formatHex(root), ioases };
}

function described(
  memory: PageStore,
  { topTable, levels = 4, devices }: HandoverDomain,
  { id, areas }: HandoverIoas,
): DescribedSpaces['ioases'][number] {
  const table = { stage: 'second' as const, table: topTable, levels };
  return {
    id,
    devices: devices.map(({ bus, devfn }) => formatSourceId(bus * 256 + devfn, 0)),
    areas: Array.from({ length: areas.count }, (_, row): DescribedArea => {
      const start = areas.starts[row] ?? 0n;
      const length = areas.lengths[row] ?? 0n;
      const protection = areas.protections[row] ?? 0;
      const pages: [number, number, number][] = [];
      for (let page = 0; page < Number(length) / PAGE_SIZE; page++) {
        const { phys } = translate(memory, table, start + BigInt(page * PAGE_SIZE));
        if (phys !== undefined) pages.push([page, Number(phys) / PAGE_SIZE, 1]);
      }
      const perm = `${(protection & 1) === 0 ? '-' : 'r'}${(protection & 2) === 0 ? '-' : 'w'}`;
      return { iova: formatHex(start), length: formatHex(length), perm, pages };
    }),
  };
}
