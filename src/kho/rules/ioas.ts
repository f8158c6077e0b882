// SPDX-License-Identifier: Apache-2.0
// Family 4: address spaces against the page tables that devices walk.
import { formatHex } from '../../bytes/hex.js';
import { permissionText } from '../../vtd/extents.js';
import type { MappingDifference, MappingFault } from '../area-mappings.js';
import { candidatesFor, type DomainComparison, type DomainWalk } from '../domain-walk.js';
import type { Handover } from '../handover.js';
import type { HandoverDomain, HandoverIoas } from '../iommu-state.js';
import { sortAreas } from '../sorted-areas.js';
import type { FindingPlace, Rule, Tell } from './rule.js';

const RFC = 'RFC of 2024, <20240916113102.710522-1-jgowans@amazon.com>, patches 05 and 09';
const VTD = 'Intel VT-d specification, sections 3.6, 3.7 and 9; vtd-tables.md';
/** All of `iommu_prot`: READ to PRIV. */
const PROTECTIONS = 0x3f;

const iova = (frame: number): string => formatHex(BigInt(frame) << 12n);

function areaPath({ path, areas }: HandoverIoas, row: number): string {
  return `${path}/${areas.names[row] ?? row}`;
}

/** Physical address of the blob that lists an address space; none of what somebody else describes. */
function holderOf({ root, given }: Handover, ioas: HandoverIoas): bigint | undefined {
  return given.spaces.some((each) => each.ioas === ioas) ? undefined : root.address;
}

function eachArea(handover: Handover, visit: (ioas: HandoverIoas, row: number) => void): void {
  for (const ioas of handover.ioases) for (let row = 0; row < ioas.areas.count; row++) visit(ioas, row);
}

/** Every domain with the address spaces that it may be for. */
function domainSpaces({ iommu, given }: Handover): { domain: HandoverDomain; spaces: HandoverIoas[] }[] {
  return [
    ...iommu.domains.map((domain) => ({
      domain,
      spaces: candidatesFor(domain, iommu.ioases).map(({ ioas }) => ioas),
    })),
    ...given.spaces.map(({ domain, ioas }) => ({ domain, spaces: [ioas] })),
  ];
}

/** Whether somebody describes the domain: it may be one of the handover, or another description's. */
function isGiven({ given }: Handover, { domain }: DomainWalk): boolean {
  return given.spaces.some((each) => each.domain === domain);
}

function tellDifferences(
  { walks }: Handover,
  kind: MappingFault,
  tell: (walk: DomainWalk, comparison: DomainComparison, difference: MappingDifference) => void,
): void {
  for (const walk of walks) {
    const { comparison } = walk;
    if (comparison === undefined) continue;
    for (const difference of comparison.differences)
      if (difference.kind === kind) tell(walk, comparison, difference);
  }
}

const pageCount = ({ length }: MappingDifference): bigint => length / 4096n;

function placeOf(
  { domain: { address, path, topTable } }: DomainWalk,
  { ioas }: DomainComparison,
  { area }: MappingDifference,
  base: bigint | undefined,
): FindingPlace {
  return area === undefined
    ? { path, address: topTable, other: address }
    : { path: areaPath(ioas, area), address: base ?? topTable, other: base && topTable };
}

/** Tables that are wrong in themselves, by the walker's code. */
function tellWalk(tell: Tell, { walks }: Handover): void {
  for (const { domain, result, issue } of walks) {
    const { path, address } = domain;
    if (issue !== undefined) tell(issue.message, { path, address, other: domain.topTable });
    for (const finding of result?.findings ?? []) {
      if (finding.code === 'BEYOND_WIDTH') continue;
      const message = `${finding.message} (${domain.name}, level ${finding.level}, IOVA ${formatHex(finding.iova)})`;
      tell(message, { path, address: finding.address, other: domain.topTable });
    }
  }
}

