// SPDX-License-Identifier: Apache-2.0
// Which pages of an image a handover is made of, without what it is there to preserve.

import type { PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import type { DeviceRoot } from '../vtd/device-root.js';
import { readDomains } from '../vtd/domains.js';
import { walkTable } from '../vtd/walk.js';
import type { TableRoot } from '../vtd/walk-result.js';
import type { Handover } from './handover.js';
import { type LocateResult, setupDataPages } from './locate.js';
import type { ReachKind } from './reach.js';

/** What guests and users own. */
const CONTENTS: ReadonlySet<ReachKind> = new Set(['folio', 'region']);

/**
 * The pages that a handover is read from: what a search of the image finds it by, scratch array, map of preserved memory,
 * blobs, structs, page tables of domains.
 *
 * @param located - what the search found
 * @param contents - whether contents of files and of reserved memory belong to it
 */
export function* handoverPages(
  handover: Handover,
  located: LocateResult,
  contents: boolean,
): Generator<PageRun, void> {
  for (const { address, size } of located.fdts) yield pagesOf(address, BigInt(size));
  for (const { address } of located.damaged) yield pagesOf(address, BigInt(PAGE_SIZE));
  yield* setupDataPages(handover.memory, located);
  for (const { scratchAddress, scratchSize } of located.setupData)
    yield pagesOf(scratchAddress, scratchSize > LARGEST_SCRATCH ? LARGEST_SCRATCH : scratchSize);
  for (const pfn of handover.preserved?.nodes ?? []) yield { pfn, count: 1 };
  const { reach } = handover;
  for (let run = 0; run < reach.count; run++) {
    const [pfn, count] = [reach.pfn(run), reach.pages(run)];
    // A damaged entry may speak of memory that no machine has.
    if ((contents || !CONTENTS.has(reach.kind(run))) && pfn + count <= FRAMES) yield { pfn, count };
  }
}

/** Page frames below 2^52 bytes. */
const FRAMES = 2 ** 40;

/** No array of scratch regions is larger. */
const LARGEST_SCRATCH = 0x1_0000n;

/**
 * The pages of a VT-d unit's tables: root, context and PASID tables, and the page tables of its domains. First stages
 * behind a second one are in the guest's memory and belong to the guest.
 *
 * @throws WalkError BAD_ARGUMENT when RTADDR names no mode; ImageError when the image cannot be read
 */
export function* unitPages(memory: PhysicalMemory, root: DeviceRoot): Generator<PageRun, void> {
  const { tablePages, domains } = readDomains(memory, root);
  for (const frames of Object.values(tablePages)) yield* singlePages(frames);
  const walked = new Set<string>();
  for (const { first, second } of domains) {
    const table: TableRoot | undefined = second ?? first;
    if (table === undefined) continue;
    const key = `${table.stage} ${table.levels} ${table.table}`;
    if (walked.has(key)) continue;
    walked.add(key);
    const ignored = (): void => undefined;
    for (const frames of walkTable(memory, table, { extents: ignored, maxFindings: 0 }).tablePages)
      yield* singlePages(frames);
  }
}

function* singlePages(frames: Float64Array): Generator<PageRun, void> {
  for (const pfn of frames) yield { pfn, count: 1 };
}

/** The page frames that bytes touch; none for addresses that no memory has. */
function pagesOf(address: bigint, size: bigint): PageRun {
  if (address >> 52n !== 0n || size <= 0n) return { pfn: 0, count: 0 };
  const pfn = Number(address >> BigInt(PAGE_SHIFT));
  const last = Number((address + size - 1n) >> BigInt(PAGE_SHIFT));
  return { pfn, count: last - pfn + 1 };
}
