// SPDX-License-Identifier: Apache-2.0
// What a handover is made of, in numbers: what a person reads first.
import { versionName } from '../schemas/lang/family.js';
import type { ScratchRegion } from './debugfs-folder.js';
import type { Handover, KexecMetadata, ReservedRegion } from './handover.js';
import type { HandoverSession } from './luo-state.js';
import type { PreservedForm } from './preserved.js';

/** The map of preserved memory in numbers. */
export interface PreservedSummary {
  readonly form: PreservedForm;
  /** Pages preserved; those of blocks that overlap count once. */
  readonly pages: number;
  /** Runs of blocks that follow one another. */
  readonly runs: number;
  readonly byOrder: readonly { readonly order: number; readonly blocks: number }[];
  /** Pages that the map itself takes. */
  readonly nodes: number;
}

/** A domain in numbers. */
export interface DomainSummary {
  readonly name: string;
  readonly topTable: bigint;
  readonly levels: number | undefined;
  readonly width: number | undefined;
  readonly devices: number;
  /** Bytes of IOVA that are mapped, extents, and pages of tables; `undefined` where the tables are not at hand. */
  readonly mapped: { readonly bytes: bigint; readonly extents: number; readonly tables: number } | undefined;
}

/** The root of a handover. */
export interface RootSummary {
  readonly address: bigint;
  readonly size: number;
  readonly compatible: readonly string[];
  /** Name of its layout; `undefined` for a version that is not known. */
  readonly layout: string | undefined;
  /** Addresses of other roots that were found. */
  readonly others: readonly bigint[];
}

/** A handover in numbers. */
export interface HandoverSummary {
  /** Which kernel handed over; `undefined` where none says so. */
  readonly kernel: KexecMetadata | undefined;
  /** `undefined` where there is no handover, only address spaces that somebody describes. */
  readonly root: RootSummary | undefined;
  readonly consumers: readonly {
    readonly name: string;
    readonly address: bigint;
    readonly size: number;
    readonly layout: string | undefined;
  }[];
  readonly sessions: readonly HandoverSession[];
  /** Bytes of all files whose size is known. */
  readonly fileBytes: bigint;
  readonly reserved: readonly ReservedRegion[];
  readonly preserved: PreservedSummary | undefined;
  readonly scratch: readonly ScratchRegion[] | undefined;
  readonly domains: readonly DomainSummary[];
  readonly ioases: readonly {
    readonly iommufd: number | undefined;
    readonly id: number;
    readonly areas: number;
  }[];
}

/** Sums a handover up. Reads all of it, page tables included, where the memory is at hand. */
export function summarize(handover: Handover): HandoverSummary {
  const { root, preserved, sessions, iommu, partial } = handover;
  const layoutOf = (identified: (typeof root)['identified']): string | undefined =>
    identified && versionName(identified.version);
  return {
    kernel: handover.metadata,
    root: handover.isThere
      ? {
          address: root.address,
          size: root.size,
          compatible: root.compatible,
          layout: layoutOf(root.identified),
          others: handover.otherRoots,
        }
      : undefined,
    consumers: handover.consumers.map(({ name, address, size, identified }) => {
      return { name, address, size, layout: layoutOf(identified) };
    }),
    sessions,
    fileBytes: sessions.reduce(
      (sum, { files }) => files.reduce((bytes, { size = 0n }) => bytes + size, sum),
      0n,
    ),
    reserved: handover.reservedRegions,
    preserved:
      preserved === undefined || (partial && preserved.form !== 'mem')
        ? undefined
        : {
            form: preserved.form,
            pages: preserved.pages,
            runs: preserved.count,
            byOrder: preserved.byOrder(),
            nodes: preserved.nodes.length,
          },
    scratch: handover.scratch.regions,
    domains: [...iommu.domains, ...handover.given.spaces.map(({ domain }) => domain)].map((domain) => {
      const result = partial ? undefined : handover.walks.find((walk) => walk.domain === domain)?.result;
      const { name, topTable, levels, width, devices } = domain;
      const tables = result?.tablePages.reduce((sum, pages) => sum + pages.length, 0) ?? 0;
      return {
        name,
        topTable,
        levels,
        width,
        devices: devices.length,
        mapped: result && {
          bytes: BigInt(result.mappedFrames) * 4096n,
          extents: result.extentCount,
          tables,
        },
      };
    }),
    ioases: handover.ioases.map(({ iommufd, id, areas }) => ({ iommufd, id, areas: areas.count })),
  };
}
