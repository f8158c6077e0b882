// SPDX-License-Identifier: Apache-2.0
// Family 6, first part: sessions, files, and objects bound to files.
import { formatHex } from '../../bytes/hex.js';
import { decodeLatin1 } from '../../bytes/latin1.js';
import { quoteName } from '../../bytes/printable.js';
import { luoTestFlb } from '../../schemas/abi/luo-test-flb.js';
import { isRecord } from '../../schemas/lang/input.js';
import type { Handover } from '../handover.js';
import type { HandoverIssue } from '../handover-issue.js';
import { memoryOf } from '../memory-of.js';
import { isOfBlob, isOfFile, tellIssues } from './from-issues.js';
import type { KernelEffect, Rule } from './rule.js';

const LUO = 'kernel/liveupdate/luo_session.c and luo_file.c, Linux 7.3.4';
const VALUES: ReadonlySet<string> = new Set([
  'BAD_VALUE',
  'NOT_ZERO',
  'MISSING',
  'BAD_LENGTH',
  'TRUNCATED',
  'BAD_COUNT',
]);

/** What a list ends at too early. */
const BREAKS: ReadonlySet<string> = new Set(['ABSENT', 'LOOP', 'LIMIT', 'TRUNCATED']);

const ofLuo = (issues: readonly HandoverIssue[]): HandoverIssue[] =>
  issues.filter((issue) => issue.part === 'consumer' && issue.consumer === 'LUO' && !isOfFile(issue));

/**
 * A block of sessions that cannot be right is found while the kernel starts, all else when /dev/liveupdate is opened. Strings
 * are compared up to their NUL; of objects only the name, data and count of those that somebody looks for matter. A version that differs is told by
 * blob-version. A session
 * without files is no error, whatever it counts (docs/kernel-judged.md).
 */
function effectOf({ path = '', message }: HandoverIssue): KernelEffect {
  if (/\.flbs_pa\b/.test(path)) return 'silent';
  if (/^\/LUO\.(?:liveupdate_num|compatible)$/.test(path) || /zeros after the first NUL/.test(message))
    return 'none';
  if (/\.sessions\[\d+\]$/.test(path)) return /found files 0x0,/.test(message) ? 'file-fails' : 'open-fails';
  return path.includes('files') ? 'open-fails' : 'panic';
}

/** Bytes of an object in the list, luo_flb_ser, and of what stands before the first one. */
const OBJECT = 64n;
const OBJECTS_HEADER = 16n;

/**
 * Whether a kernel that looks for the objects of its own tests leaves memory: it goes through as many as are counted until it
 * finds the name (luo_flb_retrieve_one()). Kernels that are not built for tests look for none.
 */
function isSearchedBeyond({ memory }: Handover, { address }: HandoverIssue): boolean {
  const page = address === undefined ? undefined : memoryOf(memory)(address & ~0xfffn, 4096);
  if (address === undefined || page === undefined) return false;
  const count = new DataView(page.buffer, page.byteOffset, page.length).getBigUint64(8, true);
  const end = (address & ~0xfffn) + OBJECTS_HEADER + count * OBJECT;
  let last = 0n;
  for (const range of memory.ranges()) last = range.end > last ? range.end : last;
  const text = decodeLatin1(page);
  return end > last && luoTestFlb.versions.some(({ key }) => !text.includes(`${key}\0`));
}

/** Names and such, of which no two may be equal. */
function tellTwins<T>(
  items: readonly T[],
  keyOf: (item: T) => string | bigint,
  twin: (item: T, first: T) => void,
): void {
  const first = new Map<string | bigint, T>();
  for (const item of items) {
    const before = first.get(keyOf(item));
    if (before === undefined) first.set(keyOf(item), item);
    else twin(item, before);
  }
}

