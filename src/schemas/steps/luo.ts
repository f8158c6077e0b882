// SPDX-License-Identifier: Apache-2.0
// LUO state from version to version, sessions and lists of files included. Blobs of files are not touched: theirs are
// steps of their own families.
import { luoSessionBlock, luoV5 } from '../abi/luo.js';
import {
  LUO_FILE_ARRAY_CAPACITY,
  LUO_SESSION_ARRAY_CAPACITY,
  luoArraySessionBlock,
  luoSessionArray,
  luoV2State,
  luoV3,
  luoV4,
} from '../abi/luo-arrays.js';
import { luoFlbPage } from '../abi/luo-entries.js';
import { luoV1, luoV1Plain, luoV2 } from '../abi/luo-fdt.js';
import { type Step, type StepMemory, step } from '../lang/step.js';
import { readBlocks, requireRoom, sessionWithArray, sessionWithBlocks, writeBlocks } from './luo-lists.js';

const SESSIONS_IN_BLOCK = 51;
const NO_SESSIONS = { count: 0n, sessions: [] };
const NO_OBJECTS = { pgcnt: 1n, count: 0n, flbs: [] };
const SESSION_LIMIT = `at most ${LUO_SESSION_ARRAY_CAPACITY} sessions`;
const FILE_LIMIT = `at most ${LUO_FILE_ARRAY_CAPACITY} files in a session`;

/** Addresses that luo-v1 must have: where later versions say 0 for nothing, an empty list is written. */
const sessionsOr = (address: bigint, memory: StepMemory): bigint =>
  address === 0n ? memory.write(luoSessionArray, NO_SESSIONS) : address;
const objectsOr = (address: bigint, memory: StepMemory): bigint =>
  address === 0n ? memory.write(luoFlbPage, NO_OBJECTS) : address;

const blobSteps: readonly Step[] = [
  step(luoV1Plain, luoV1, {
    lossless: true,
    doc: 'The node luo-flb comes in, with an empty page of objects.',
    convert: ({ compatible, ...rest }, memory) => ({
      compatible,
      ...rest,
      'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': memory.write(luoFlbPage, NO_OBJECTS) },
    }),
  }),
  step(luoV1, luoV1Plain, {
    lossless: false,
    doc: 'File-lifecycle-bound objects are dropped. (Linux 6.19 takes a blob that has them: it does not look at the node.)',
    convert: ({ 'luo-flb': _, ...rest }) => rest,
  }),
  step(luoV1, luoV2, {
    lossless: true,
    doc: 'Number and addresses move to a struct that the FDT leads to; sessions and objects stay where they are.',
    convert: (value, memory) => ({
      compatible: 'luo-v2',
      'luo-abi-header': memory.write(luoV2State, {
        liveupdate_num: value['liveupdate-number'],
        sessions_pa: value['luo-session']['luo-session-header'],
        flbs_pa: value['luo-flb']['luo-flb-header'],
      }),
    }),
  }),
  step(luoV2, luoV1, {
    lossless: true,
    doc: 'Number and addresses move to properties; sessions and objects stay where they are.',
    convert: (value, memory) => {
      const { liveupdate_num, sessions_pa, flbs_pa } = memory.read(luoV2State, value['luo-abi-header']);
      return {
        compatible: 'luo-v1',
        'liveupdate-number': liveupdate_num,
        'luo-session': {
          compatible: 'luo-session-v2',
          'luo-session-header': sessionsOr(sessions_pa, memory),
        },
        'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': objectsOr(flbs_pa, memory) },
      };
    },
  }),
  step(luoV2, luoV3, {
    lossless: true,
    doc: 'The struct becomes the blob, with the version string in front.',
    convert: (value, memory) => ({
      compatible: 'luo-v3',
      ...memory.read(luoV2State, value['luo-abi-header']),
    }),
  }),
  step(luoV3, luoV2, {
    lossless: true,
    doc: 'The struct moves behind an FDT.',
    convert: ({ compatible: _, ...state }, memory) => ({
      compatible: 'luo-v2',
      'luo-abi-header': memory.write(luoV2State, state),
    }),
  }),
];

const listSteps: readonly Step[] = [
  step(luoV3, luoV4, {
    lossless: true,
    doc: 'The array of sessions becomes linked blocks.',
    convert: ({ liveupdate_num, sessions_pa, flbs_pa }, memory) => {
      const { sessions } = sessions_pa === 0n ? { sessions: [] } : memory.read(luoSessionArray, sessions_pa);
      const first = writeBlocks(sessions, SESSIONS_IN_BLOCK, (some, next) =>
        memory.write(luoArraySessionBlock, { next, count: BigInt(some.length), sessions: some }),
      );
      return { compatible: 'luo-v4', liveupdate_num, sessions_pa: first, flbs_pa };
    },
  }),
  step(luoV4, luoV3, {
    lossless: true,
    doc: 'Linked blocks of sessions become one array.',
    limit: SESSION_LIMIT,
    convert: ({ liveupdate_num, sessions_pa, flbs_pa }, memory) => {
      const blocks = readBlocks(sessions_pa, (address) => memory.read(luoArraySessionBlock, address));
      const sessions = blocks.flatMap((block) => block.sessions);
      requireRoom('sessions_pa', sessions.length, LUO_SESSION_ARRAY_CAPACITY);
      const array = memory.write(luoSessionArray, { count: BigInt(sessions.length), sessions });
      return { compatible: 'luo-v3', liveupdate_num, sessions_pa: array, flbs_pa };
    },
  }),
  step(luoV4, luoV5, {
    lossless: true,
    doc: 'The array of files of each session becomes linked blocks.',
    convert: ({ liveupdate_num, sessions_pa, flbs_pa }, memory) => {
      const blocks = readBlocks(sessions_pa, (address) => memory.read(luoArraySessionBlock, address));
      const sessions = blocks.flatMap((block) => block.sessions);
      const first = writeBlocks(
        sessions.map((session) => sessionWithBlocks(session, memory)),
        SESSIONS_IN_BLOCK,
        (some, next) => memory.write(luoSessionBlock, { next, count: BigInt(some.length), sessions: some }),
      );
      return { compatible: 'luo-v5', liveupdate_num, sessions_pa: first, flbs_pa };
    },
  }),
  step(luoV5, luoV4, {
    lossless: true,
    doc: 'The linked blocks of files of each session become one array.',
    limit: FILE_LIMIT,
    convert: ({ liveupdate_num, sessions_pa, flbs_pa }, memory) => {
      const blocks = readBlocks(sessions_pa, (address) => memory.read(luoSessionBlock, address));
      const sessions = blocks.flatMap((block) => block.sessions);
      const first = writeBlocks(
        sessions.map((session) => sessionWithArray(session, memory)),
        SESSIONS_IN_BLOCK,
        (some, next) =>
          memory.write(luoArraySessionBlock, { next, count: BigInt(some.length), sessions: some }),
      );
      return { compatible: 'luo-v4', liveupdate_num, sessions_pa: first, flbs_pa };
    },
  }),
];

/** Steps between the versions of LUO, oldest first. */
export const luoSteps: readonly Step[] = [...blobSteps, ...listSteps];
