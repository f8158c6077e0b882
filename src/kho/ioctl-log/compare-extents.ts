// SPDX-License-Identifier: Apache-2.0
// A replayed address space against the extents that a page-table walk found.
import type { ExtentColumns } from '../../vtd/extents.js';
import { MAPPING } from '../../vtd/paging-format.js';
import {
  AreaMappingCheck,
  type Area as AreaSpan,
  areaColumns,
  type Backing,
  type MappingDifference,
} from '../area-mappings.js';
import { lengthOf, PROT } from './address-space.js';
import type { LogMemory } from './log.js';
import { mappedExtents } from './mapped-extents.js';
import type { Ioas } from './objects.js';

/** The check of an IOAS against a table, and the areas that its differences name by position. */
export interface ReplayedTableCheck {
  /** Its `take` goes to `walkTable` as `extents`; then its `finish` tells the differences. */
  readonly check: AreaMappingCheck;
  readonly areas: readonly AreaSpan[];
}

/**
 * Makes the check that holds page tables against what a replayed IOAS maps: every area whole, with just its permissions,
 * and nothing outside; where the log knows the frames of its memories, at those.
 *
 * @param memories - of the log
 */
export function replayedTableCheck(ioas: Ioas, memories: readonly LogMemory[] = []): ReplayedTableCheck {
  const areas: AreaSpan[] = [];
  for (const area of ioas.space.areas.from()) {
    const read = (area.prot & PROT.READ) === 0 ? 0 : MAPPING.READ;
    const write = (area.prot & PROT.WRITE) === 0 ? 0 : MAPPING.WRITE;
    areas.push({ iova: area.start, length: lengthOf(area), permission: read | write });
  }
  const backing: Backing[] = [];
  for (const { iova, length, address } of mappedExtents(ioas, memories))
    if (address !== undefined) backing.push({ iova, length, phys: address });
  return { check: new AreaMappingCheck(areaColumns(areas).columns, backing), areas };
}

/**
 * Compares what a replayed IOAS maps with all extents of a walk.
 *
 * @param memories - of the log, for physical addresses
 * @returns the differences by IOVA; none when the tables are just what the log makes of the IOAS
 */
export function compareReplayWithExtents(
  ioas: Ioas,
  extents: ExtentColumns,
  memories: readonly LogMemory[] = [],
): readonly MappingDifference[] {
  const { check } = replayedTableCheck(ioas, memories);
  check.take(extents);
  return check.finish().differences;
}
