// SPDX-License-Identifier: Apache-2.0
// State of the live update orchestrator, written in the form of each version.
import { luoFileBlock, luoSessionBlock, luoV5 } from '../schemas/abi/luo.js';
import {
  LUO_FILE_ARRAY_CAPACITY,
  LUO_SESSION_ARRAY_CAPACITY,
  luoArraySessionBlock,
  luoFileArray,
  luoSessionArray,
  luoV2State,
  luoV3,
  luoV4,
} from '../schemas/abi/luo-arrays.js';
import { luoFlbPage } from '../schemas/abi/luo-entries.js';
import { luoV1, luoV1Plain, luoV2 } from '../schemas/abi/luo-fdt.js';
import { PAGE_SIZE } from '../schemas/abi/page.js';
import { encode, encodeUnchecked } from '../schemas/lang/encode.js';
import type { Layout } from '../schemas/lang/type.js';
import { writeBlocks } from '../schemas/steps/luo-lists.js';
import { BuildError } from './build-error.js';
import type { HandoverSpace } from './handover-space.js';

/** A file of a session: a LUO entry with what its handler keeps already in memory. */
export interface PlannedFile {
  /** Version string of the handler. */
  readonly compatible: string;
  /** Physical address of what the handler keeps, or a value of its own. */
  readonly data: bigint;
  readonly token: bigint;
}

/** A session with its files, in the order in which they were preserved. */
export interface PlannedSession {
  readonly name: string;
  readonly files: readonly PlannedFile[];
}

/** A file-lifecycle-bound object. */
export interface PlannedObject {
  readonly name: string;
  readonly data: bigint;
  /** Files that depend on it. */
  readonly count: bigint;
}

/** All that LUO hands over. */
export interface LuoPlan {
  /** Live updates so far, this one included. */
  readonly number: bigint;
  readonly sessions: readonly PlannedSession[];
  readonly objects: readonly PlannedObject[];
}

/** How much a version of LUO holds. */
export interface LuoLimits {
  readonly sessions: number;
  readonly files: number;
  readonly objects: number;
}

const MAX_BLOCKS = 10_000;
const SESSIONS_IN_BLOCK = 51;
const FILES_IN_BLOCK = 63;
const MAX_OBJECTS = 63;

/** Which lists a version keeps as one array; the others are linked blocks. */
const FORMS: ReadonlyMap<Layout, { readonly sessions: boolean; readonly files: boolean }> = new Map<
  Layout,
  { readonly sessions: boolean; readonly files: boolean }
>([
  [luoV1Plain, { sessions: true, files: true }],
  [luoV1, { sessions: true, files: true }],
  [luoV2, { sessions: true, files: true }],
  [luoV3, { sessions: true, files: true }],
  [luoV4, { sessions: false, files: true }],
  [luoV5, { sessions: false, files: false }],
]);

function formOf(layout: Layout): { readonly sessions: boolean; readonly files: boolean } {
  const form = FORMS.get(layout);
  if (form !== undefined) return form;
  throw new BuildError({ code: 'LIMIT', message: 'LUO is not written in this form', path: 'LUO' });
}

/**
 * How much a version of LUO holds.
 *
 * @throws BuildError LIMIT for a layout that is no version of LUO with sessions
 */
export function luoLimits(layout: Layout): LuoLimits {
  const { sessions, files } = formOf(layout);
  return {
    sessions: sessions ? LUO_SESSION_ARRAY_CAPACITY : MAX_BLOCKS * SESSIONS_IN_BLOCK,
    files: files ? LUO_FILE_ARRAY_CAPACITY : MAX_BLOCKS * FILES_IN_BLOCK,
    objects: layout === luoV1Plain ? 0 : MAX_OBJECTS,
  };
}

/**
 * Writes LUO's lists and its blob into preserved pages (kernel/liveupdate/luo_{core,session,file,flb}.c, Linux 6.19 to
 * 7.3.4).
 *
 * @param layout - of a version of LUO
 * @returns where the blob is, and its size in bytes
 * @throws BuildError LIMIT for more sessions, files or objects than the version holds; NO_ROOM
 * @throws SchemaError for a name that is too long
 */
export function writeLuo(
  layout: Layout,
  state: LuoPlan,
  space: HandoverSpace,
): { readonly address: bigint; readonly size: number } {
  const form = formOf(layout);
  const limits = luoLimits(layout);
  requireAtMost('sessions', state.sessions.length, limits.sessions);
  requireAtMost('objects', state.objects.length, limits.objects);
  const sessions = state.sessions.map(({ name, files }, index) => {
    requireAtMost(`sessions[${index}].files`, files.length, limits.files);
    return { name, files: writeFiles(files, form.files, space), count: BigInt(files.length) };
  });
  const header = writeSessions(sessions, form, space);
  const objects = limits.objects === 0 ? 0n : writeObjects(state.objects, space);
  const blob = encodeUnchecked(layout, blobValue(layout, state.number, header, objects, space));
  // The FDT has a page; a packed struct has what it takes.
  const size = layout.kind === 'node' ? PAGE_SIZE : blob.length;
  return { address: space.keep(blob, size), size: blob.length };
}

function requireAtMost(path: string, count: number, limit: number): void {
  if (count <= limit) return;
  throw new BuildError({ code: 'LIMIT', message: `expected at most ${limit}, found ${count}`, path });
}

function writeFiles(files: readonly PlannedFile[], asArray: boolean, space: HandoverSpace): bigint {
  if (files.length === 0) return 0n;
  if (asArray) return space.keep(encode(luoFileArray, files), 2 * PAGE_SIZE);
  return writeBlocks(files, FILES_IN_BLOCK, (some, next) =>
    space.keep(encode(luoFileBlock, { next, count: BigInt(some.length), files: some })),
  );
}

function writeSessions(
  sessions: readonly { readonly name: string; readonly files: bigint; readonly count: bigint }[],
  form: { readonly sessions: boolean; readonly files: boolean },
  space: HandoverSpace,
): bigint {
  if (form.sessions) return space.keep(encode(luoSessionArray, { count: BigInt(sessions.length), sessions }));
  const block = form.files ? luoArraySessionBlock : luoSessionBlock;
  return writeBlocks(sessions, SESSIONS_IN_BLOCK, (some, next) =>
    space.keep(encodeUnchecked(block, { next, count: BigInt(some.length), sessions: some })),
  );
}

/** The page of objects is there even without any. */
function writeObjects(objects: readonly PlannedObject[], space: HandoverSpace): bigint {
  return space.keep(encode(luoFlbPage, { pgcnt: 1n, count: BigInt(objects.length), flbs: objects }));
}

function blobValue(
  layout: Layout,
  liveupdate_num: bigint,
  sessions_pa: bigint,
  flbs_pa: bigint,
  space: HandoverSpace,
): unknown {
  const state = { liveupdate_num, sessions_pa, flbs_pa };
  switch (layout) {
    case luoV1Plain:
    case luoV1:
      return {
        compatible: 'luo-v1',
        'liveupdate-number': liveupdate_num,
        'luo-session': { compatible: 'luo-session-v2', 'luo-session-header': sessions_pa },
        'luo-flb': { compatible: 'luo-flb-v1', 'luo-flb-header': flbs_pa },
      };
    case luoV2:
      return { compatible: 'luo-v2', 'luo-abi-header': space.keep(encode(luoV2State, state)) };
    case luoV3:
      return { compatible: 'luo-v3', ...state };
    case luoV4:
      return { compatible: 'luo-v4', ...state };
    default:
      return { compatible: 'luo-v5', ...state };
  }
}
