// SPDX-License-Identifier: Apache-2.0
// Family 5: the list of pages that the RFC of 2024 keeps for a domain, against a walk of its tables.
import { formatHex } from '../../bytes/hex.js';
import type { ListedMemory } from '../iommu-state.js';
import type { ListFaultKind } from '../listed-memory.js';
import type { Rule } from './rule.js';

const RFC =
  'save_pte_pages(), RFC of 2024, <20240916113102.710522-10-jgowans@amazon.com>; rfc-2024.md section 4';
/** Elements that the RFC has room for. */
const ROOM = 256;

/** Whether each page of some lists lies behind the one before, as they do where tables were allocated in a row. */
function isAscending(lists: readonly ListedMemory[]): boolean {
  let last = -1;
  for (const { frames } of lists) {
    for (const frame of frames) {
      if (frame <= last) return false;
      last = frame;
    }
  }
  return true;
}

const WHAT: Readonly<Record<Exclude<ListFaultKind, 'missing-table'>, string>> = {
  'data-page': 'a page of data that it maps',
  'part-of-leaf': 'the first 4 KiB of a larger leaf that it maps',
  stranger: 'a page of something else',
};

/** Rules for the lists of the RFC of 2024. */
export const rfcMemRules: readonly Rule[] = [
  {
    id: 'rfc-mem-missing',
    family: 'rfc-mem',
    severity: 'error',
    title: 'The list mem of a domain has every page of its page tables',
    why: 'What is not listed is not reserved: the next kernel uses the page while hardware still walks it. The RFC itself lists no table that does not hang from entry 0 of the top table, nor the two on the way there.',
    source: RFC,
    effect: 'corrupt',
    needs: ['tables'],
    check: (handover, tell) => {
      for (const { domain, listFaults = [] } of handover.walks) {
        for (const { kind, address, level } of listFaults) {
          if (kind !== 'missing-table') continue;
          const message = `expected the level ${level} table at ${formatHex(address)} in mem of ${domain.name}, found it is not listed`;
          tell(message, { path: `${domain.path}/mem`, address, other: domain.address });
        }
      }
    },
  },
  {
    id: 'rfc-mem-extra',
    family: 'rfc-mem',
    severity: 'warning',
    title: 'The list mem of a domain has nothing but pages of its page tables',
    why: 'Data pages in it are reserved for good, and a superpage by its first 4 KiB only; one that somebody else preserves as well makes kho_claim_mem() warn. The RFC itself lists what the last level maps.',
    source: RFC,
    effect: 'silent',
    needs: ['tables'],
    check: (handover, tell) => {
      for (const { domain, listFaults = [] } of handover.walks) {
        for (const { kind, address, element, iova } of listFaults) {
          if (kind === 'missing-table') continue;
          const where = iova === undefined ? '' : ` at IOVA ${formatHex(iova)}`;
          const message = `expected tables in mem of ${domain.name}, found ${formatHex(address)}, ${WHAT[kind]}${where}`;
          tell(message, { path: `${domain.path}/mem[${element}]`, address, other: domain.address });
        }
      }
    },
  },
  {
    id: 'rfc-mem-once',
    family: 'rfc-mem',
    severity: 'warning',
    title: 'No page is listed twice',
    why: 'Its reference count is then 2 when it is claimed: kho_claim_mem() warns.',
    source: 'kho_claim_mem(), <20240117144704.602-1-graf@amazon.com>; rfc-2024.md section 1',
    effect: 'silent',
    needs: ['domains'],
    check: ({ iommu }, tell) => {
      if (isAscending(iommu.domains.flatMap(({ mem }) => mem ?? []))) return;
      const first = new Map<number, bigint>();
      for (const { mem, name, path, address } of iommu.domains) {
        for (let row = 0; mem !== undefined && row < mem.count; row++) {
          const pfn = mem.frames[row] ?? 0;
          const before = first.get(pfn);
          if (before === undefined) {
            first.set(pfn, address);
            continue;
          }
          const message = `expected ${formatHex(BigInt(pfn) << 12n)} once in all mem lists, found it again in that of ${name}`;
          tell(message, { path: `${path}/mem[${row}]`, address, other: before });
        }
      }
    },
  },
  {
    id: 'rfc-mem-room',
    family: 'rfc-mem',
    severity: 'warning',
    title: 'A list mem has at most 256 elements',
    why: 'The RFC writes it into one page without a look at its end: the kernel that wrote more has overwritten memory of its own.',
    source: RFC,
    effect: 'corrupt',
    needs: ['domains'],
    check: ({ iommu }, tell) => {
      for (const { mem, name, path, address } of iommu.domains)
        if (mem !== undefined && mem.count > ROOM)
          tell(`expected at most ${ROOM} elements in mem of ${name}, found ${mem.count}`, {
            path: `${path}/mem`,
            address,
          });
    },
  },
];
