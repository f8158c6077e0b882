// SPDX-License-Identifier: Apache-2.0
// The machine of a made-up handover: its versions of all formats, its scratch regions, its free memory.
import { formatHex } from '../bytes/hex.js';
import { quoteName } from '../bytes/printable.js';
import type { PageRun } from '../image/page-runs.js';
import { PageStore } from '../image/page-store.js';
import { PAGE_SHIFT } from '../image/physical-memory.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { versionsOf } from '../schemas/registry.js';
import { BuildError, badDescription } from './build-error.js';
import { FreePages, withoutRuns } from './free-pages.js';
import type { MachineDescription, MemorySpan, ScratchDescription } from './handover-description.js';
import { HandoverSpace } from './handover-space.js';
import { kernelSet } from './kernel-set.js';

const MIB = 1n << 20n;
const DEFAULT_MEMORY: readonly MemorySpan[] = [{ start: 0n, size: 512n * MIB }];
const DEFAULT_SCRATCH: readonly ScratchDescription[] = [96n, 16n, 48n].map((size) => ({ size: size * MIB }));

/** Scratch regions are whole pageblocks of the buddy allocator: 4 MiB (Linux 7.3.4: MAX_ORDER_NR_PAGES). */
const SCRATCH_ALIGN = 4n * MIB;
/** Physical addresses are at most this wide in entries of page tables and of folio lists. */
const ADDRESS_LIMIT = 1n << 52n;
/** Video memory and firmware of a PC: no RAM. */
const LEGACY_HOLE: PageRun = { pfn: 0xa0, count: 0x60 };
/** Firmware's memory, in which nothing is placed. */
const FIRST_FREE = MIB;

/** What a machine writes and where it may. */
export interface Machine {
  readonly versions: ReadonlyMap<Family, Version>;
  readonly scratch: readonly MemorySpan[];
  /** All memory but what lies between 640 KiB and 1 MiB. */
  readonly ram: readonly PageRun[];
  readonly space: HandoverSpace;
}

/**
 * Sets a machine up.
 *
 * @throws BuildError BAD_DESCRIPTION for an unknown kernel or version, or memory that is not whole pages; NO_ROOM when
 * scratch regions do not fit
 */
export function makeMachine(description: MachineDescription): Machine {
  const { memory = DEFAULT_MEMORY, scratch = DEFAULT_SCRATCH } = description;
  const versions = versionsFor(description);
  const ram = memory.map((span, index) => pagesOf(span, `memory[${index}]`));
  const regions = placeScratch(scratch, ram);
  const low: PageRun = { pfn: 0, count: Number(FIRST_FREE >> BigInt(PAGE_SHIFT)) };
  const free = new FreePages(withoutRuns(ram, [...regions, low]));
  return {
    versions,
    ram: withoutRuns(ram, [LEGACY_HOLE]),
    scratch: regions.map(({ pfn, count }) => spanOf(pfn, count)),
    space: new HandoverSpace(new PageStore(), free),
  };
}

function spanOf(pfn: number, count: number): MemorySpan {
  return { start: BigInt(pfn) << BigInt(PAGE_SHIFT), size: BigInt(count) << BigInt(PAGE_SHIFT) };
}

function versionsFor({ kernel, versions = [] }: MachineDescription): Map<Family, Version> {
  const set = kernelSet(kernel);
  if (set === undefined)
    throw badDescription('kernel', 'a release from 6.16 on, or rfc-2024', `"${quoteName(kernel)}"`);
  const found = new Map(set.writes.map(({ family, version }) => [family, version]));
  for (const [index, name] of versions.entries()) {
    const known = versionsOf(name);
    const only = known.find(({ version }) => versionName(version) === name);
    if (only === undefined) {
      const expected = 'the name of one version, as kho schema list shows them';
      throw badDescription(`versions[${index}]`, expected, `"${quoteName(name)}"`);
    }
    found.set(only.family, only.version);
  }
  return found;
}

/**
 * A stretch of memory as page frames.
 *
 * @throws BuildError BAD_DESCRIPTION when it is not whole pages below 2^52
 */
export function pagesOf({ start, size }: MemorySpan, path: string): PageRun {
  const mask = (1n << BigInt(PAGE_SHIFT)) - 1n;
  if (((start | size) & mask) !== 0n || size <= 0n || start < 0n || start + size > ADDRESS_LIMIT) {
    const found = `${formatHex(start)} and ${formatHex(size)} bytes`;
    throw badDescription(path, 'whole pages of 4096 bytes below 2^52', found);
  }
  return { pfn: Number(start >> BigInt(PAGE_SHIFT)), count: Number(size >> BigInt(PAGE_SHIFT)) };
}

/** Places regions in order, each as high as there is room. */
function placeScratch(wanted: readonly ScratchDescription[], ram: readonly PageRun[]): PageRun[] {
  const low: PageRun = { pfn: 0, count: Number(FIRST_FREE >> BigInt(PAGE_SHIFT)) };
  const fixed = wanted.flatMap(({ start, size }, index) =>
    start === undefined ? [] : [pagesOf({ start, size }, `scratch[${index}]`)],
  );
  if (withoutRuns(fixed, ram).length > 0)
    throw badDescription('scratch', 'regions within memory', 'one outside');
  const taken = [...fixed];
  const regions: PageRun[] = [];
  for (const [index, { start, size }] of wanted.entries()) {
    const path = `scratch[${index}]`;
    if (start !== undefined) {
      regions.push(pagesOf({ start, size }, path));
      continue;
    }
    const { count } = pagesOf({ start: 0n, size }, path);
    const align = Number(SCRATCH_ALIGN >> BigInt(PAGE_SHIFT));
    const room = withoutRuns(ram, [...taken, low])
      .map((run) => ({ run, pfn: Math.floor((run.pfn + run.count - count) / align) * align }))
      .findLast(({ run, pfn }) => pfn >= run.pfn);
    if (room === undefined) {
      const message = `no ${formatHex(size)} bytes of memory are left for a scratch region, whose address is a multiple of 4 MiB`;
      throw new BuildError({ code: 'NO_ROOM', message, path });
    }
    taken.push({ pfn: room.pfn, count });
    regions.push({ pfn: room.pfn, count });
  }
  return regions;
}
