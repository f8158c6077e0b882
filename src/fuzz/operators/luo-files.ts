// SPDX-License-Identifier: Apache-2.0
// Changes to files of sessions, and to objects bound to files.
import { luoTestFlb } from '../../schemas/abi/luo-test-flb.js';
import { BEYOND, type ImageOperator, inField, put, twins } from '../image-operator.js';

const LUO = ['luo'];
const FILE_BLOCK = ['luo_file_block'];
const FILE = ['luo_file_ser'];
const FLB = ['luo_flb_ser'];

/** Changes to files and objects. */
export const luoFileOperators: readonly ImageOperator[] = [
  {
    id: 'file-block-empty',
    family: 'counts',
    doc: 'a block of files counts none',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'open-fails',
    apply: inField(FILE_BLOCK, 'count', () => 0n),
  },
  {
    id: 'file-block-overflow',
    family: 'counts',
    doc: 'a block of files counts more than it has room for',
    on: LUO,
    rules: ['luo-values'],
    effect: 'open-fails',
    apply: inField(FILE_BLOCK, 'count', (_, __, { random }) =>
      random.pick([64n, 0xffff_ffffn, (1n << 64n) - 1n, 1n << 58n]),
    ),
  },
  {
    id: 'file-block-minus-one',
    family: 'counts',
    doc: 'a block of files counts one less than it has',
    on: LUO,
    rules: ['luo-leftover', 'luo-file-count'],
    codes: ['BAD_COUNT'],
    effect: 'open-fails',
    apply: inField(FILE_BLOCK, 'count', (old) => (old > 1n ? old - 1n : undefined)),
  },
  {
    id: 'file-chain-cyclic',
    family: 'chains',
    doc: 'a block of files leads to itself',
    on: LUO,
    rules: ['luo-chain'],
    codes: ['LOOP'],
    effect: 'open-fails',
    apply: inField(FILE_BLOCK, 'next', (_, { block }) => block),
  },
  {
    id: 'file-chain-crossed',
    family: 'chains',
    doc: 'the list of files of a session goes on in that of another',
    on: LUO,
    rules: ['luo-chain'],
    codes: ['LOOP'],
    effect: 'open-fails',
    apply: (site) => {
      const links = site.bench.fields(FILE_BLOCK, 'next').filter(({ value }) => value === 0n);
      const first = links[0];
      const spot = site.random.pick(links.slice(1));
      // From the list that comes later to an earlier one, which is then reached twice.
      return first && spot && put(site, spot, first.block);
    },
  },
  {
    id: 'file-handler-unknown',
    family: 'names',
    doc: 'a file is of a kind that no kernel knows',
    on: LUO,
    rules: ['luo-handlers'],
    codes: ['NO_LAYOUT'],
    effect: 'open-fails',
    apply: inField(FILE, 'compatible', (_, { value }, { random }) =>
      random.pick(['floppy-v1', `${String(value).replace(/v\d+$/, '')}v99`, 'pipe-v1']),
    ),
  },
  {
    id: 'file-handler-empty',
    family: 'names',
    doc: 'a file does not say of what kind it is',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'open-fails',
    apply: inField(FILE, 'compatible', () => ''),
  },
  {
    id: 'file-handler-unterminated',
    family: 'text',
    doc: 'the string that says of what kind a file is has no NUL behind it',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'open-fails',
    apply: inField(FILE, 'compatible', (_, { value, length }) => String(value).padEnd(length, '1')),
  },
  {
    id: 'file-handler-tail',
    family: 'text',
    doc: 'there are bytes behind the NUL of the string that says of what kind a file is',
    on: LUO,
    rules: ['luo-values'],
    codes: ['NOT_ZERO'],
    effect: 'none',
    apply: inField(FILE, 'compatible', (_, { value }) => `${value}\0tail`),
  },
  {
    id: 'file-version-other',
    family: 'versions',
    doc: 'a memfd carries the version string of another release',
    on: [...LUO, 'memfd'],
    rules: ['version-release'],
    effect: 'open-fails',
    apply: inField(FILE, 'compatible', (_, { value }, { bench }) => {
      if (bench.handover.metadata === undefined) return undefined;
      return value === 'memfd-v2' ? 'memfd-v1' : value === 'memfd-v1' ? 'memfd-v2' : undefined;
    }),
  },
  {
    id: 'file-token-twice',
    family: 'tokens',
    doc: 'two files of a session have one token',
    on: LUO,
    rules: ['luo-tokens'],
    codes: ['BAD_VALUE'],
    effect: 'file-fails',
    apply: twins(FILE, 'token'),
  },
  {
    id: 'file-data-shared',
    family: 'pointers',
    doc: 'two files keep their state in one place',
    on: LUO,
    rules: ['luo-file-data'],
    effect: 'corrupt',
    apply: twins(FILE, 'data'),
  },
  {
    id: 'file-data-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the state of a file leads beyond memory',
    on: LUO,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(FILE, 'data', () => BEYOND),
  },
  {
    id: 'file-data-null',
    family: 'pointers',
    doc: 'the pointer to the state of a file is 0',
    on: LUO,
    rules: ['preserved-reached'],
    effect: 'silent',
    apply: inField(FILE, 'data', () => 0n),
  },
  {
    id: 'object-count-overflow',
    family: 'counts',
    doc: 'an object depends on more files than there are',
    on: LUO,
    rules: ['luo-flb-count'],
    effect: 'silent',
    apply: inField(FLB, 'count', (old, _, { random }) => random.pick([old + 1n, (1n << 64n) - 1n])),
  },
  {
    id: 'object-count-zero',
    family: 'counts',
    doc: 'no file depends on an object',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(FLB, 'count', () => 0n),
  },
  {
    id: 'object-name-twice',
    family: 'names',
    doc: 'two objects have one name',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: twins(FLB, 'name'),
  },
  {
    id: 'object-unknown',
    family: 'names',
    doc: 'an object is of a kind that no kernel knows',
    on: LUO,
    rules: ['luo-handlers'],
    codes: ['NO_LAYOUT'],
    effect: 'silent',
    apply: inField(FLB, 'name', () => 'no-such-object-v1'),
  },
  {
    id: 'object-list-pages',
    family: 'counts',
    doc: 'the list of objects has another number of pages than one',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(['luo_flb_header_ser'], 'pgcnt', (_, __, { random }) => random.pick([0n, 2n, 1n << 52n])),
  },
  {
    id: 'object-list-overflow',
    family: 'counts',
    doc: 'the list of objects counts a few more than it has room for',
    on: LUO,
    rules: ['luo-values'],
    effect: 'silent',
    apply: inField(['luo_flb_header_ser'], 'count', (_, __, { random }) => 64n + BigInt(random.below(64))),
  },
  {
    id: 'object-list-endless',
    family: 'counts',
    doc: 'the list of objects counts more than memory holds, and lacks one that a kernel built for tests looks for',
    on: LUO,
    rules: ['luo-values'],
    effect: 'oops',
    apply: inField(['luo_flb_header_ser'], 'count', (_, __, { bench, random }) => {
      const names = new Set(bench.handover.luo?.flbs.map(({ name }) => name));
      return luoTestFlb.versions.every(({ key }) => names.has(key))
        ? undefined
        : random.pick([1n << 32n, (1n << 64n) - 1n]);
    }),
  },
];
