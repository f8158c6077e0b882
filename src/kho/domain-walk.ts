// SPDX-License-Identifier: Apache-2.0
// The page tables of a handover's domains, walked once: whoever wants the mappings sees them pass by.
import { type Issue, KhoError } from '../bytes/issue.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { ExtentColumns } from '../vtd/extents.js';
import { walkTable } from '../vtd/walk.js';
import type { TableRoot, WalkOptions, WalkResult } from '../vtd/walk-result.js';
import { AreaMappingCheck, type Backing, type MappingDifference } from './area-mappings.js';
import type { HandoverDomain, HandoverIoas } from './iommu-state.js';
import { type ListFault, listFaults } from './listed-memory.js';
import { sortAreas } from './sorted-areas.js';

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
  try {
    const root: TableRoot = { stage: signExtend === true ? 'first' : 'second', table: topTable, levels };
    const walk = (joinFrames: boolean): ReturnType<typeof walkAgainst> =>
      walkAgainst(memory, root, { widthBits: width, joinFrames }, candidates);
    // Which frames back an address space is seldom known; where they lie is of interest once something differs.
    const framesMatter = candidates.some(({ backing = [] }) => backing.length > 0);
    let walked = walk(!framesMatter);
    const differs = (walked.comparison?.differences.length ?? 0) > 0;
    if (differs && !framesMatter) walked = walk(false);
    const { result, comparison } = walked;
    return {
      domain,
      result,
      issue: undefined,
      comparison,
      listFaults:
        mem &&
        listFaults(mem.frames, result.tablePages, (take) => {
          walkTable(memory, root, { extents: take });
        }),
    };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return { ...nothing, issue: { ...error.issue, address, path } };
  }
}

/** Walks tables and holds them against address spaces on the way. */
function walkAgainst(
  memory: PhysicalMemory,
  root: TableRoot,
  options: WalkOptions,
  candidates: readonly SpaceCandidate[],
): { readonly result: WalkResult; readonly comparison: DomainComparison | undefined } {
  const checks = candidates.map(({ ioas, backing }) => ({
    ioas,
    check: new AreaMappingCheck(sortAreas(ioas.areas).columns, backing),
  }));
  const takers = checks.map(({ check }) => check.take);
  const extents = (rows: ExtentColumns): void => {
    for (const take of takers) take(rows);
  };
  const result = walkTable(memory, root, { ...options, extents });
  return { result, comparison: leastDifferent(checks) };
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
