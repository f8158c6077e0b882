// SPDX-License-Identifier: Apache-2.0
// A replayed address space against the extents that a page-table walk found.
import type { ExtentColumns } from '../../vtd/extents.js';
import { AreaMappingCheck, type MappingDifference } from '../area-mappings.js';
import { listAreas, sortAreas } from '../sorted-areas.js';
import type { LogMemory } from './log.js';
import type { Ioas } from './objects.js';
import { areasWithBacking } from './replayed-spaces.js';

/**
 * Makes the check that holds page tables against what a replayed IOAS maps: every area whole, with just its permissions,
 * and nothing outside; where the log knows the frames of its memories, at those. Its `take` goes to `walkTable` as
 * `extents`; then its `finish` tells the differences.
 *
 * @param memories - of the log
 */
export function replayedTableCheck(ioas: Ioas, memories: readonly LogMemory[] = []): AreaMappingCheck {
  const { areas, backing } = areasWithBacking(ioas, memories);
  return new AreaMappingCheck(sortAreas(listAreas(areas)).columns, backing);
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
  const check = replayedTableCheck(ioas, memories);
  check.take(extents);
  return check.finish().differences;
}
