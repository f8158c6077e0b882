// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import type { ImageMemory } from '../image/image-memory.js';
import type { PageRun } from '../image/page-runs.js';
import type { PageStore } from '../image/page-store.js';
import { PAGE_SHIFT } from '../image/physical-memory.js';
import { buildHandover } from '../kho/build-handover.js';
import { Handover } from '../kho/handover.js';
import type { HandoverDescription } from '../kho/handover-description.js';
import { type DescribedSpaces, describeDevices } from './device-contexts.js';
import { type DescriptionOptions, handoverDescriptions } from './handover-descriptions.js';
import { MachineMemory } from './machine-memory.js';

/** A handover that was made up, as the memory of a machine. */
export interface MadeHandover {
  readonly description: HandoverDescription;
  /** All memory of the machine is known of, and contents are there where the handover is. */
  readonly memory: ImageMemory;
  /** Physical address of the root FDT. */
  readonly root: bigint;
  /** What `kho verify --areas` takes, where address spaces are handed over; their devices have context entries. */
  readonly areas: DescribedSpaces | undefined;
}

/** Video memory and firmware of a PC: no RAM. */
const LEGACY_HOLE: PageRun = { pfn: 0xa0, count: 0x60 };

/**
 * Makes the memory of the machine that a description is of.
 *
 * @throws BuildError as `buildHandover`
 */
export function machineOf(description: HandoverDescription): MadeHandover {
  const { memory, root } = buildHandover(description);
  const handover = Handover.open(memory, { root });
  dropZeros(memory, handover);
  const areas = handover.iommu.ioases.length > 0 ? describeDevices(memory, handover) : undefined;
  const spans = description.memory ?? [{ start: 0n, size: 512n << 20n }];
  const ram = spans.flatMap(({ start, size }): PageRun[] => {
    const pfn = Number(start >> BigInt(PAGE_SHIFT));
    const end = pfn + Number(size >> BigInt(PAGE_SHIFT));
    const behind = LEGACY_HOLE.pfn + LEGACY_HOLE.count;
    return [
      { pfn, count: Math.max(0, Math.min(end, LEGACY_HOLE.pfn) - pfn) },
      { pfn: Math.max(pfn, behind), count: Math.max(0, end - Math.max(pfn, behind)) },
    ];
  });
  return { description, memory: new MachineMemory(memory, ram), root, areas };
}

/** Leaves out pages of contents that are zeros: memory is zeros where nothing is said of it. */
function dropZeros(memory: PageStore, { reach }: Handover): void {
  for (let index = 0; index < reach.count; index++) {
    const kind = reach.kind(index);
    if (kind !== 'folio' && kind !== 'region') continue;
    for (let pfn = reach.pfn(index); pfn < reach.pfn(index) + reach.pages(index); pfn++) {
      const page = memory.page(pfn);
      if (typeof page !== 'string' && page.every((byte) => byte === 0)) memory.drop(pfn);
    }
  }
}

/** Handovers of a kernel, as memory: what `kho build` makes of {@link handoverDescriptions}. */
export function handovers(options: DescriptionOptions): fc.Arbitrary<MadeHandover> {
  return handoverDescriptions(options).map(machineOf);
}

/** The one value that an arbitrary gives for a seed. */
export function sampleOf<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  const [value] = fc.sample(arbitrary, { seed: seed | 0, numRuns: 1 });
  if (value === undefined) throw new TypeError('an arbitrary without a value');
  return value;
}
