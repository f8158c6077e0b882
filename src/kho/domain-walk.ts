// SPDX-License-Identifier: Apache-2.0
// The page tables of a handover's domains, walked once: whoever wants the mappings sees them pass by.
import { type Issue, KhoError } from '../bytes/issue.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { ExtentColumns } from '../vtd/extents.js';
import { walkTable } from '../vtd/walk.js';
import type { TableRoot, WalkResult } from '../vtd/walk-result.js';
import { AreaMappingCheck, type Backing, type MappingDifference } from './area-mappings.js';
import type { HandoverDomain, HandoverIoas } from './iommu-state.js';
import { type ListFault, listFaults } from './listed-memory.js';
import { type Area, sortAreas } from './sorted-areas.js';

/** A domain and what its tables map. */
export interface DomainWalk {
  readonly domain: HandoverDomain;
  /** Without its extents, which may be many millions; `undefined` where the tables cannot be walked. */
  readonly result: WalkResult | undefined;
  /** Why they cannot. */
  readonly issue: Issue | undefined;
  /** How the tables differ from the address space that they are for; `undefined` where none is known. */
  readonly comparison: DomainComparison | undefined;
  /** What is wrong with the list `mem` of the domain; `undefined` where it has none. */
  readonly listFaults: readonly ListFault[] | undefined;
}

/** How the tables of a domain differ from its address space. */
export interface DomainComparison {
  readonly ioas: HandoverIoas;
  /** The first differences by IOVA; `area` is the row in the areas of `ioas`. */
  readonly differences: readonly MappingDifference[];
}

/** An address space that a domain may be for, and the memory behind it as far as it is known. */
export interface SpaceCandidate {
  readonly ioas: HandoverIoas;
  readonly backing?: readonly Backing[];
}

/** Address spaces that one domain is compared with at most. */
const MAX_CANDIDATES = 16;

/**
 * Address spaces that a domain of the handover may be for. The RFC of 2024 does not say which of an iommufd's it is.
 *
 * @param ioases - all address spaces of the handover
 */
export function candidatesFor(domain: HandoverDomain, ioases: readonly HandoverIoas[]): SpaceCandidate[] {
  return ioases
    .filter(({ iommufd }) => iommufd !== undefined && BigInt(iommufd) === domain.persistentId)
    .slice(0, MAX_CANDIDATES)
    .map((ioas) => ({ ioas }));
}

/**
 * Walks the tables of a domain. The RFC of 2024 does not say of which stage they are: its driver made second-stage ones.
 *
 * @param candidates - address spaces that it may be for: it is compared with the one that differs least
 */
export function walkDomain(
  memory: PhysicalMemory,
  domain: HandoverDomain,
  candidates: readonly SpaceCandidate[],
): DomainWalk {
  const { levels, width, topTable, signExtend, mem, address, path } = domain;
  const nothing = { domain, result: undefined, comparison: undefined, listFaults: undefined };
  if (levels === undefined) {
    const message = 'expected tables of 3 to 5 levels, found a number that makes none';
    return { ...nothing, issue: { code: 'BAD_LEVELS', message, address, path } };
  }
  const checks = candidates.map(({ ioas, backing }) => ({
    ioas,
    check: new AreaMappingCheck(sortAreas(areasOf(ioas)).columns, backing),
  }));
  const takers = checks.map(({ check }) => check.take);
  const extents = (rows: ExtentColumns): void => {
    for (const take of takers) take(rows);
  };
  try {
    const root: TableRoot = { stage: signExtend === true ? 'first' : 'second', table: topTable, levels };
    const result = walkTable(memory, root, { widthBits: width, extents });
    const list = mem && Float64Array.from(mem.addresses, (each) => Number(each >> 12n));
    return {
      domain,
      result,
      issue: undefined,
      comparison: leastDifferent(checks),
      listFaults:
        list &&
        listFaults(list, result.tablePages, (take) => {
          walkTable(memory, root, { extents: take });
        }),
    };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return { ...nothing, issue: { ...error.issue, address, path } };
  }
}

/** Areas with READ and WRITE of `iommu_prot`, which are the same bits in mappings. */
export function areasOf({ areas: { count, starts, lengths, protections } }: HandoverIoas): Area[] {
  return Array.from({ length: count }, (_, row) => ({
    iova: starts[row] ?? 0n,
    length: lengths[row] ?? 0n,
    permission: (protections[row] ?? 0) & 3,
  }));
}

function leastDifferent(
  checks: readonly { readonly ioas: HandoverIoas; readonly check: AreaMappingCheck }[],
): DomainComparison | undefined {
  let best: { readonly pages: number; readonly comparison: DomainComparison } | undefined;
  for (const { ioas, check } of checks) {
    const { differences, pages } = check.finish();
    if (best === undefined || pages < best.pages) best = { pages, comparison: { ioas, differences } };
  }
  return best?.comparison;
}
