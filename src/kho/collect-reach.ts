// SPDX-License-Identifier: Apache-2.0
// What the pointers of a handover reach, gathered for the rules.
import { PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';
import type { Reached } from '../schemas/lang/memory.js';
import type { WalkResult } from '../vtd/walk-result.js';
import type { Consumer } from './consumer.js';
import type { DomainWalk } from './domain-walk.js';
import type { HandoverRoot } from './handover-root.js';
import type { IommuState } from './iommu-state.js';
import type { KhoSetupData } from './locate.js';
import type { HandoverSession } from './luo-state.js';
import { type FolioColumns, folioEntry } from './memfd-state.js';
import type { PreservedMap } from './preserved.js';
import { Reach, type ReachKind, type ReachOwner } from './reach.js';

/** What reach is collected from: the parts of a handover. */
export interface ReachSource {
  readonly root: HandoverRoot;
  readonly setupData: KhoSetupData | undefined;
  readonly consumers: readonly Consumer[];
  readonly sessions: readonly HandoverSession[];
  readonly preserved: PreservedMap | undefined;
  readonly iommu: IommuState;
  readonly walks: readonly DomainWalk[];
}

/** Everything reached, page tables excepted, which only a walk finds. */
export function collectReach(handover: ReachSource): Reach {
  const reach = new Reach();
  const { root } = handover;
  const start = handover.setupData?.address;
  if (root.size > 0) reach.addBytes(root.address, root.size, 'root', ownerOf('/', 'root FDT', start));
  for (const { name, address, size, reached, bytes } of handover.consumers) {
    if (bytes !== undefined) reach.addBytes(address, size, 'blob', ownerOf(`/${name}`, 'blob', root.address));
    const blob = reached[0];
    for (const each of reached) if (each !== blob) addReached(reach, each);
  }
  for (const { files } of handover.sessions) {
    for (const { memfd, path } of files)
      if (memfd?.folios !== undefined) addFolios(reach, handover, path, memfd.folios);
  }
  const isTree = handover.root.identified?.version.variant === 'tree';
  for (const { domain, result } of handover.walks) {
    const { path, address, topTable } = domain;
    // Records of iommu-liveupdate lead there with a pointer of their own, which has been followed.
    if (isTree || result !== undefined)
      reach.addBytes(topTable, PAGE_SIZE, 'table', ownerOf(`${path}/pgd`, 'top page table', address));
    if (result !== undefined) addTables(reach, result, topTable, ownerOf(path, 'page table', address));
  }
  return reach;
}

function addTables(reach: Reach, { tablePages }: WalkResult, topTable: bigint, owner: ReachOwner): void {
  const top = Number(topTable >> BigInt(PAGE_SHIFT));
  for (const pages of tablePages) for (const pfn of pages) if (pfn !== top) reach.add(pfn, 1, 'table', owner);
}

function ownerOf(path: string, what: string, from: bigint | undefined): ReachOwner {
  return { path, what, pointer: () => from };
}

function addReached(reach: Reach, { address, length, path, layout, from, pieces }: Reached): void {
  // The pages of an array that was put together have been reached one by one.
  if (pieces !== undefined) return;
  const what = layout?.kind === 'struct' ? layout.name : layout === undefined ? 'memory' : layout.kind;
  const within = address % BigInt(PAGE_SIZE) !== 0n;
  reach.addBytes(address, length, kindOf(layout === undefined, path), {
    ...ownerOf(path, what, from),
    within,
  });
}

function kindOf(isMemory: boolean, path: string): ReachKind {
  if (!isMemory) return 'struct';
  if (/\.page$/.test(path)) return 'page';
  return /(?:top_table(?:_phys)?|root_table|pasid_table)$/.test(path) ? 'table' : 'region';
}

function addFolios(reach: Reach, handover: ReachSource, path: string, folios: FolioColumns): void {
  const { preserved } = handover;
  const { pfns } = folios;
  const owner: ReachOwner = {
    path: `${path}.data`,
    what: 'folio',
    pointer: (row) => folioEntry(folios, row),
  };
  for (let row = 0; row < pfns.length; row++) {
    const pfn = pfns[row] ?? 0;
    if (pfn === 0) continue;
    const block = preserved?.find(pfn);
    reach.add(pfn, block !== undefined && block.start === pfn ? 2 ** block.order : 1, 'folio', owner, row);
  }
}
