// SPDX-License-Identifier: Apache-2.0
// Changes to the sessions of the live update orchestrator, and to how many files they have.
import { encodeUnchecked } from '../../schemas/lang/encode.js';
import { sizeOf } from '../../schemas/lang/size.js';
import {
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  numberOf,
  put,
  type Site,
  sibling,
  twins,
} from '../image-operator.js';
import type { Spot } from '../spots.js';

const LUO = ['luo'];
const SESSION_LISTS = ['luo_session_block', 'luo_session_header_ser'];
const SESSION_BLOCK = ['luo_session_block'];
const FILE_BLOCK = ['luo_file_block'];
const SESSION = ['luo_session_ser'];

/** Blocks of a list that kernels follow (KHO_MAX_BLOCKS). */
const MOST_BLOCKS = 10_000;

/** Page frame from 64 MiB on, where made-up handovers have nothing. */
const FREE_PAGES = 0x4000;

/** How many entries the list that a count is of has room for. */
function capacityOf(spot: Spot, { bench }: Site): bigint {
  const [record, room] = FILE_BLOCK.includes(spot.holder) ? [64n, 4080n] : [80n, 4080n];
  const layout = bench.handover
    .consumer('LUO')
    ?.reached.find(({ address, layout: own }) => address === spot.block && own?.kind === 'struct')?.layout;
  const size = layout?.kind === 'struct' ? BigInt(sizeOf(layout) ?? 4096) : 4096n;
  return size === 4096n ? room / record : (size - 8n) / record;
}

/** Leads a session to the files of another. */
function sharedFiles(site: Site): Change | undefined {
  const lists = site.bench.fields(SESSION, 'files').filter(({ value }) => value !== 0n);
  const spot = site.random.pick(lists.slice(1));
  const [first] = lists;
  return spot && first && put(site, spot, first.value);
}

/** Whether sessions must have names: Linux 6.19 took those without. */
const areNamed = ({ bench }: Site): boolean =>
  bench.fields(SESSION, 'name').every(({ type }) => type.kind === 'chars' && type.nonEmpty);

/** The pointers to a session's files, of sessions that have some. */
const hasFiles = (_: bigint, spot: Spot, site: Site): boolean =>
  numberOf(sibling(site, spot, 'files')?.value) !== 0n;

