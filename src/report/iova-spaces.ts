// SPDX-License-Identifier: Apache-2.0
// What devices see: each domain's mappings and the areas that they are for, as columns that can be handed to another
// thread.

import type { MappingDifference } from '../kho/area-mappings.js';
import type { Handover } from '../kho/handover.js';
import type { AreaColumns, HandoverDevice, HandoverDomain } from '../kho/iommu-state.js';
import { type ExtentColumns, ExtentList } from '../vtd/extents.js';
import { formatSourceId } from '../vtd/source-id.js';
import { walkTable } from '../vtd/walk.js';

/** An I/O address space: areas, mappings, or both. */
export interface IovaSpace {
  readonly title: string;
  /** Names in a handover that lead to it. */
  readonly path: string;
  /** Physical address of its top table; `undefined` where only areas are known. */
  readonly topTable: bigint | undefined;
  readonly levels: number | undefined;
  /** Width of its IOVAs in bits. */
  readonly width: number | undefined;
  /** `first` or `second` stage; `undefined` without tables. */
  readonly stage: 'first' | 'second' | undefined;
  /** Devices that use it, as `0000:00:1f.2`. */
  readonly devices: readonly string[];
  /** What its tables map; `undefined` where they are not at hand. */
  readonly extents: ExtentColumns | undefined;
  /** How many extents there are, shown or not. */
  readonly extentCount: number;
  readonly mappedFrames: number;
  /** Pages of tables. */
  readonly tables: number;
  /** Why the tables could not be walked. */
  readonly issue: string | undefined;
  /** Areas of the address space that it is for, and what that is called; `undefined` where none is known. */
  readonly areas: (AreaColumns & { readonly of: string }) | undefined;
  /** Where mappings and areas differ: the first differences. */
  readonly differences: readonly MappingDifference[];
}

/** Extents of one domain that are shown. */
const MAX_EXTENTS = 1_000_000;

/** All address spaces of a handover. */
export function iovaSpaces(handover: Handover): IovaSpace[] {
  const shown = new Set<unknown>();
  const spaces = handover.walks.map(({ domain, result, issue, comparison }): IovaSpace => {
    const ioas = comparison?.ioas;
    if (ioas !== undefined) shown.add(ioas);
    return {
      title: domain.name,
      path: domain.path,
      topTable: domain.topTable,
      levels: domain.levels,
      width: domain.width,
      stage: domain.signExtend === true ? 'first' : 'second',
      devices: domain.devices.map(deviceText),
      extents: result === undefined || handover.partial ? undefined : extentsOf(handover, domain),
      extentCount: result?.extentCount ?? 0,
      mappedFrames: result?.mappedFrames ?? 0,
      tables: result?.tablePages.reduce((sum, pages) => sum + pages.length, 0) ?? 0,
      issue: handover.partial ? 'a blob alone holds no page tables' : issue?.message,
      areas: ioas && { ...ioas.areas, of: ioasTitle(ioas) },
      differences: handover.partial ? [] : (comparison?.differences ?? []),
    };
  });
  const alone = handover.ioases.filter((ioas) => !shown.has(ioas));
  return [
    ...spaces,
    ...alone.map(
      (ioas): IovaSpace => ({
        title: ioasTitle(ioas),
        path: ioas.path,
        topTable: undefined,
        levels: undefined,
        width: undefined,
        stage: undefined,
        devices: [],
        extents: undefined,
        extentCount: 0,
        mappedFrames: 0,
        tables: 0,
        issue: undefined,
        areas: { ...ioas.areas, of: ioasTitle(ioas) },
        differences: [],
      }),
    ),
  ];
}

function ioasTitle({ iommufd, id }: { readonly iommufd: number | undefined; readonly id: number }): string {
  return `${iommufd === undefined ? '' : `iommufd ${iommufd}, `}address space ${id}`;
}

function deviceText({ segment, bus, devfn }: HandoverDevice): string {
  return formatSourceId((bus << 8) | devfn, segment);
}

function extentsOf({ memory }: Handover, domain: HandoverDomain): ExtentColumns | undefined {
  const { levels, width, topTable, signExtend } = domain;
  if (levels === undefined) return undefined;
  const list = new ExtentList();
  const root = { stage: signExtend === true ? 'first' : 'second', table: topTable, levels } as const;
  walkTable(memory, root, {
    widthBits: width,
    maxFindings: 0,
    extents: (rows) => {
      const room = MAX_EXTENTS - list.length;
      if (room > 0) list.append({ ...rows, length: Math.min(room, rows.length) });
    },
  });
  const { length } = list;
  return {
    length,
    iovaFrame: list.iovaFrame.slice(0, length),
    frame: list.frame.slice(0, length),
    frames: list.frames.slice(0, length),
    bits: list.bits.slice(0, length),
  };
}
