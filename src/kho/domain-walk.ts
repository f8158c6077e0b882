// SPDX-License-Identifier: Apache-2.0
// The page tables of a handover's domains, walked.
import { type Issue, KhoError } from '../bytes/issue.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { walkTable } from '../vtd/walk.js';
import type { WalkResult } from '../vtd/walk-result.js';
import type { HandoverDomain } from './iommu-state.js';

/** A domain and what its tables map. */
export interface DomainWalk {
  readonly domain: HandoverDomain;
  /** `undefined` where the tables cannot be walked. */
  readonly result: WalkResult | undefined;
  /** Why they cannot. */
  readonly issue: Issue | undefined;
}

/** Walks the tables of a domain. The RFC of 2024 does not say of which stage they are: its driver made second-stage ones. */
export function walkDomain(memory: PhysicalMemory, domain: HandoverDomain): DomainWalk {
  const { levels, width, topTable, signExtend, address, path } = domain;
  if (levels === undefined) {
    const message = 'expected tables of 3 to 5 levels, found a number that makes none';
    return { domain, result: undefined, issue: { code: 'BAD_LEVELS', message, address, path } };
  }
  const stage = signExtend === true ? 'first' : 'second';
  try {
    const result = walkTable(memory, { stage, table: topTable, levels }, { widthBits: width });
    return { domain, result, issue: undefined };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return { domain, result: undefined, issue: { ...error.issue, address, path } };
  }
}
