// SPDX-License-Identifier: Apache-2.0
// Page tables that are compared: those that a handover or the user names, and all of a VT-d unit.
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { compareTables } from '../vtd/compare.js';
import type { DeviceRoot } from '../vtd/device-root.js';
import { differenceAt, type MappingSide } from '../vtd/differences.js';
import type { Domain } from '../vtd/domain.js';
import { readDomains } from '../vtd/domains.js';
import { MAPPING } from '../vtd/paging-format.js';
import type { SamePage } from '../vtd/same-page.js';
import { formatSourceId } from '../vtd/source-id.js';
import type { TableRoot } from '../vtd/walk-result.js';
import { type ComparedValue, numberValue, words } from './compared-value.js';
import {
  ChangeList,
  type ChangeSink,
  compareField,
  type HandoverDiff,
  pairByName,
} from './handover-change.js';

/** How mappings are compared. */
export interface MappingDiffOptions {
  /** Stretches that are told of each pair of tables; all are counted. Default 1,000. */
  readonly maxMappings?: number | undefined;
  /** Whether it is a difference that hardware has set an accessed or dirty bit. Default false. */
  readonly accessed?: boolean | undefined;
  /** Tells whether two pages are equal; default a portable loop. The image floor has a faster one. */
  readonly samePage?: SamePage | undefined;
}

const MAX_MAPPINGS = 1000;

/** Devices that are named, of a domain that many share. */
const MAX_NAMED = 16;

/**
 * Compares two page tables, without any handover.
 *
 * @throws WalkError BAD_ARGUMENT for a number of levels that the stage does not have; ImageError
 */
export function diffPageTables(
  memoryA: PhysicalMemory,
  rootA: TableRoot,
  memoryB: PhysicalMemory,
  rootB: TableRoot,
  options: MappingDiffOptions = {},
): HandoverDiff {
  const sink = new ChangeList();
  diffMappings('page table', memoryA, rootA, memoryB, rootB, options, sink);
  return sink;
}

/**
 * Compares the domains of two VT-d units, which go by the devices attached to them, and what they map.
 *
 * @throws WalkError BAD_ARGUMENT for a root that names no mode; ImageError
 */
export function diffUnits(
  memoryA: PhysicalMemory,
  rootA: DeviceRoot,
  memoryB: PhysicalMemory,
  rootB: DeviceRoot,
  options: MappingDiffOptions = {},
): HandoverDiff {
  const sink = new ChangeList();
  const [a, b] = [readDomains(memoryA, rootA), readDomains(memoryB, rootB)];
  if (a.mode !== b.mode) sink.note('encoding', `tables of devices: ${a.mode} mode -> ${b.mode} mode`);
  for (const [side, { findingCounts }] of [
    ['first', a],
    ['second', b],
  ] as const) {
    const findings = Object.values(findingCounts).reduce((sum, count) => sum + count, 0);
    if (findings > 0)
      sink.note(
        'unknown',
        `tables of devices of the ${side}: ${findings} findings, which kho vtd domains lists`,
      );
  }
  for (const { name, a: before, b: after } of pairByName(a.domains, b.domains, domainName)) {
    const of = [name];
    if (before === undefined || after === undefined) {
      const show = (domain: Domain | undefined): ComparedValue | undefined => domain && words(domain.type);
      const kind = before === undefined ? 'added' : 'removed';
      sink.change({ part: 'domain', kind, of, field: '', before: show(before), after: show(after) });
      continue;
    }
    compareField({ part: 'domain', of, field: 'translation' }, words(before.type), words(after.type), sink);
    const width = ({ widthBits }: Domain): ComparedValue | undefined =>
      widthBits === undefined ? undefined : numberValue(widthBits);
    compareField({ part: 'domain', of, field: 'width' }, width(before), width(after), sink);
    if (before.second !== undefined && after.second !== undefined)
      diffMappings(name, memoryA, before.second, memoryB, after.second, options, sink);
    // A first stage behind a second one is in guest-physical memory.
    const nested = before.second !== undefined || after.second !== undefined;
    if (before.first !== undefined && after.first !== undefined && !nested)
      diffMappings(name, memoryA, before.first, memoryB, after.first, options, sink);
    else if (nested && (before.first !== undefined || after.first !== undefined))
      sink.note('unknown', `${name}: its first stage, which is in the guest's memory`);
  }
  return sink;
}

/** What a domain is called on both sides: ids are given out anew. */
function domainName({ attachments }: Domain): string {
  const names = attachments.flatMap(({ devices, pasid }) =>
    devices.map(({ segment, sourceId, ridPasid }) => {
      const device = formatSourceId(sourceId, segment);
      return pasid === undefined || pasid === ridPasid ? device : `${device} pasid ${formatHex(pasid)}`;
    }),
  );
  names.sort();
  const more = names.length - MAX_NAMED;
  return `domain of ${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Tells how what two tables map differs; what is beyond those kept, and tables that could not be read, are notes. */
export function diffMappings(
  name: string,
  memoryA: PhysicalMemory,
  rootA: TableRoot,
  memoryB: PhysicalMemory,
  rootB: TableRoot,
  options: MappingDiffOptions,
  sink: ChangeSink,
): void {
  const { accessed = false, maxMappings = MAX_MAPPINGS, samePage } = options;
  const ignore = accessed ? 0 : MAPPING.ACCESSED | MAPPING.DIRTY;
  const found = compareTables(memoryA, rootA, memoryB, rootB, { samePage, ignore });
  const { differences, missingTables, leftOut } = found;
  for (let row = 0; row < Math.min(differences.length, maxMappings); row++) {
    const { iova, length, before: from, after: to } = differenceAt(differences, row);
    const [before, after] = [mappingValue(from), mappingValue(to)];
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    sink.change({
      part: 'mapping',
      kind,
      of: [name, formatHex(iova), `${length}`],
      field: '',
      before,
      after,
    });
  }
  const more = differences.length - maxMappings;
  if (more > 0)
    sink.note('unknown', `${name}: ${more} further stretches of IOVAs differ (--full lists them)`);
  if (missingTables > 0)
    sink.note('unknown', `${name}: ${missingTables} page tables are not in the images; they count as empty`);
  if (leftOut > 0) sink.note('unknown', `${name}: ${leftOut} page tables that are reached again and again`);
}

function mappingValue(side: MappingSide | undefined): ComparedValue | undefined {
  return side && { kind: 'mapping', phys: side.phys, bits: side.bits };
}
