// SPDX-License-Identifier: Apache-2.0
// Family 3: the map of preserved memory itself.
import { formatHex } from '../../bytes/hex.js';
import type { PhysicalMemory } from '../../image/physical-memory.js';
import { mapsEarly } from '../early-mapping.js';
import type { HandoverIssue } from '../handover-issue.js';
import { isEmptyMemory } from '../is-empty-memory.js';
import type { PreservedMap } from '../preserved.js';
import { firstOutside } from '../ram.js';
import { SCRATCH_STRIDE, type ScratchArray } from '../scratch-state.js';
import { issuesThat, tellIssues } from './from-issues.js';
import type { KernelEffect, Rule } from './rule.js';

const KHO = 'kernel/liveupdate/kexec_handover.c, Linux 7.3.4';
const PAGE = 4096;

const address = (pfn: number): bigint => BigInt(pfn) * BigInt(PAGE);

function blockText(map: PreservedMap, run: number): string {
  const order = map.runs.orders[run] ?? 0;
  return `${map.runs.blocks[run] ?? 0} block(s) of order ${order} from ${formatHex(address(map.start(run)))} on`;
}

/** What a kernel does about an array of scratch regions that is not of whole ones. */
function effectOfArray({ address: at, size }: ScratchArray): KernelEffect {
  if (!mapsEarly(at, size)) return 'plain-boot';
  return size < SCRATCH_STRIDE ? 'oops' : 'none';
}

/**
 * What a kernel does about a pointer of the map that cannot be right. The walk has no more levels than the tree, so that a
 * loop ends: where keys get bits that no memory has, with an oops. Only where a table leads to itself from its first entry
 * keys stay small, and stand for blocks so large that adding them to the list of busy ones takes years
 * (kho_extend_scratch()). A leaf that is shared, or read from its middle on, stands for blocks elsewhere, which may be
 * memory; a pointer off its table is followed, and where nothing stands behind it, nothing of that table is preserved.
 */
function effectOfPointer(
  { code, message, address: at, otherAddress: other }: HandoverIssue,
  memory: PhysicalMemory,
): KernelEffect {
  const isFirst = at !== undefined && at % BigInt(PAGE) === 0n;
  if (code === 'LOOP') {
    if (/a chunk/.test(message)) return 'hang';
    if (at !== undefined && (at >> 12n) << 12n === other) return isFirst ? 'hang' : 'oops';
    return /a (?:leaf|bitmap)/.test(message) ? 'corrupt' : 'oops';
  }
  if (code !== 'NOT_ALIGNED' || other === undefined) return 'oops';
  if (/expected leaves/.test(message)) return 'corrupt';
  return isEmptyMemory(memory, other) ? 'corrupt' : 'oops';
}

