// SPDX-License-Identifier: Apache-2.0
// Family 4, first part: areas of address spaces against the page tables that serve them.
import { formatHex } from '../../bytes/hex.js';
import { permissionText } from '../../vtd/extents.js';
import type { MappingDifference, MappingFault } from '../area-mappings.js';
import { candidatesFor, type DomainComparison, type DomainWalk } from '../domain-walk.js';
import type { Handover } from '../handover.js';
import type { HandoverDomain, HandoverIoas } from '../iommu-state.js';
import { sortAreas } from '../sorted-areas.js';
import type { FindingPlace, Rule } from './rule.js';

const RFC = 'RFC of 2024, <20240916113102.710522-1-jgowans@amazon.com>, patches 05 and 09';

const VTD = 'Intel VT-d specification, sections 3.6, 3.7 and 9; vtd-tables.md';

/** All of `iommu_prot`: READ to PRIV. */
const PROTECTIONS = 0x3f;

export function areaPath({ path, areas }: HandoverIoas, row: number): string {
  return `${path}/${areas.names[row] ?? row}`;
}

/** Physical address of the blob that lists an address space; none of what somebody else describes. */
export function holderOf({ root, given }: Handover, ioas: HandoverIoas): bigint | undefined {
  return given.spaces.some((each) => each.ioas === ioas) ? undefined : root.address;
}

function eachArea(handover: Handover, visit: (ioas: HandoverIoas, row: number) => void): void {
  for (const ioas of handover.ioases) for (let row = 0; row < ioas.areas.count; row++) visit(ioas, row);
}

/** Every domain with the address spaces that it may be for. */
export function domainSpaces({
  iommu,
  given,
}: Handover): { domain: HandoverDomain; spaces: HandoverIoas[] }[] {
  return [
    ...iommu.domains.map((domain) => ({
      domain,
      spaces: candidatesFor(domain, iommu.ioases).map(({ ioas }) => ioas),
    })),
    ...given.spaces.map(({ domain, ioas }) => ({ domain, spaces: [ioas] })),
  ];
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

/** Rules for areas of address spaces. */
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
];
