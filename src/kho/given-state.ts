// SPDX-License-Identifier: Apache-2.0
// Address spaces that somebody describes, in the terms of a handover's own: so that the same rules see both.
import { type Issue, KhoError } from '../bytes/issue.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { readDomains, type VtdDomains } from '../vtd/domains.js';
import { formatSourceId } from '../vtd/source-id.js';
import type { Backing } from './area-mappings.js';
import { type GivenSpace, type GivenSpaces, locateSpace } from './given-spaces.js';
import type { HandoverDomain, HandoverIoas } from './iommu-state.js';
import { listAreas } from './sorted-areas.js';

/** A described address space and the domain whose tables it is held against. */
export interface GivenDomain {
  readonly domain: HandoverDomain;
  readonly ioas: HandoverIoas;
  readonly backing: readonly Backing[];
}

/** What comes of a description in an image. */
export interface GivenState {
  /** What the root, context and PASID tables say; `undefined` where their root is not known. */
  readonly contexts: VtdDomains | undefined;
  readonly spaces: readonly GivenDomain[];
  /** All address spaces of the description, their tables found or not. */
  readonly described: readonly GivenSpace[];
  /** Address spaces whose tables nobody knows, and roots that cannot be read. */
  readonly issues: readonly Issue[];
}

const NOTHING: GivenState = { contexts: undefined, spaces: [], described: [], issues: [] };

/**
 * Finds what a description speaks of.
 *
 * @throws ImageError where the image cannot be read
 */
export function givenState(memory: PhysicalMemory, given: GivenSpaces | undefined): GivenState {
  if (given === undefined) return NOTHING;
  const issues: Issue[] = [];
  let contexts: VtdDomains | undefined;
  try {
    if (given.rtaddr !== undefined) contexts = readDomains(memory, { rtaddr: given.rtaddr });
  } catch (error) {
    if (!(error instanceof KhoError) || error.code !== 'BAD_ARGUMENT') throw error;
    issues.push(error.issue);
  }
  const spaces: GivenDomain[] = [];
  for (const space of given.spaces) {
    const located = locateSpace(space, contexts);
    if ('reason' in located) {
      const { reason: message, address } = located;
      issues.push({
        code: 'NO_TABLES',
        message: `IOAS ${space.id}: ${message}`,
        path: pathOf(space),
        address,
      });
      continue;
    }
    const { root, width } = located;
    spaces.push({
      domain: {
        name: `the domain of IOAS ${space.id}`,
        persistentId: undefined,
        topTable: root.table,
        levels: root.levels,
        width,
        signExtend: root.stage === 'first',
        mem: undefined,
        devices: space.devices.map(({ segment, sourceId }) => ({
          segment,
          bus: sourceId >> 8,
          devfn: sourceId & 0xff,
          domainId: undefined,
          pasidTable: undefined,
          unit: undefined,
          address: root.table,
          path: `${pathOf(space)}/${formatSourceId(sourceId, segment)}`,
        })),
        address: root.table,
        path: pathOf(space),
      },
      ioas: givenIoas(space),
      backing: space.backing,
    });
  }
  return { contexts, spaces, described: given.spaces, issues };
}

function pathOf({ id }: GivenSpace): string {
  return `given/ioases/${id}`;
}

function givenIoas(space: GivenSpace): HandoverIoas {
  const { areas } = space;
  return {
    iommufd: undefined,
    id: space.id,
    path: pathOf(space),
    areas: {
      ...listAreas(areas),
      names: Uint32Array.from(areas, (_, row) => row),
    },
  };
}
