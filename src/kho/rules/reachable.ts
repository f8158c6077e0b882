// SPDX-License-Identifier: Apache-2.0
// Family 2: what pointers reach is preserved, and what is preserved is reached.
import { formatHex } from '../../bytes/hex.js';
import type { PreservedMap } from '../preserved.js';
import { firstOutside } from '../ram.js';
import type { Reach, ReachKind } from '../reach.js';
import { isOfBlob, tellIssues } from './from-issues.js';
import type { FindingPlace, KernelEffect, Rule } from './rule.js';

const KHO = 'kernel/liveupdate/kexec_handover.c, Linux 7.3.4';
const PAGE = 4096;

const address = (pfn: number): bigint => BigInt(pfn) * BigInt(PAGE);

function placeOf(reach: Reach, index: number, pfn: number): FindingPlace {
  const owner = reach.owner(index);
  const item = reach.item(index);
  const path = reach.kind(index) === 'folio' ? `${owner?.path}.folio[${item}]` : owner?.path;
  return { path, address: address(pfn), other: owner?.pointer(item) };
}

function nameOf(reach: Reach, index: number): string {
  const owner = reach.owner(index);
  const pages = reach.pages(index);
  const what = `${owner?.what} at ${formatHex(address(reach.pfn(index)))}`;
  return pages === 1 ? what : `${what} of ${pages} pages`;
}

/** What a kernel does about things of a kind that are not in memory. */
const OUTSIDE: Readonly<Record<ReachKind, KernelEffect>> = {
  root: 'oops',
  blob: 'oops',
  struct: 'oops',
  page: 'file-fails',
  folio: 'file-fails',
  // It is handed on at once, and preserved anew for the kernel after that.
  region: 'oops',
  table: 'oops',
};

/** What is allocated as one block, whose first page the pointer names. */
function isOneBlock(reach: Reach, index: number): boolean {
  const kind = reach.kind(index);
  return kind === 'struct' || kind === 'page' || kind === 'blob' || kind === 'root' || kind === 'table';
}

/** Whether it lies within a page of records, which is reached by itself. */
function isWithin(reach: Reach, index: number): boolean {
  return reach.owner(index)?.within === true;
}

/** Page frames that are preserved and not reached, one call for each run of them. */
export function unreached(
  preserved: PreservedMap,
  reach: Reach,
  tell: (pfn: number, pages: number, run: number) => void,
): void {
  const { starts, ends } = reach.union();
  let next = 0;
  for (let run = 0; run < preserved.count; run++) {
    const size = 2 ** (preserved.runs.orders[run] ?? 0);
    const end = preserved.end(run);
    // A block is reached as a whole or not: its first page is what pointers name.
    for (let at = preserved.start(run); at < end; ) {
      while (next < ends.length && (ends[next] ?? 0) <= at) next++;
      const start = starts[next] ?? Number.POSITIVE_INFINITY;
      if (start < at + size) {
        const until = Math.min(end, ends[next] ?? end);
        at += Math.max(1, Math.ceil((until - at) / size)) * size;
        continue;
      }
      const until = Math.min(end, at + Math.floor((start - at) / size) * size);
      tell(at, until - at, run);
      at = until;
    }
  }
}