/** Rules for the map of preserved memory. */
export const preservedMapRules: readonly Rule[] = [
  {
    id: 'map-nodes',
    family: 'preserved-map',
    severity: 'error',
    title: 'Pointers of the map lead to pages of the map, each reached once',
    why: 'The kernel follows them unchecked, early in boot: a wild pointer is an oops, a loop an oops or a hang, a table that was overwritten reserves memory at random.',
    source: `kho_radix_walk_tree(), ${KHO}; kho-core.md sections 4 and 5`,
    effect: 'oops',
    needs: ['memory'],
    check: (handover, tell) => {
      const own = handover.issues.filter(
        ({ part, code }) =>
          part === 'map' &&
          (code === 'NOT_ALIGNED' || code === 'ABSENT' || code === 'LOOP' || code === 'LIMIT'),
      );
      tellIssues(own, tell, (issue) => effectOfPointer(issue, handover.memory));
    },
  },
  {
    id: 'map-keys',
    family: 'preserved-map',
    severity: 'error',
    title: 'What the map preserves is memory that an address can name',
    why: 'A key that stands for no block, or for one beyond all memory, leads the kernel to a struct page that is not there.',
    source: `kho_preserved_memory_reserve(), ${KHO}; kho-core.md section 5`,
    effect: 'oops',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'map' && code === 'BAD_KEY'),
  },
  {
    id: 'map-chunks',
    family: 'preserved-map',
    severity: 'error',
    title: 'Chunks and lists of the map keep the rules of their layout: counts, orders, alignment',
    why: 'A bitmap whose first page is off its boundary stands for blocks that are not aligned to their size, which no allocator has; a count that the chunk has no room for makes the kernel reserve memory at random. Keys of a radix tree cannot be off their boundary.',
    source: 'kernel/kexec_handover.c, Linux 6.16 to 7.0; kho-core.md section 4',
    effect: 'silent',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'map' && code === 'MALFORMED'),
  },
  {
    id: 'map-overlap',
    family: 'preserved-map',
    severity: 'error',
    title: 'No page is preserved twice, by blocks of different orders',
    why: 'Each block is restored by itself: the second one takes pages from the first, which are then freed while in use.',
    source: `kho_preserve_folio(), ${KHO}`,
    effect: 'corrupt',
    needs: ['map'],
    check: ({ preserved }, tell) => {
      if (preserved === undefined || preserved.form === 'mem') return;
      let furthest = 0;
      for (let run = 1; run < preserved.count; run++) {
        const start = preserved.start(run);
        if (start < preserved.end(furthest)) {
          const message = `expected disjoint blocks, found ${blockText(preserved, run)} over ${blockText(preserved, furthest)}`;
          tell(message, { address: address(start), other: address(preserved.start(furthest)) });
        }
        if (preserved.end(run) > preserved.end(furthest)) furthest = run;
      }
    },
  },
  {
    id: 'map-scratch',
    family: 'preserved-map',
    severity: 'error',
    title: 'Nothing preserved lies in scratch',
    why: 'The next kernel boots in scratch and allocates from it before it reads the map: what is preserved there is overwritten.',
    source: `kho_scratch_overlap(), ${KHO}, which checks it with CONFIG_KEXEC_HANDOVER_DEBUG only`,
    effect: 'corrupt',
    needs: ['map', 'scratch'],
    check: ({ preserved, scratch }, tell) => {
      if (preserved === undefined) return;
      for (const { address: base, size } of scratch.regions ?? []) {
        const start = Number(base) / PAGE;
        const end = Number(base + size) / PAGE;
        const first = preserved.firstFrom(start);
        if (first === undefined || first >= end) continue;
        const message = `expected nothing preserved in the scratch region at ${formatHex(base)}, found the page at ${formatHex(address(first))}`;
        tell(message, { address: address(first), other: base });
      }
    },
  },
  {
    id: 'map-nodes-scratch',
    family: 'preserved-map',
    severity: 'error',
    title: 'The pages of the map itself lie outside of scratch',
    why: 'They are not preserved: only that the next kernel stays in scratch until it has read them keeps them whole.',
    source: `kho_mem_init(), ${KHO}; kho-core.md section 5`,
    effect: 'corrupt',
    needs: ['map', 'kernel-map', 'scratch'],
    check: ({ preserved, scratch }, tell) => {
      const regions = (scratch.regions ?? []).map(({ address: base, size }) => ({
        base,
        start: Number(base) / PAGE,
        end: Number(base + size) / PAGE,
      }));
      for (const pfn of preserved?.nodes ?? []) {
        const region = regions.find(({ start, end }) => pfn >= start && pfn < end);
        if (region === undefined) continue;
        const message = `expected the map outside of the scratch region at ${formatHex(region.base)}, found its page at ${formatHex(address(pfn))}`;
        tell(message, { address: address(pfn), other: region.base });
      }
    },
  },
  {
    id: 'map-ram',
    family: 'preserved-map',
    severity: 'error',
    title: 'What is preserved is memory of the machine',
    why: 'There is no struct page for anything else: the kernel that marks it as preserved reads beyond its arrays.',
    source: `kho_mem_init(), ${KHO}`,
    effect: 'oops',
    needs: ['map', 'ram'],
    check: ({ preserved }, tell, { ram }) => {
      for (let run = 0; preserved !== undefined && typeof ram !== 'string' && run < preserved.count; run++) {
        const start = preserved.start(run);
        const outside = firstOutside(ram, start, preserved.end(run) - start);
        if (outside === undefined) continue;
        const message = `expected preserved memory to be memory of the machine, found ${blockText(preserved, run)}: ${formatHex(address(outside))} is none`;
        tell(message, { address: address(outside), other: preserved.address });
      }
    },
  },
  {
    id: 'scratch-regions',
    family: 'preserved-map',
    severity: 'error',
    title: 'The scratch regions can be read and make sense',
    why: 'The kernel adds them to its memory unchecked, and has no other to boot in: it dies, mostly before it has a console to say so. An array that it cannot map makes it ignore the handover; what is behind the last whole region it does not look at.',
    source: `kho_populate(), ${KHO}; kho-core.md section 2`,
    effect: 'oops',
    needs: ['memory'],
    check: (handover, tell) => {
      const { issues, array } = handover.scratch;
      tellIssues(issues, tell, ({ code }) =>
        array === undefined || code !== 'BAD_LENGTH' ? undefined : effectOfArray(array),
      );
    },
  },
];
