// SPDX-License-Identifier: Apache-2.0
// What it takes to bring I/O address spaces back in the next kernel, three ways: read them from serialised fields, let
// user space make them again with ioctls, or replay a log of ioctls.
import type { FdtNode } from '../fdt/fdt.js';
import { visitFdt } from '../fdt/visit.js';
import { ioctlLogRecord } from '../schemas/abi/ioctl-log.js';
import { type Ioctl, ioctls } from '../schemas/abi/iommufd-ioctls.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { Handover } from './handover.js';

/** Calls of one ioctl. */
export interface IoctlCost {
  /** Its name in the kernel's header. */
  readonly macro: string;
  readonly calls: number;
  /** Bytes of the structs passed. */
  readonly bytes: number;
}

/** Three ways to hand I/O address spaces over, in bytes. */
export interface TransferCost {
  /** `fields`: values alone; `encoded`: with names, padding and structure around them. */
  readonly serialised: { readonly fields: number; readonly encoded: number };
  /** The least calls that make the same address spaces again. */
  readonly ioctls: readonly IoctlCost[];
  /** The same calls as a log of form iommufd-ioctl-log-v1: its records, and the structs and values behind them. */
  readonly log: { readonly records: number; readonly recordBytes: number; readonly payloadBytes: number };
}

/** Nodes of the RFC of 2024 that say what is mapped for whom. */
const IOMMU_NODES = ['iommufd', 'intel-iommu'] as const;

/** Counts the three ways; `undefined` for a handover that says nothing of I/O address spaces and domains. */
export function transferCost(handover: Handover): TransferCost | undefined {
  const { ioases, domains } = handover.iommu;
  if (ioases.length === 0 && domains.length === 0) return undefined;
  const areas = ioases.reduce((sum, ioas) => sum + ioas.areas.count, 0);
  const devices = domains.reduce((sum, domain) => sum + domain.devices.length, 0);
  const calls: readonly (readonly [Ioctl, number])[] = [
    [ioctls.DEVICE_BIND_IOMMUFD, devices],
    [ioctls.IOAS_ALLOC, ioases.length],
    [ioctls.IOAS_MAP_FILE, areas],
    [ioctls.DEVICE_ATTACH_IOMMUFD_PT, devices],
  ];
  const opened = new Set(ioases.map(({ iommufd }) => iommufd)).size + devices;
  const made = calls.filter(([, count]) => count > 0);
  const structBytes = ([{ layout }, count]: readonly [Ioctl, number]): number =>
    (sizeOf(layout) ?? 0) * count;
  const records = opened + made.reduce((sum, [, count]) => sum + count, 0);
  return {
    serialised: serialisedBytes(handover),
    ioctls: made.map((each) => ({ macro: each[0].macro, calls: each[1], bytes: structBytes(each) })),
    log: {
      records,
      recordBytes: records * (sizeOf(ioctlLogRecord) ?? 0),
      payloadBytes: made.reduce(
        (sum, each) => sum + structBytes(each) + 8 * each[0].outputs.length * each[1],
        0,
      ),
    },
  };
}

function serialisedBytes(handover: Handover): TransferCost['serialised'] {
  const { fdt } = handover.root;
  if (handover.iommu.ioases.length === 0 || fdt === undefined) return recordBytes(handover);
  let encoded = 0;
  for (const name of IOMMU_NODES) {
    const node: FdtNode | undefined = fdt.root?.child(name);
    if (node !== undefined) encoded += (fdt.nodes.end[node.row] ?? 0) - node.offset;
  }
  const starts = new Set(IOMMU_NODES.map((name) => fdt.root?.child(name)?.offset));
  let fields = 0;
  let depth = 0;
  let inside = false;
  visitFdt(fdt, {
    beginNode: (nameStart) => {
      depth++;
      // The token before the name.
      if (depth === 2) inside = starts.has(nameStart - 4);
    },
    property: (_nameoff, _start, length) => {
      if (inside && depth >= 2) fields += length;
    },
    endNode: () => {
      depth--;
    },
  });
  return { fields, encoded };
}

/** Records of iommu-liveupdate are structs: values and what is around them are one. */
function recordBytes(handover: Handover): TransferCost['serialised'] {
  const flbs = handover.luo?.flbs.filter(({ name }) => name.startsWith('iommu-')) ?? [];
  let bytes = 0;
  for (const { path, length, layout } of handover.consumer('LUO')?.reached ?? [])
    if (layout !== undefined && flbs.some((flb) => path.startsWith(`${flb.path}.data`))) bytes += length;
  return { fields: bytes, encoded: bytes };
}