/** Rules for what is reached. */
export const reachableRules: readonly Rule[] = [
  {
    id: 'reachable-present',
    family: 'reachable',
    severity: 'error',
    title: 'Pointers lead to memory that is there',
    why: 'Kernels follow them unchecked: one that leads beyond memory is an oops.',
    source: 'kernel/liveupdate, mm/memfd_luo.c, Linux 7.3.4',
    effect: 'oops',
    needs: ['memory'],
    check: (handover, tell) => {
      const own = handover.issues.filter(
        (issue) => issue.part === 'consumer' && issue.code === 'ABSENT' && !isOfBlob(issue),
      );
      // Pages of an area are looked up before they are read.
      tellIssues(own, tell, ({ message }) => (/expected a page of/.test(message) ? 'file-fails' : undefined));
    },
  },
  {
    id: 'reachable-preserved',
    family: 'reachable',
    severity: 'error',
    title: 'Everything that pointers reach is preserved',
    why: 'What is not in the map belongs to the next kernel as soon as it boots: it is used for something else while the state that is handed over still leads there, and devices or guests still write to it.',
    source: `kho_restore_page(), ${KHO}`,
    effect: 'file-fails',
    needs: ['kernel-map', 'memory'],
    check: ({ preserved, reach, root }, tell) => {
      if (preserved === undefined) return;
      // Without the root nobody may come as far as LUO.
      const isRootKept = preserved.firstMissing(Number(root.address >> 12n), 1) === undefined;
      for (let index = 0; index < reach.count; index++) {
        if (isWithin(reach, index)) continue;
        const pfn = reach.pfn(index);
        const missing = preserved.firstMissing(pfn, reach.pages(index));
        if (missing === undefined) continue;
        const message = `expected ${nameOf(reach, index)} to be preserved, found that ${formatHex(address(missing))} is not`;
        const kind = reach.kind(index);
        const effect =
          // Structs are read where they lie before anybody asks whether they were preserved: what they hold by then is up
          // to whoever used their pages, if anybody has. Sessions are read late enough for somebody to have.
          kind === 'folio' || kind === 'page'
            ? 'file-fails'
            : kind === 'region'
              ? 'silent'
              : isRootKept && reach.owner(index)?.what === 'luo_session_block'
                ? 'oops'
                : 'corrupt';
        tell(message, placeOf(reach, index, missing), { effect });
      }
    },
  },
  {
    id: 'reachable-order',
    family: 'reachable',
    severity: 'error',
    title: 'A pointer names the first page of a preserved block that is large enough',
    why: 'The kernel restores a block by its first page, whose order the map says. A pointer into the middle of a block cannot be restored; a block that is too small ends within what is handed over.',
    source: `kho_restore_folio(), ${KHO}`,
    effect: 'file-fails',
    needs: ['kernel-map', 'memory'],
    check: ({ preserved, reach }, tell) => {
      if (preserved === undefined) return;
      for (let index = 0; index < reach.count; index++) {
        const kind = reach.kind(index);
        if (kind !== 'folio' && !isOneBlock(reach, index)) continue;
        const pfn = reach.pfn(index);
        const block = preserved.find(pfn);
        if (block === undefined) continue;
        const pages = 2 ** block.order;
        const isWhole = block.start === pfn && reach.pages(index) <= pages;
        if (isWhole || isWithin(reach, index)) continue;
        const found =
          block.start === pfn
            ? `a block of ${pages} page(s)`
            : `it within the block of ${pages} pages at ${formatHex(address(block.start))}`;
        const message = `expected ${nameOf(reach, index)} to be a preserved block, found ${found}`;
        tell(message, placeOf(reach, index, pfn));
      }
    },
  },
  {
    id: 'reachable-ram',
    family: 'reachable',
    severity: 'error',
    title: 'What pointers reach is memory of the machine',
    why: 'There is nothing at other addresses, or a device. What is restored by its page is looked up first, and that file is lost; what is read where it lies is an oops.',
    source: `kho_restore_page(), pfn_to_online_page(), ${KHO}`,
    effect: 'oops',
    needs: ['ram'],
    check: ({ reach }, tell, { ram }) => {
      if (typeof ram === 'string') return;
      for (let index = 0; index < reach.count; index++) {
        if (isWithin(reach, index)) continue;
        const outside = firstOutside(ram, reach.pfn(index), reach.pages(index));
        if (outside === undefined) continue;
        const message = `expected ${nameOf(reach, index)} to lie in memory, found none at ${formatHex(address(outside))}`;
        tell(message, placeOf(reach, index, outside), { effect: OUTSIDE[reach.kind(index)] });
      }
    },
  },
  {
    id: 'reachable-scratch',
    family: 'reachable',
    severity: 'error',
    title: 'Nothing that pointers reach lies in scratch',
    why: 'The next kernel boots there: what is handed over would be overwritten.',
    source: `kho_scratch_overlap(), ${KHO}`,
    effect: 'corrupt',
    needs: ['scratch'],
    check: ({ reach, scratch, isForm2023 }, tell) => {
      const regions = (scratch.regions ?? []).map(({ address: base, size }) => ({
        base,
        start: Number(base) / PAGE,
        end: Number(base + size) / PAGE,
      }));
      for (let index = 0; index < reach.count; index++) {
        // In KHO's form of 2023 the tree is a segment of kexec, which puts those into scratch.
        if (isForm2023 && reach.kind(index) === 'root') continue;
        const pfn = reach.pfn(index);
        const end = pfn + reach.pages(index);
        for (const region of regions) {
          if (end <= region.start || pfn >= region.end) continue;
          const message = `expected ${nameOf(reach, index)} outside of scratch, found it in the region at ${formatHex(region.base)}`;
          tell(message, { ...placeOf(reach, index, pfn), other: region.base });
        }
      }
    },
  },
  {
    id: 'reachable-once',
    family: 'reachable',
    severity: 'error',
    title: 'No block is handed over twice',
    why: 'Whoever comes first restores it and owns it; the second one fails, or both write to it. Folios of files and page tables have rules of their own.',
    source: `kho_restore_folio(), ${KHO}`,
    effect: 'corrupt',
    needs: [],
    check: ({ reach }, tell) => {
      const first = new Map<number, number>();
      for (let index = 0; index < reach.count; index++) {
        if (!isOneBlock(reach, index) || isWithin(reach, index) || reach.kind(index) === 'table') continue;
        const pfn = reach.pfn(index);
        const before = first.get(pfn);
        if (before === undefined) {
          first.set(pfn, index);
          continue;
        }
        const message = `expected ${nameOf(reach, index)} to be reached by one pointer, found ${reach.owner(before)?.path ?? ''} to lead there as well`;
        const other = reach.owner(before)?.pointer(reach.item(before));
        tell(message, { ...placeOf(reach, index, pfn), other });
      }
    },
  },
  {
    id: 'preserved-reached',
    family: 'reachable',
    severity: 'error',
    title: 'Everything that is preserved is reached by some pointer',
    why: 'Memory that nobody reaches is lost to both kernels; and what led there is gone without a message: a block of sessions with a smaller count, or without the one after it, loses sessions in silence.',
    source: 'kernel/liveupdate/luo_session.c, Linux 7.3.4, which was run with such handovers',
    effect: 'silent',
    needs: ['map', 'kernel-map', 'complete'],
    check: ({ preserved, reach }, tell) => {
      if (preserved === undefined) return;
      unreached(preserved, reach, (pfn, pages, run) => {
        const order = preserved.runs.orders[run] ?? 0;
        const many = pages / 2 ** order;
        const message = `expected a pointer to what is preserved, found none to ${many} block(s) of order ${order} from ${formatHex(address(pfn))} on`;
        tell(message, { address: address(pfn), other: preserved.address });
      });
    },
  },
];