/** Changes to sessions. */
export const luoSessionOperators: readonly ImageOperator[] = [
  {
    id: 'session-block-empty',
    family: 'counts',
    doc: 'a block of sessions counts none',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'panic',
    apply: inField(SESSION_BLOCK, 'count', () => 0n),
  },
  {
    id: 'session-count-overflow',
    family: 'counts',
    doc: 'a list of sessions counts more than it has room for',
    on: LUO,
    rules: ['luo-values'],
    effect: 'panic',
    apply: inField(SESSION_LISTS, 'count', (_, spot, site) =>
      site.random.pick([capacityOf(spot, site) + 1n, 0xffff_ffffn, (1n << 64n) - 1n, 1n << 59n]),
    ),
  },
  {
    id: 'session-count-plus-one',
    family: 'counts',
    doc: 'a list of sessions counts one more than it has',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(SESSION_LISTS, 'count', (old, spot, site) =>
      old < capacityOf(spot, site) && areNamed(site) ? old + 1n : undefined,
    ),
  },
  {
    id: 'session-count-plus-two',
    family: 'counts',
    doc: 'a list of sessions counts two more than it has: both are nameless',
    on: LUO,
    rules: ['luo-values', 'luo-session-names'],
    codes: ['BAD_VALUE'],
    effect: 'open-fails',
    apply: inField(SESSION_LISTS, 'count', (old, spot, site) =>
      old + 1n < capacityOf(spot, site) && areNamed(site) ? old + 2n : undefined,
    ),
  },
  {
    id: 'session-count-minus-one',
    family: 'counts',
    doc: 'a list of sessions counts one less than it has',
    on: LUO,
    rules: ['luo-leftover'],
    effect: 'silent',
    apply: inField(SESSION_LISTS, 'count', (old) => (old > 1n ? old - 1n : undefined)),
  },
  {
    id: 'session-chain-cyclic',
    family: 'chains',
    doc: 'a block of sessions leads to itself or to one before it',
    on: LUO,
    rules: ['luo-chain'],
    codes: ['LOOP'],
    effect: 'panic',
    apply: (site) => {
      const links = site.bench.fields(SESSION_BLOCK, 'next');
      const chosen = site.random.pick(links);
      const first = links[0];
      return chosen && first && put(site, chosen, site.random.below(2) === 0 ? first.block : chosen.block);
    },
  },
  {
    id: 'session-chain-beyond-memory',
    family: 'chains',
    doc: 'a block of sessions leads beyond memory',
    on: LUO,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(SESSION_BLOCK, 'next', () => BEYOND),
  },
  {
    id: 'session-chain-cut',
    family: 'chains',
    doc: 'a block of sessions no longer leads to the next one',
    on: LUO,
    rules: ['preserved-reached'],
    effect: 'silent',
    apply: inField(SESSION_BLOCK, 'next', (old) => (old === 0n ? undefined : 0n)),
  },
  {
    id: 'session-chain-endless',
    family: 'limits',
    doc: 'the list of sessions has more blocks than kernels follow',
    on: LUO,
    rules: ['luo-chain'],
    codes: ['LIMIT'],
    effect: 'panic',
    apply: (site) => {
      const last = site.bench.fields(SESSION_BLOCK, 'next').find(({ value }) => value === 0n);
      const block = site.bench.handover
        .consumer('LUO')
        ?.reached.find(({ address }) => address === last?.block);
      if (last === undefined || block?.layout === undefined) return undefined;
      for (let index = 0; index < MOST_BLOCKS; index++) {
        const next = index + 1 < MOST_BLOCKS ? BigInt(FREE_PAGES + index + 1) << 12n : 0n;
        const sessions = [{ name: `more-${index}`, files: 0n, count: 0n }];
        site.store.putPage(FREE_PAGES + index, encodeUnchecked(block.layout, { next, count: 1n, sessions }));
      }
      return put(site, last, BigInt(FREE_PAGES) << 12n);
    },
  },
  {
    id: 'session-nameless',
    family: 'names',
    doc: 'a session has no name',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(SESSION, 'name', (_, { type }) =>
      type.kind === 'chars' && type.nonEmpty ? '' : undefined,
    ),
  },
  {
    id: 'session-name-unterminated',
    family: 'text',
    doc: 'the name of a session has no NUL behind it',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(SESSION, 'name', (_, { value, length }) => String(value).padEnd(length, 'x')),
  },
  {
    id: 'session-name-twice',
    family: 'names',
    doc: 'two sessions have one name',
    on: LUO,
    rules: ['luo-session-names'],
    codes: ['BAD_VALUE'],
    effect: 'open-fails',
    apply: twins(SESSION, 'name'),
  },
  {
    id: 'file-count-plus-one',
    family: 'counts',
    doc: 'a session counts one file more than its list has',
    on: LUO,
    rules: ['luo-file-count'],
    codes: ['BAD_COUNT'],
    effect: 'open-fails',
    apply: inField(SESSION, 'count', (old, spot, site) =>
      hasFiles(old, spot, site) && site.bench.fields(FILE_BLOCK, 'count').length > 0 ? old + 1n : undefined,
    ),
  },
  {
    id: 'file-count-minus-one',
    family: 'counts',
    doc: 'a session counts one file less than its list has',
    on: LUO,
    rules: ['luo-file-count'],
    codes: ['BAD_COUNT'],
    effect: 'open-fails',
    apply: inField(SESSION, 'count', (old, _, site) =>
      old > 1n && site.bench.fields(FILE_BLOCK, 'count').length > 0 ? old - 1n : undefined,
    ),
  },
  {
    id: 'file-count-overflow',
    family: 'counts',
    doc: 'a session counts more files than any list holds',
    on: LUO,
    rules: ['luo-file-count'],
    codes: ['BAD_COUNT'],
    effect: 'open-fails',
    apply: inField(SESSION, 'count', (old, spot, site) =>
      hasFiles(old, spot, site) && site.bench.fields(FILE_BLOCK, 'count').length > 0
        ? site.random.pick([1n << 32n, (1n << 64n) - 1n, 1n << 58n])
        : undefined,
    ),
  },
  {
    id: 'session-files-null',
    family: 'pointers',
    doc: 'a session counts files, and its pointer to them is 0',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'file-fails',
    apply: inField(SESSION, 'files', (old) => (old === 0n ? undefined : 0n)),
  },
  {
    id: 'session-files-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the files of a session leads beyond memory',
    on: LUO,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(SESSION, 'files', (old) => (old === 0n ? undefined : BEYOND)),
  },
  {
    id: 'session-files-shared',
    family: 'pointers',
    doc: 'two sessions have one list of files',
    on: LUO,
    rules: ['luo-chain'],
    codes: ['LOOP'],
    effect: 'open-fails',
    apply: (site) => {
      if (site.bench.fields(FILE_BLOCK, 'count').length === 0) return undefined;
      return sharedFiles(site);
    },
  },
  {
    id: 'session-array-shared',
    family: 'pointers',
    doc: 'two sessions have one array of files',
    on: LUO,
    rules: ['preserved-reached'],
    effect: 'corrupt',
    apply: (site) => (site.bench.fields(FILE_BLOCK, 'count').length > 0 ? undefined : sharedFiles(site)),
  },
];
