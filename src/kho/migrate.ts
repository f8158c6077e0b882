// SPDX-License-Identifier: Apache-2.0
// A whole handover re-encoded for another kernel release.

import { formatIssue } from '../bytes/issue.js';
import { quoteName } from '../bytes/printable.js';
import type { PageRun } from '../image/page-runs.js';
import { PageStore } from '../image/page-store.js';
import { PAGE_SHIFT } from '../image/physical-memory.js';
import { khoRoot, khoRootV1B } from '../schemas/abi/kho-root.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { families } from '../schemas/registry.js';
import { BlockSet } from './block-set.js';
import { BuildError, badDescription } from './build-error.js';
import type { Consumer } from './consumer.js';
import { looksLikeFdt } from './debugfs-folder.js';
import { readE820 } from './e820.js';
import { mapFormOf } from './encode-map.js';
import type { Handover } from './handover.js';
import { HandoverSpace } from './handover-space.js';
import { kernelSet, RFC_2024 } from './kernel-set.js';
import { type LuoMigration, planLuo } from './migrate-luo.js';
import { roomFor } from './migrate-room.js';
import type { MigrationLoss } from './migration-loss.js';
import type { PreservedMap } from './preserved.js';
import { isBefore619, type RootSubtree, writeRoot } from './write-root.js';

/** How a handover is migrated. */
export interface MigrateOptions {
  /** Whether to go on when something is lost; default false. */
  readonly lossy?: boolean | undefined;
  /** Memory that new metadata may be written to; default pages beside preserved ones, see docs/migrate.md. */
  readonly free?: readonly PageRun[] | undefined;
}

/** A handover that was re-encoded. */
export interface Migration {
  /** The memory with all changes; the memory that was given is as it was. */
  readonly memory: PageStore;
  /** Physical address of the root FDT: that of the old one, so that boot data still leads to it. */
  readonly root: bigint;
  /** Name of the root's version before and after. */
  readonly from: string;
  readonly to: string;
  readonly losses: readonly MigrationLoss[];
  readonly preserved: BlockSet;
  /** Pages of new metadata and of the new map. */
  readonly writtenPages: number;
  /** Pages that were preserved and no longer are. */
  readonly releasedPages: number;
}

/** What is wrong with a handover and does not keep it from being re-encoded: what is not known is carried along. */
const HARMLESS: ReadonlySet<string> = new Set(['NO_LAYOUT', 'UNKNOWN']);

/**
 * Re-encodes a handover for another release: map, LUO's lists, memfd blobs. What files and regions hold stays where it
 * is, and so does the page of the root. New metadata goes into free memory; old metadata leaves the map.
 *
 * @param to - a release such as `7.1`
 * @throws BuildError LOSS with all that would be lost, unless `lossy`; UNREADABLE for a damaged handover; NO_ROOM
 * @throws ImageError where the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { Handover, migrateHandover } from 'kho-toolkit/kho';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const { memory, root, from, to, losses } = migrateHandover(Handover.open(image), '7.1');
 * console.log(from, to, losses.length);
 * console.log(Handover.open(memory, { root }).sessions.length);
 * image.close();
 * ```
 */
export function migrateHandover(handover: Handover, to: string, options: MigrateOptions = {}): Migration {
  const { root, preserved: map, luo } = handover;
  const target = kernelSet(to);
  if (target === undefined || to === RFC_2024)
    throw badDescription('to', 'a release from 6.16 on', `"${quoteName(to)}"`);
  const versions = new Map(target.writes.map(({ family, version }) => [family, version]));
  const version = versions.get(khoRoot);
  if (root.identified === undefined || map === undefined || map.form === 'mem' || version === undefined)
    throw unreadable(
      'a root of Linux 6.16 or later',
      root.compatible.map(quoteName).join(', '),
      root.address,
    );
  // Where scratch is does not matter to what is in the map.
  const [damage] = handover.issues.filter(({ code, part }) => !HARMLESS.has(code) && part !== 'scratch');
  if (damage !== undefined) throw unreadable('a sound handover', formatIssue(damage), root.address);

  const plan = luo === undefined ? undefined : planLuo(handover, luo, versions);
  const { kept, lost } = sortConsumers(handover, versions, version);
  const losses = [
    ...lost.map(({ name }) => ({ path: `/${quoteName(name)}`, message: consumerLoss(name, versions) })),
    ...(plan?.losses ?? []),
  ];
  if (losses.length > 0 && options.lossy !== true) {
    throw new BuildError({
      code: 'LOSS',
      message: `${to} does not hold all of it: ${losses.map(({ message }) => message).join('; ')}`,
    });
  }
  const before = blocksOf(map);
  const space = spaceFor(handover, map, before, options.free);
  const releasedPages = release(space, map, plan, lost, root.address);
  const kernelMap = mapFormOf(version.layout);
  if (kernelMap?.kind === 'bitmaps') splitAbove(space.preserved, kernelMap.maxOrder);
  const subtrees = writeSubtrees(kept, plan, space);
  const rootPage = Number(root.address >> BigInt(PAGE_SHIFT));
  if (map.find(rootPage) === undefined) space.preserved.add(rootPage, 0);
  const isSequential = version.layout === khoRootV1B && isBefore619(to);
  writeRoot(version, root.address, subtrees, space, isSequential ? 'sequential' : undefined);
  return {
    memory: space.memory,
    root: root.address,
    from: versionName(root.identified.version),
    to: versionName(version),
    losses,
    preserved: space.preserved,
    writtenPages: [...space.memory.writtenPages()].length,
    releasedPages,
  };
}

