// SPDX-License-Identifier: Apache-2.0
// Family 6, second part: what is kept of memfds.
import { formatHex } from '../../bytes/hex.js';
import { NumberColumn } from '../../bytes/number-column.js';
import type { Handover } from '../handover.js';
import type { HandoverFile } from '../luo-state.js';
import { type FolioColumns, folioEntry } from '../memfd-state.js';
import { isOfFile, tellIssues } from './from-issues.js';
import type { FindingPlace, Rule } from './rule.js';

const MEMFD = 'mm/memfd_luo.c, Linux 7.3.4';
const PAGE = 4096;
/** DIRTY and UPTODATE. */
const KNOWN_FLAGS = 3;

/** F_SEAL_EXEC, and SHRINK, GROW, WRITE and FUTURE_WRITE. */
const SEAL_EXEC = 0x20;
const EXEC_BRINGS = 0x1e;

const address = (pfn: number): bigint => BigInt(pfn) * BigInt(PAGE);

function* filesWithFolios(
  handover: Handover,
): Generator<
  { readonly file: HandoverFile; readonly folios: FolioColumns; readonly size: bigint; readonly at: bigint },
  void
> {
  for (const { files } of handover.sessions)
    for (const file of files)
      if (file.memfd?.folios !== undefined)
        yield { file, folios: file.memfd.folios, size: file.memfd.size, at: file.memfd.address };
}

function entryPlace(file: HandoverFile, folios: FolioColumns, row: number): FindingPlace {
  return { path: `${file.path}.data.folios[${row}]`, address: folioEntry(folios, row) };
}

/** Pages of a folio: those of its preserved block. */
function pagesOf({ preserved }: Handover, pfn: number): number {
  const block = preserved?.find(pfn);
  return block !== undefined && block.start === pfn ? 2 ** block.order : 1;
}

/** Page frames that more than one entry names, 0 left out. */
function repeated(handover: Handover): ReadonlySet<number> {
  const all = new NumberColumn();
  for (const { folios } of filesWithFolios(handover)) for (const pfn of folios.pfns) all.push(pfn);
  const sorted = all.toArray().sort();
  const found = new Set<number>();
  for (let index = 1; index < sorted.length; index++) {
    const pfn = sorted[index] ?? 0;
    if (pfn !== 0 && pfn === sorted[index - 1]) found.add(pfn);
  }
  return found;
}

/** Rows whose folio takes a place in the file that another one has. */
function overlappingRows(handover: Handover, { count, indexes, pfns }: FolioColumns): ReadonlySet<number> {
  const rows = Float64Array.from({ length: count }, (_, row) => row);
  rows.sort((a, b) => (indexes[a] ?? 0) - (indexes[b] ?? 0) || a - b);
  const found = new Set<number>();
  let last = -1;
  let end = 0;
  for (const row of rows) {
    const index = indexes[row] ?? 0;
    if (index < end) found.add(row).add(last);
    const behind = index + pagesOf(handover, pfns[row] ?? 0);
    if (behind <= end) continue;
    [end, last] = [behind, row];
  }
  return found;
}

