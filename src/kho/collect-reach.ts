// SPDX-License-Identifier: Apache-2.0
// What the pointers of a handover reach, gathered for the rules.
import { PAGE_SIZE } from '../image/physical-memory.js';
import type { Reached } from '../schemas/lang/memory.js';
import type { Handover } from './handover.js';
import { FOLIO_ENTRY_SIZE, type FolioColumns } from './memfd-state.js';
import { Reach, type ReachKind, type ReachOwner } from './reach.js';

/** Everything reached, page tables excepted, which only a walk finds. */
export function collectReach(handover: Handover): Reach {
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
  for (const { topTable, address, path } of handover.iommu.domains)
    if (handover.root.identified?.version.variant === 'tree')
      reach.addBytes(topTable, PAGE_SIZE, 'table', ownerOf(`${path}/pgd`, 'top page table', address));
  return reach;
}

function ownerOf(path: string, what: string, from: bigint | undefined): ReachOwner {
  return { path, what, pointer: () => from };
}

function addReached(reach: Reach, { address, length, path, layout, from, pieces }: Reached): void {
  // The pages of an array that was put together have been reached one by one.
  if (pieces !== undefined) return;
  const what = layout?.kind === 'struct' ? layout.name : layout === undefined ? 'memory' : layout.kind;
  reach.addBytes(address, length, kindOf(layout === undefined, path), ownerOf(path, what, from));
}

function kindOf(isMemory: boolean, path: string): ReachKind {
  if (!isMemory) return 'struct';
  if (/\.page$/.test(path)) return 'page';
  return /(?:top_table(?:_phys)?|root_table|pasid_table)$/.test(path) ? 'table' : 'region';
}

function addFolios(reach: Reach, handover: Handover, path: string, folios: FolioColumns): void {
  const { preserved } = handover;
  const { pieces, pfns } = folios;
  const owner: ReachOwner = {
    path: `${path}.data`,
    what: 'folio',
    pointer: (row) => entryAddress(pieces, row * FOLIO_ENTRY_SIZE),
  };
  for (let row = 0; row < pfns.length; row++) {
    const pfn = pfns[row] ?? 0;
    if (pfn === 0) continue;
    const block = preserved?.find(pfn);
    reach.add(pfn, block !== undefined && block.start === pfn ? 2 ** block.order : 1, 'folio', owner, row);
  }
}

/** Physical address of byte `at` of an array that lies in pieces. */
function entryAddress(pieces: FolioColumns['pieces'], at: number): bigint | undefined {
  const [first] = pieces;
  if (first === undefined) return undefined;
  const piece = pieces[Math.floor(at / first.length)];
  return piece && piece.address + BigInt(at % first.length);
}