/** Rules for address spaces and domains. */
export const ioasRules: readonly Rule[] = [
  {
    id: 'ioas-areas',
    family: 'ioas',
    severity: 'error',
    title: 'Areas have a size, known protections, and end within 64 bits',
    why: 'The next kernel inserts an area as it is: one without a size, or that wraps, breaks its interval tree.',
    source: RFC,
    effect: 'silent',
    needs: ['areas'],
    check: (handover, tell) => {
      eachArea(handover, (ioas, row) => {
        const { starts, lengths, protections } = ioas.areas;
        const [start, length, prot] = [starts[row] ?? 0n, lengths[row] ?? 0n, protections[row] ?? 0];
        const say = (message: string): void =>
          tell(message, { path: areaPath(ioas, row), address: holderOf(handover, ioas) });
        if (length === 0n) say(`expected a size, found 0 at IOVA ${formatHex(start)}`);
        else if ((start + length - 1n) >> 64n !== 0n)
          say(`expected an end within 64 bits, found ${formatHex(length)} bytes at IOVA ${formatHex(start)}`);
        else if ((prot & ~PROTECTIONS) !== 0) say(`expected protections within 0x3f, found ${prot}`);
      });
    },
  },
  {
    id: 'ioas-alignment',
    family: 'ioas',
    severity: 'error',
    title: 'Areas of address spaces that a domain maps start and end on pages',
    why: 'Tables map whole pages: an area that does not would give devices more than was asked for.',
    source: `${RFC}; iommufd-uapi.md`,
    effect: 'silent',
    needs: ['areas', 'domains'],
    check: (handover, tell) => {
      const mapped = new Set(domainSpaces(handover).flatMap(({ spaces }) => spaces));
      eachArea(handover, (ioas, row) => {
        if (!mapped.has(ioas)) return;
        const [start, length] = [ioas.areas.starts[row] ?? 0n, ioas.areas.lengths[row] ?? 0n];
        if (((start | length) & 0xfffn) === 0n) return;
        const message = `expected whole pages, found ${formatHex(length)} bytes at IOVA ${formatHex(start)}`;
        tell(message, { path: areaPath(ioas, row), address: holderOf(handover, ioas) });
      });
    },
  },
  {
    id: 'ioas-overlap',
    family: 'ioas',
    severity: 'error',
    title: 'Areas of one address space do not overlap',
    why: 'An IOVA leads to one place. The next kernel keeps areas in an interval tree that takes none over another.',
    source: RFC,
    effect: 'silent',
    needs: ['areas'],
    check: (handover, tell) => {
      for (const ioas of handover.ioases) {
        const { starts, names } = ioas.areas;
        for (const fault of sortAreas(ioas.areas).faults) {
          if (fault.kind !== 'overlap') continue;
          const { area, other } = fault;
          const message = `expected IOVAs of its own, found ${formatHex(starts[area] ?? 0n)} in area ${names[other]} as well`;
          tell(message, { path: areaPath(ioas, area), address: holderOf(handover, ioas) });
        }
      }
    },
  },
  {
    id: 'ioas-mapped',
    family: 'ioas',
    severity: 'error',
    title: 'Every page of an area is mapped by a leaf entry',
    why: 'The device faults on what is not mapped, in the middle of a transfer that the guest believes in.',
    source: `${RFC}; ${VTD}`,
    effect: 'silent',
    needs: ['areas', 'tables'],
    check: (handover, tell) => {
      tellDifferences(handover, 'unmapped', (walk, comparison, difference) => {
        const message = `expected ${pageCount(difference)} page(s) from IOVA ${formatHex(difference.iova)} on to be mapped by ${walk.domain.name}, found no leaf entry`;
        tell(message, placeOf(walk, comparison, difference, holderOf(handover, comparison.ioas)));
      });
    },
  },
  {
    id: 'ioas-permissions',
    family: 'ioas',
    severity: 'error',
    title: 'Leaf entries allow what the area allows',
    why: 'With more, a device may write where it must not; with less, it faults.',
    source: `${RFC}; ${VTD}`,
    effect: 'silent',
    needs: ['areas', 'tables'],
    check: (handover, tell) => {
      tellDifferences(handover, 'permission', (walk, comparison, difference) => {
        const { expected, found, iova: first } = difference;
        const message = `expected ${permissionText(expected)} for ${pageCount(difference)} page(s) from IOVA ${formatHex(first)} on in ${walk.domain.name}, found ${permissionText(found)}`;
        tell(message, placeOf(walk, comparison, difference, holderOf(handover, comparison.ioas)));
      });
    },
  },
  {
    id: 'ioas-outside',
    family: 'ioas',
    severity: 'error',
    title: 'Nothing is mapped outside of the areas',
    why: 'The device reaches memory that nobody accounts for, and that the next kernel gives to somebody else.',
    source: `${RFC}; ${VTD}`,
    effect: 'corrupt',
    needs: ['areas', 'tables'],
    check: (handover, tell) => {
      tellDifferences(handover, 'outside', (walk, comparison, difference) => {
        const message = `expected an area for what ${walk.domain.name} maps, found none for ${pageCount(difference)} page(s) from IOVA ${formatHex(difference.iova)} on, which lead to ${formatHex(difference.phys ?? 0n)}`;
        tell(message, placeOf(walk, comparison, difference, holderOf(handover, comparison.ioas)));
      });
    },
  },
  {
    id: 'ioas-memory',
    family: 'ioas',
    severity: 'error',
    title: 'Leaf entries lead to the memory that backs the area',
    why: 'A leaf that leads elsewhere lets the device read and write memory of somebody else, and none of what it does reaches its own.',
    source: 'the memory of areas as it is given; iommufd-uapi.md',
    effect: 'corrupt',
    needs: ['given', 'tables'],
    check: (handover, tell) => {
      tellDifferences(handover, 'repointed', (walk, comparison, difference) => {
        const { iova: first, phys = 0n, expectedPhys = 0n } = difference;
        const message = `expected ${pageCount(difference)} page(s) from IOVA ${formatHex(first)} on in ${walk.domain.name} to lead to ${formatHex(expectedPhys)}, found ${formatHex(phys)}`;
        const { path, other } = placeOf(walk, comparison, difference, phys);
        tell(message, { path, address: phys, other: difference.area === undefined ? other : expectedPhys });
      });
    },
  },
  {
    id: 'domain-width',
    family: 'ioas',
    severity: 'error',
    title: 'IOVAs lie within the width of the domain',
    why: 'Hardware refuses addresses beyond the width that the context entry says.',
    source: VTD,
    effect: 'silent',
    needs: ['domains'],
    check: (handover, tell) => {
      for (const { domain, spaces } of domainSpaces(handover)) {
        const { name, width, address, path } = domain;
        for (const ioas of width === undefined ? [] : spaces) {
          for (let row = 0; row < ioas.areas.count; row++) {
            const end = (ioas.areas.starts[row] ?? 0n) + (ioas.areas.lengths[row] ?? 0n);
            if (width === undefined || end <= 1n << BigInt(width)) continue;
            const message = `expected IOVAs of ${width} bits in ${name}, found an area that ends before ${formatHex(end)}`;
            tell(message, { path: areaPath(ioas, row), address: holderOf(handover, ioas), other: address });
          }
        }
        const walk = handover.partial ? undefined : handover.walks.find((each) => each.domain === domain);
        for (const finding of walk?.result?.findings ?? [])
          if (finding.code === 'BEYOND_WIDTH')
            tell(`${finding.message} (${name})`, { path, address: finding.address, other: address });
      }
    },
  },
  {
    id: 'domain-tables',
    family: 'ioas',
    severity: 'error',
    title:
      'Page tables can be walked: tables are there and reached once, superpages aligned, reserved bits zero',
    why: 'Hardware walks them while the kernels change over. It faults on reserved bits, and reads whatever lies where a table should be.',
    source: VTD,
    effect: 'corrupt',
    needs: ['tables'],
    check: (handover, tell) => tellWalk(tell, handover),
  },
  {
    id: 'domain-shared',
    family: 'ioas',
    severity: 'error',
    title: 'No page of page tables belongs to two domains',
    why: 'What one domain maps or unmaps, the other does too; the first to be freed takes the tables of the other.',
    source: VTD,
    effect: 'corrupt',
    needs: ['tables'],
    check: (handover, tell) => {
      // A walk names each page once.
      if (handover.walks.length < 2) return;
      const first = new Map<number, DomainWalk>();
      for (const walk of handover.walks) {
        for (const pages of walk.result?.tablePages ?? []) {
          for (const pfn of pages) {
            const before = first.get(pfn);
            if (before === undefined) first.set(pfn, walk);
            else if (before.domain.topTable !== walk.domain.topTable || !isGiven(handover, walk)) {
              const message = `expected tables of its own for ${walk.domain.name}, found ${iova(pfn)}, which ${before.domain.name} walks as well`;
              tell(message, {
                path: walk.domain.path,
                address: BigInt(pfn) << 12n,
                other: before.domain.topTable,
              });
            }
          }
        }
      }
    },
  },
  {
    id: 'device-domains',
    family: 'ioas',
    severity: 'error',
    title: 'A device is attached to one domain, and devices of one domain id to the same tables',
    why: 'Hardware tags what it caches with the domain id: two domains of one id on one unit see each other’s mappings.',
    source: 'iommu-liveupdate.md section 6; VT-d specification, section 6.2',
    effect: 'corrupt',
    needs: ['domains'],
    check: ({ iommu }, tell) => {
      const byDevice = new Map<string, { readonly address: bigint; readonly topTable: bigint }>();
      const byId = new Map<string, { readonly address: bigint; readonly topTable: bigint }>();
      for (const { devices, topTable } of iommu.domains) {
        for (const { segment, bus, devfn, domainId, unit, address, path } of devices) {
          const name = `${bus.toString(16).padStart(2, '0')}:${(devfn >> 3).toString(16).padStart(2, '0')}.${devfn & 7}`;
          const device = `${segment ?? '?'}:${name}`;
          const twin = byDevice.get(device);
          if (twin !== undefined)
            tell(
              `expected device ${name} in one domain, found it in that of ${formatHex(twin.topTable)} as well`,
              { path, address, other: twin.address },
            );
          else byDevice.set(device, { address, topTable });
          if (domainId === undefined || unit === undefined) continue;
          const id = `${unit}:${domainId}`;
          const before = byId.get(id);
          if (before === undefined) byId.set(id, { address, topTable });
          else if (before.topTable !== topTable) {
            const message = `expected domain id ${domainId} to stand for the tables at ${formatHex(before.topTable)}, found ${formatHex(topTable)} for device ${name}`;
            tell(message, { path, address, other: before.address });
          }
        }
      }
    },
  },
];