/** Rules for memfds. */
export const memfdRules: readonly Rule[] = [
  {
    id: 'memfd-values',
    family: 'luo',
    severity: 'error',
    title:
      'What is kept of a file keeps the rules of its layout: seals and flags within the mask of the version, folios exactly when it is not empty',
    why: 'Seals that the kernel does not know make it refuse the file.',
    source: `${MEMFD}: -EOPNOTSUPP; luo.md section 3`,
    effect: 'file-fails',
    needs: [],
    check: (handover, tell) => {
      const own = handover.issues.filter(
        (issue) =>
          isOfFile(issue) &&
          !/[./](?:chunk|folios)/.test(issue.path ?? '') &&
          issue.code !== 'ABSENT' &&
          issue.code !== 'NO_LAYOUT' &&
          issue.code !== 'LOOP',
      );
      tellIssues(own, tell, ({ path = '' }) =>
        path.endsWith('.flags') ? 'none' : path.endsWith('.seals') ? 'file-fails' : 'silent',
      );
    },
  },
  {
    id: 'memfd-exec-seal',
    family: 'luo',
    severity: 'warning',
    title:
      'A file sealed against a change of its executable bits is sealed against writing, growing and shrinking too',
    why: 'The kernel makes the file anew with executable bits, and there F_SEAL_EXEC brings the other seals: one from memfd_create(MFD_NOEXEC_SEAL) comes back as a file that nobody can write to.',
    source: `memfd_luo_retrieve(), ${MEMFD}; memfd_add_seals(), mm/memfd.c, Linux 7.3.4`,
    effect: 'silent',
    needs: ['luo'],
    check: (handover, tell) => {
      for (const { files } of handover.sessions)
        for (const { memfd, path } of files) {
          const seals = memfd?.seals ?? 0;
          if ((seals & SEAL_EXEC) === 0 || (seals & EXEC_BRINGS) === EXEC_BRINGS) continue;
          const message = `expected seals ${formatHex(seals | EXEC_BRINGS)} with F_SEAL_EXEC, found ${formatHex(seals)}`;
          tell(message, { path: `${path}.data.seals`, address: memfd?.address });
        }
    },
  },
  {
    id: 'memfd-array',
    family: 'luo',
    severity: 'error',
    title:
      'The array of folios can be put together: as many pages as its descriptor says, room for all entries, no page twice',
    why: 'The kernel refuses a list of pages that does not add up, and the file is lost.',
    source: `kho_restore_vmalloc(), kernel/liveupdate/kexec_handover.c, Linux 7.3.4; kho-core.md section 6`,
    effect: 'file-fails',
    needs: [],
    check: (handover, tell) => {
      const own = handover.issues.filter(
        (issue) =>
          isOfFile(issue) && /[./](?:chunk|folios)/.test(issue.path ?? '') && issue.code !== 'ABSENT',
      );
      tellIssues(own, tell, ({ message, path = '' }) => {
        // Entries are read as far as they are counted, behind the end of the array too.
        if (/at most [1-9]\d* bytes of elements/.test(message)) return 'oops';
        // On x86 shifts of 32 bits, in how many pages, see five bits of the order, and those of 64, in what is mapped, six.
        const [, order] = /found (\d+)$/.exec(message) ?? [];
        if (order !== undefined && (path.endsWith('.order') || /a page order/.test(message)))
          return Number(order) % 32 !== 0 ? undefined : Number(order) % 64 === 0 ? 'none' : 'oops';
        return /\.phys\[\d+\]$/.test(path) && /a multiple of/.test(message) ? 'none' : undefined;
      });
    },
  },
  {
    id: 'memfd-entries',
    family: 'luo',
    severity: 'error',
    title: 'Every entry of the array stands for a folio, with flags that are known',
    why: 'The kernel passes over entries of page frame 0: that part of the file comes back as zeros, and nothing says so.',
    source: MEMFD,
    effect: 'silent',
    needs: ['luo'],
    check: (handover, tell) => {
      for (const { file, folios } of filesWithFolios(handover)) {
        for (let row = 0; row < folios.count; row++) {
          const flags = folios.flags[row] ?? 0;
          const isHole = folios.pfns[row] === 0;
          if (!isHole && (flags & ~KNOWN_FLAGS) === 0) continue;
          const message = isHole
            ? 'expected a folio, found page frame 0'
            : `expected flags DIRTY 1 and UPTODATE 2 at most, found ${formatHex(flags)}`;
          tell(message, { ...entryPlace(file, folios, row), other: file.memfd?.address });
        }
      }
    },
  },
  {
    id: 'memfd-index',
    family: 'luo',
    severity: 'error',
    title: 'Folios ascend in the file, without overlap and within its size',
    why: 'A folio behind the end is not seen, and its place comes back as zeros; of two in one place the second cannot be added, and the file is lost. Folios out of order are taken as they come.',
    source: `${MEMFD}: shmem_add_to_page_cache()`,
    effect: 'file-fails',
    needs: ['luo', 'kernel-map'],
    check: (handover, tell) => {
      for (const { file, folios, size, at } of filesWithFolios(handover)) {
        const limit = Math.ceil(Number(size) / PAGE);
        let overlapping: ReadonlySet<number> | undefined;
        let end = 0;
        for (let row = 0; row < folios.count; row++) {
          const pfn = folios.pfns[row] ?? 0;
          const index = folios.indexes[row] ?? 0;
          if (index >= limit) {
            const message = `expected a position below ${limit} pages, the size of the file, found ${index}`;
            // A page at the last position that there is lies behind all that goes with the file: a BUG in clear_inode().
            const effect = index >= 2 ** 64 && pagesOf(handover, pfn) === 1 ? 'oops' : 'silent';
            tell(message, { ...entryPlace(file, folios, row), other: at }, { effect });
          } else if (index < end) {
            overlapping ??= overlappingRows(handover, folios);
            const message = `expected a position from ${end} pages on, where the folio before ends, found ${index}`;
            const place = { ...entryPlace(file, folios, row), other: folioEntry(folios, row - 1) };
            tell(message, place, { effect: overlapping.has(row) ? 'file-fails' : 'none' });
          }
          end = Math.max(end, index + pagesOf(handover, pfn));
        }
      }
    },
  },
  {
    id: 'memfd-covered',
    family: 'luo',
    severity: 'error',
    title: 'The folios of a file make up its whole size',
    why: 'Preserving a file allocates all its pages. A part without a folio comes back as zeros, and nothing says so.',
    source: `memfd_luo_preserve_folios(), ${MEMFD}`,
    effect: 'silent',
    needs: ['luo', 'kernel-map'],
    check: (handover, tell) => {
      for (const { file, folios, size, at } of filesWithFolios(handover)) {
        let pages = 0;
        for (let row = 0; row < folios.count; row++)
          if (folios.pfns[row] !== 0) pages += pagesOf(handover, folios.pfns[row] ?? 0);
        const needed = Math.ceil(Number(size) / PAGE);
        if (pages >= needed) continue;
        const message = `expected folios of ${needed} pages for a file of ${size} bytes, found ${pages}`;
        tell(message, { path: `${file.path}.data`, address: at, other: folioEntry(folios, 0) });
      }
    },
  },
  {
    id: 'memfd-folio-once',
    family: 'luo',
    severity: 'error',
    title: 'No folio is in two files, nor twice in one',
    why: 'The file that is retrieved first takes it. The second one shares its memory, and the kernel frees it while it is in use.',
    source: MEMFD,
    effect: 'corrupt',
    needs: ['luo'],
    check: (handover, tell) => {
      const twice = repeated(handover);
      if (twice.size === 0) return;
      const first = new Map<
        number,
        { readonly file: HandoverFile; readonly folios: FolioColumns; readonly row: number }
      >();
      for (const { file, folios } of filesWithFolios(handover)) {
        const { pfns } = folios;
        for (let row = 0; row < folios.count; row++) {
          const pfn = pfns[row] ?? 0;
          if (!twice.has(pfn)) continue;
          const before = first.get(pfn);
          if (before === undefined) {
            first.set(pfn, { file, folios, row });
            continue;
          }
          const message = `expected the folio at ${formatHex(address(pfn))} in one file, found ${before.file.path}.data.folios[${before.row}] to lead there as well`;
          const other = folioEntry(before.folios, before.row);
          tell(message, {
            path: `${file.path}.data.folios[${row}]`,
            address: folioEntry(folios, row),
            other,
          });
        }
      }
    },
  },
];