function unreadable(expected: string, found: string, address: bigint): BuildError {
  return new BuildError({ code: 'UNREADABLE', message: `expected ${expected}, found ${found}`, address });
}

function blocksOf({ runs }: PreservedMap): BlockSet {
  const blocks = new BlockSet();
  for (let run = 0; run < runs.starts.length; run++) {
    const order = runs.orders[run] ?? 0;
    for (let block = 0; block < (runs.blocks[run] ?? 0); block++)
      blocks.add((runs.starts[run] ?? 0) + block * 2 ** order, order);
  }
  return blocks;
}

function spaceFor(
  handover: Handover,
  map: PreservedMap,
  preserved: BlockSet,
  free: readonly PageRun[] | undefined,
): HandoverSpace {
  // The old map is not written over, so that what was is still there to be looked at.
  const nodes = [...map.nodes].map((pfn) => ({ pfn, count: 1 }));
  const boot = handover.setupData;
  const entries = boot === undefined ? [] : [boot.bootParams, boot.address, boot.scratchAddress];
  const taken = [
    ...nodes,
    ...entries.map((address) => ({ pfn: Number(address >> BigInt(PAGE_SHIFT)), count: 1 })),
  ];
  const ram = boot === undefined ? [] : readE820(handover.memory, boot.bootParams);
  const room = roomFor(preserved, { ram, scratch: handover.scratch.regions, taken }, free);
  return new HandoverSpace(new PageStore(handover.memory), room, preserved);
}

/** Which consumers go along as they are, and which do not. LUO is neither. */
function sortConsumers(
  { consumers }: Handover,
  versions: ReadonlyMap<Family, Version>,
  root: Version,
): { readonly kept: readonly Consumer[]; readonly lost: readonly Consumer[] } {
  const { layout } = root;
  const hasSizes = layout.kind === 'node' && layout.each?.node.properties['blob-size'] !== undefined;
  const isKept = ({ name, bytes }: Consumer): boolean => {
    const family = familyOf(name);
    if (family !== undefined && isPlain(family) && !versions.has(family)) return false;
    return hasSizes || (bytes !== undefined && looksLikeFdt(bytes));
  };
  const others = consumers.filter(({ name }) => name !== 'LUO');
  return { kept: others.filter(isKept), lost: others.filter((each) => !isKept(each)) };
}

const familyOf = (name: string): Family | undefined =>
  families.find(({ lookup }) => lookup?.group === 'kho-subtree' && lookup.name === name);

/** Whether releases write it in kernels that are not built for tests. */
function isPlain(family: Family): boolean {
  return kernelSet('7.3')?.writes.some((each) => each.family === family) ?? false;
}

function consumerLoss(name: string, versions: ReadonlyMap<Family, Version>): string {
  const family = familyOf(name);
  return family !== undefined && !versions.has(family)
    ? `${quoteName(name)}: the kernel does not know it`
    : `${quoteName(name)}: the root does not tell the size of blobs, so that only an FDT can be handed over`;
}

/** Takes out of the map what is no longer needed. @returns how many pages that was */
function release(
  { preserved }: HandoverSpace,
  map: PreservedMap,
  plan: LuoMigration | undefined,
  lost: readonly Consumer[],
  root: bigint,
): number {
  let pages = 0;
  const rootPage = Number(root >> BigInt(PAGE_SHIFT));
  const blobs = lost.map(({ address, size }) => ({ address, length: size }));
  for (const { address, length } of [...(plan?.released() ?? []), ...blobs]) {
    const first = Number(address >> BigInt(PAGE_SHIFT));
    const last = Number((address + BigInt(Math.max(length, 1)) - 1n) >> BigInt(PAGE_SHIFT));
    for (let pfn = first; pfn <= last; ) {
      const block = map.find(pfn);
      const size = block === undefined ? 1 : 2 ** block.order;
      const holdsRoot = block !== undefined && rootPage >= block.start && rootPage < block.start + size;
      // A block that reaches further on both sides holds something else as well.
      const isOwn = block !== undefined && block.start >= first && !holdsRoot;
      if (isOwn && preserved.delete(block.start, block.order)) pages += size;
      pfn = block === undefined ? pfn + 1 : block.start + size;
    }
  }
  return pages;
}

/** Splits blocks of higher orders into blocks of `maxOrder`. */
function splitAbove(blocks: BlockSet, maxOrder: number): void {
  for (const order of blocks.orders().filter((each) => each > maxOrder)) {
    for (const pfn of blocks.blocks(order)) {
      blocks.delete(pfn, order);
      blocks.addRun({ pfn, count: 2 ** order }, maxOrder);
    }
  }
}

/** The subtrees of the new root, in the order of the old one; LUO's blob is written. */
function writeSubtrees(
  kept: readonly Consumer[],
  plan: LuoMigration | undefined,
  space: HandoverSpace,
): RootSubtree[] {
  const subtrees: RootSubtree[] = kept.map(({ name, address, size }) => ({ name, address, size }));
  const blob = plan?.write(space);
  if (blob === undefined) return subtrees;
  // LUO comes between memblock and kexec-metadata, as kernels start them.
  const at = subtrees.findIndex(({ name }) => name === 'kexec-metadata');
  subtrees.splice(at < 0 ? subtrees.length : at, 0, { name: 'LUO', ...blob });
  return subtrees;
}
