// SPDX-License-Identifier: Apache-2.0
// Which page tables of an image are those of a replayed IOAS: its devices tell, by the address that the log calls them.
import type { PhysicalMemory } from '../../image/physical-memory.js';
import type { VtdDomains } from '../../vtd/domains.js';
import { parseSourceId } from '../../vtd/source-id.js';
import { walkTable } from '../../vtd/walk.js';
import type { TableRoot } from '../../vtd/walk-result.js';
import type { MappingDifference } from '../area-mappings.js';
import { replayedTableCheck } from './compare-extents.js';
import type { LogMemory } from './log.js';
import type { Context, Ioas } from './objects.js';

/** An IOAS with a page table of it. */
export interface IoasTable {
  readonly context: Context;
  readonly ioas: Ioas;
  readonly root: TableRoot;
}

/** An IOAS held against a page table. */
export interface IoasTableResult extends IoasTable {
  readonly differences: readonly MappingDifference[];
  /** Pages of the table, all levels. */
  readonly tablePages: number;
}

/**
 * The page tables of replayed IOASes: those of the domains that their devices are in. Devices count whose files the log
 * calls by PCI address (`0000:00:04.0`).
 *
 * @param domains - of the VT-d unit that the devices are behind
 */
export function ioasTables(contexts: readonly Context[], domains: VtdDomains): readonly IoasTable[] {
  const bySource = new Map<number, TableRoot>();
  for (const { second, type, attachments } of domains.domains) {
    if (second === undefined || type !== 'second-stage') continue;
    for (const { devices } of attachments) for (const { sourceId } of devices) bySource.set(sourceId, second);
  }
  const found: IoasTable[] = [];
  const seen = new Set<string>();
  for (const context of contexts) {
    for (const object of context.objects.values()) {
      if (object.type !== 'device') continue;
      const source = parseSourceId(object.file);
      const hwpt = object.attachments.get(-1);
      const root = source === undefined ? undefined : bySource.get(source.sourceId);
      if (root === undefined || hwpt === undefined || hwpt.parent !== undefined) continue;
      const key = `${context.file} ${hwpt.id} ${root.table}`;
      if (seen.has(key)) continue;
      seen.add(key);
      found.push({ context, ioas: hwpt.ioas, root });
    }
  }
  return found;
}

/**
 * Walks the page table of an IOAS and holds it against what the log makes of it.
 *
 * @throws ImageError where the image cannot be read
 */
export function checkIoasTable(
  memory: PhysicalMemory,
  table: IoasTable,
  memories: readonly LogMemory[],
): IoasTableResult {
  const check = replayedTableCheck(table.ioas, memories);
  const { tablePages } = walkTable(memory, table.root, { extents: check.take });
  const pages = tablePages.reduce((sum, level) => sum + level.length, 0);
  return { ...table, differences: check.finish().differences, tablePages: pages };
}
