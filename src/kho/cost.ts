// SPDX-License-Identifier: Apache-2.0
// What a handover costs in a blackout window, counted: what the next kernel reads before guests run again.
import { PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import { versionName } from '../schemas/lang/family.js';
import type { DeviceRoot } from '../vtd/device-root.js';
import { readDomains } from '../vtd/domains.js';
import { walkTable } from '../vtd/walk.js';
import type { WalkResult } from '../vtd/walk-result.js';
import type { Consumer } from './consumer.js';
import type { Handover } from './handover.js';
import { type MapCost, mapCost } from './map-cost.js';
import { FOLIO_ENTRY_SIZE } from './memfd-state.js';
import { countPages, reachIntervals } from './page-intervals.js';
import type { ReachKind } from './reach.js';
import { type TransferCost, transferCost } from './transfer-cost.js';

/** A consumer in numbers. */
export interface ConsumerCost {
  readonly name: string;
  /** Name of its layout; `undefined` for one that is not known. */
  readonly layout: string | undefined;
  readonly blobBytes: number;
  /** Structs, blocks and arrays that the blob leads to, and their bytes. */
  readonly objects: number;
  readonly objectBytes: number;
}

/** Files of one handler in numbers. */
export interface FileCost {
  readonly compatible: string;
  readonly files: number;
  /** Bytes of the files whose size is known. */
  readonly bytes: bigint;
  readonly folioEntries: number;
  readonly folioEntryBytes: number;
}

/** Page tables in numbers. */
export interface TableCost {
  /** Domains whose tables could be walked, and those whose could not. */
  readonly domains: number;
  readonly unread: number;
  /** Pages by level, level 1 first. */
  readonly pages: readonly number[];
  /** Entries that map memory. */
  readonly leaves: number;
  readonly mappedBytes: bigint;
  /** Pages of root, context and PASID tables; 0 where no root was given. */
  readonly devicePages: number;
}

/** A handover in numbers. */
export interface HandoverCost {
  readonly rootBytes: number;
  readonly consumers: readonly ConsumerCost[];
  readonly map: MapCost | undefined;
  readonly sessions: number;
  readonly files: readonly FileCost[];
  readonly areas: { readonly ioases: number; readonly areas: number };
  /** `undefined` where there are none. */
  readonly tables: TableCost | undefined;
  /** Pages of 4 KiB that hold what is read: root, blobs, structs, map; page tables not among them. */
  readonly readPages: number;
  /** `undefined` where nothing is said of I/O address spaces and domains. */
  readonly transfer: TransferCost | undefined;
}

const READ_KINDS: ReadonlySet<ReachKind> = new Set(['root', 'blob', 'struct', 'page']);

/**
 * Counts what a handover is made of.
 *
 * @param unit - a VT-d unit whose tables are counted in place of those of domains that the handover names
 * @throws WalkError BAD_ARGUMENT for a unit that names no mode; ImageError when the image cannot be read
 */
export function handoverCost(handover: Handover, unit?: DeviceRoot): HandoverCost {
  const map = mapCost(handover);
  const { ioases } = handover.iommu;
  return {
    rootBytes: handover.root.size,
    consumers: handover.consumers.map(consumerCost),
    map,
    sessions: handover.sessions.length,
    files: fileCosts(handover),
    areas: {
      ioases: ioases.length,
      areas: ioases.reduce((sum, { areas }) => sum + areas.count, 0),
    },
    tables: unit === undefined ? domainTables(handover) : unitTables(handover.memory, unit),
    readPages: countPages(reachIntervals(handover, READ_KINDS)) + (map?.pages ?? 0),
    transfer: transferCost(handover),
  };
}

function consumerCost({ name, identified, size, reached, bytes }: Consumer): ConsumerCost {
  // An array that was put together from pages is counted page by page; what nobody describes is contents.
  const [, ...objects] = reached.filter(({ layout, pieces }) => layout !== undefined && pieces === undefined);
  return {
    name,
    layout: identified === undefined ? undefined : versionName(identified.version),
    blobBytes: bytes === undefined ? 0 : size,
    objects: objects.length,
    objectBytes: objects.reduce((sum, { length }) => sum + length, 0),
  };
}

function fileCosts({ sessions }: Handover): FileCost[] {
  const costs = new Map<string, { files: number; bytes: bigint; entries: number }>();
  for (const { files } of sessions)
    for (const { compatible, size = 0n, memfd } of files) {
      const cost = costs.get(compatible) ?? { files: 0, bytes: 0n, entries: 0 };
      cost.files++;
      cost.bytes += size;
      cost.entries += memfd?.folios?.count ?? 0;
      costs.set(compatible, cost);
    }
  return [...costs].map(([compatible, { files, bytes, entries }]) => ({
    compatible,
    files,
    bytes,
    folioEntries: entries,
    folioEntryBytes: entries * FOLIO_ENTRY_SIZE,
  }));
}

function domainTables({ walks }: Handover): TableCost | undefined {
  if (walks.length === 0) return undefined;
  // Without the top table nothing was walked.
  const results = walks.flatMap(({ result }) =>
    result?.levels.some(({ tables }) => tables > 0) ? [result] : [],
  );
  return tableCost(results, walks.length - results.length, 0);
}

function unitTables(memory: PhysicalMemory, unit: DeviceRoot): TableCost {
  const { domains, tablePages } = readDomains(memory, unit);
  const devicePages = Object.values(tablePages).reduce((sum, { length }) => sum + length, 0);
  const results: WalkResult[] = [];
  const walked = new Set<string>();
  for (const { first, second } of domains) {
    const table = second ?? first;
    const key = `${table?.stage} ${table?.levels} ${table?.table}`;
    if (table === undefined || walked.has(key)) continue;
    walked.add(key);
    results.push(walkTable(memory, table, { extents: () => undefined, maxFindings: 0 }));
  }
  return tableCost(results, 0, devicePages);
}

function tableCost(results: readonly WalkResult[], unread: number, devicePages: number): TableCost {
  const pages: number[] = [];
  let leaves = 0;
  let mapped = 0;
  for (const { levels, mappedFrames } of results) {
    mapped += mappedFrames;
    for (const { level, tables, leaves: own } of levels) {
      while (pages.length < level) pages.push(0);
      pages[level - 1] = (pages[level - 1] ?? 0) + tables;
      leaves += own;
    }
  }
  return {
    domains: results.length,
    unread,
    pages,
    leaves,
    mappedBytes: BigInt(mapped) * BigInt(PAGE_SIZE),
    devicePages,
  };
}