/** Rules for LUO. */
export const luoRules: readonly Rule[] = [
  {
    id: 'luo-chain',
    family: 'luo',
    severity: 'error',
    title: 'Lists of blocks end, and no block is in two of them',
    why: 'The kernel looks for loops and follows 10,000 blocks at most: it panics on a loop of sessions, and gives up all sessions on a loop of files.',
    source: `${LUO}; include/linux/kho/abi/block.h`,
    effect: 'panic',
    needs: [],
    check: (handover, tell) => {
      for (const issue of ofLuo(handover.issues))
        if (issue.code === 'LOOP' || issue.code === 'LIMIT')
          tell(
            issue.message,
            { path: issue.path, address: issue.address, other: issue.otherAddress },
            { effect: effectOf(issue) },
          );
    },
  },
  {
    id: 'luo-values',
    family: 'luo',
    severity: 'error',
    title: 'Blocks, sessions and files keep the rules of their layout',
    why: 'A count of 0 or more than a block has room for stops the kernel. A session without a name is taken, and nobody can retrieve it.',
    source: `${LUO}; luo.md section 1`,
    effect: 'panic',
    needs: [],
    check: (handover, tell) => {
      for (const issue of ofLuo(handover.issues)) {
        if (!VALUES.has(issue.code) || (isOfBlob(issue) && issue.code === 'TRUNCATED')) continue;
        // Told by rules of their own, over all blocks of a list; there is one list of objects only.
        const isObject = /\bflbs\[\d+\]\.name$/.test(issue.path ?? '');
        if (!isObject && /^expected (?:a value that \[|\d+ elements in the list)/.test(issue.message))
          continue;
        const isNameless = /sessions\[\d+\]\.name$/.test(issue.path ?? '');
        const isEndless =
          /\.flbs_pa\.(?:count|flbs)$/.test(issue.path ?? '') && isSearchedBeyond(handover, issue);
        const effect = isNameless ? 'silent' : isEndless ? 'oops' : effectOf(issue);
        tell(
          issue.message,
          { path: issue.path, address: issue.address, other: issue.otherAddress },
          { effect },
        );
      }
    },
  },
  {
    id: 'luo-leftover',
    family: 'luo',
    severity: 'warning',
    title: 'Behind the entries that a block counts there is nothing',
    why: 'Blocks are made of zeros and filled once. Bytes behind the last entry are entries that a damaged count cuts off: the kernel loses those sessions without a message.',
    source: `${LUO}; kho_block_set, kernel/liveupdate/kho_block.c`,
    effect: 'silent',
    needs: ['luo'],
    check: (handover, tell) => {
      for (const { layout, value, path, address } of handover.consumer('LUO')?.reached ?? []) {
        if (layout?.kind !== 'struct' || !isRecord(value) || !(value['tail'] instanceof Uint8Array)) continue;
        const first = value['tail'].findIndex((byte) => byte !== 0);
        const start = (layout.size ?? 0) - value['tail'].length;
        const message = `expected nothing behind the ${value['count']} entries of the ${layout.name}, found bytes in use`;
        tell(message, { path: `${path}.tail`, address: address + BigInt(start + first), other: address });
      }
    },
  },
  {
    id: 'luo-file-count',
    family: 'luo',
    severity: 'error',
    title: 'A session has as many files as it says',
    why: 'The kernel adds up the blocks and refuses a session whose count differs, and with it all sessions: opening /dev/liveupdate fails.',
    source: LUO,
    effect: 'open-fails',
    needs: ['luo'],
    check: ({ sessions, partial, issues }, tell) => {
      if (partial) return;
      // A list that breaks off is told where it does.
      const broken = issues.filter(({ code }) => BREAKS.has(code)).map(({ path = '' }) => path);
      for (const { name, files, declaredFiles, filesAddress, address, path } of sessions) {
        if (BigInt(files.length) === declaredFiles) continue;
        if (broken.some((each) => each.startsWith(`${path}.files`))) continue;
        const message = `expected ${declaredFiles} files in session "${quoteName(name)}", found ${files.length} in its list at ${formatHex(filesAddress)}`;
        const effect = filesAddress === 0n ? 'file-fails' : 'open-fails';
        tell(message, { path: `${path}.count`, address, other: filesAddress }, { effect });
      }
    },
  },
  {
    id: 'luo-session-names',
    family: 'luo',
    severity: 'error',
    title: 'No two sessions have one name',
    why: 'Sessions are retrieved by name. The kernel refuses a second one of a name, and gives up all sessions.',
    source: `${LUO}: -EEXIST`,
    effect: 'open-fails',
    needs: ['luo'],
    check: ({ sessions }, tell) => {
      tellTwins(
        sessions,
        ({ name }) => name,
        ({ name, address, path }, first) => {
          const message = `expected one session "${quoteName(name)}", found another at ${formatHex(first.address)}`;
          tell(message, { path: `${path}.name`, address, other: first.address });
        },
      );
    },
  },
  {
    id: 'luo-tokens',
    family: 'luo',
    severity: 'error',
    title: 'No two files of a session have one token',
    why: 'Files are retrieved by token: the second one cannot be, and whoever asks for the token that it had is told that there is no such file.',
    source: `${LUO}: -EEXIST`,
    effect: 'file-fails',
    needs: ['luo'],
    check: ({ sessions }, tell) => {
      for (const { name, files } of sessions) {
        tellTwins(
          files,
          ({ token }) => token,
          ({ token, address, path }, first) => {
            const message = `expected one file of token ${formatHex(token)} in session "${quoteName(name)}", found another at ${formatHex(first.address)}`;
            tell(message, { path: `${path}.token`, address, other: first.address });
          },
        );
      }
    },
  },
  {
    id: 'luo-handlers',
    family: 'luo',
    severity: 'error',
    title: 'Files and objects are of kinds that are known',
    why: 'A kernel without the handler of one file gives up all sessions when /dev/liveupdate is opened. What an unknown handler keeps is not checked.',
    source: `${LUO}: -ENOENT`,
    effect: 'open-fails',
    needs: [],
    check: (handover, tell) =>
      tellIssues(
        handover.issues.filter(
          ({ part, consumer, code, path }) =>
            part === 'consumer' && consumer === 'LUO' && code === 'NO_LAYOUT' && path !== '/LUO',
        ),
        tell,
        // Objects that nobody looks for are passed over.
        ({ path = '' }) => (/\.flbs_pa\b/.test(path) ? 'silent' : undefined),
      ),
  },
  {
    id: 'luo-file-data',
    family: 'luo',
    severity: 'error',
    title: 'No two files keep their state in one place',
    why: 'The first one that is retrieved takes it and frees it.',
    source: 'mm/memfd_luo.c, Linux 7.3.4',
    effect: 'corrupt',
    needs: ['luo'],
    check: ({ sessions }, tell) => {
      tellTwins(
        sessions
          .flatMap(({ files }) => files)
          .filter(({ data, state }) => data !== 0n && state !== undefined),
        ({ data }) => data,
        ({ data, address, path }, first) => {
          const message = `expected state of its own, found ${formatHex(data)}, which the file at ${formatHex(first.address)} leads to as well`;
          tell(message, { path: `${path}.data`, address, other: first.address });
        },
      );
    },
  },
  {
    id: 'luo-flb-count',
    family: 'luo',
    severity: 'error',
    title: 'No object depends on more files than there are',
    why: 'The object lives until as many files have been finished: with too many it is never given up.',
    source: 'kernel/liveupdate/luo_flb.c, Linux 7.3.4',
    effect: 'silent',
    needs: ['luo', 'complete'],
    check: ({ luo }, tell) => {
      const files = luo?.sessions.reduce((sum, session) => sum + session.files.length, 0) ?? 0;
      for (const { name, dependents, address, path } of luo?.flbs ?? []) {
        if (dependents <= BigInt(files)) continue;
        const message = `expected at most ${files} files to depend on "${quoteName(name)}", found ${dependents}`;
        tell(message, { path: `${path}.count`, address });
      }
    },
  },
];
