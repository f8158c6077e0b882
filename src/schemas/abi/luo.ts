// SPDX-License-Identifier: Apache-2.0
// The live update orchestrator (LUO): sessions, the files in them, and objects bound to files (FLB).
// Linux 6.19 to 7.3: include/linux/kho/abi/{luo,block}.h, kernel/liveupdate/.
import { family, version } from '../lang/family.js';
import { chars, link, pointer, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { PAGE_SIZE } from './page.js';

/** One file of a session, the same in all versions. */
export const luoFile = struct(
  'luo_file_ser',
  {
    compatible: chars(48, { doc: 'version string of the handler', nonEmpty: true }),
    data: pointer({ to: 'lookup', group: 'luo-file', key: 'compatible' }, { doc: 'what the handler keeps' }),
    token: u64({ doc: 'token that user space gave the file' }),
  },
  { doc: 'A preserved file.' },
);

/** The pointer to the next block of a list (`kho_block`), and how many entries this one holds. */
const nextBlock = link({ doc: 'the next block', align: PAGE_SIZE });
const capacity = (entry: number): bigint => BigInt(Math.floor((PAGE_SIZE - 16) / entry));

/** luo-v5: a block of files. */
export const luoFileBlock = struct(
  'luo_file_block',
  {
    next: nextBlock,
    count: u64({ doc: 'files in this block', min: 1n, max: capacity(64) }),
    files: array(luoFile, { field: 'count' }, { unique: 'token' }),
    tail: unused('rest'),
  },
  {
    doc: 'A kho_block of files, in the order in which they were preserved.',
    size: PAGE_SIZE,
    align: PAGE_SIZE,
  },
);

/** luo-v5: one session. */
export const luoSession = struct(
  'luo_session_ser',
  {
    name: chars(64, { doc: 'name of the session', nonEmpty: true }),
    files: pointer(
      { to: 'layout', layout: luoFileBlock, total: 'count' },
      { doc: 'files of the session', align: PAGE_SIZE },
    ),
    count: u64({ doc: 'number of files' }),
  },
  {
    doc: 'A preserved session.',
    rules: [{ rule: 'zero-together', fields: ['files', 'count'], doc: 'files exactly when count is not 0' }],
  },
);

/** luo-v4 on: a block of sessions. */
export const luoSessionBlock = struct(
  'luo_session_block',
  {
    next: nextBlock,
    count: u64({ doc: 'sessions in this block', min: 1n, max: capacity(80) }),
    sessions: array(luoSession, { field: 'count' }, { unique: 'name' }),
    tail: unused('rest'),
  },
  { doc: 'A kho_block of sessions.', size: PAGE_SIZE, align: PAGE_SIZE },
);

/** One object bound to the life of files. */
export const luoFlb = struct(
  'luo_flb_ser',
  {
    name: chars(48, { doc: 'version string of the object', nonEmpty: true }),
    data: pointer({ to: 'lookup', group: 'luo-flb', key: 'name' }, { doc: 'what its owner keeps' }),
    count: u64({ doc: 'files that depend on it', min: 1n }),
  },
  { doc: 'A preserved object that files depend on (file-lifecycle-bound).' },
);

/** The page of those objects. */
export const luoFlbPage = struct(
  'luo_flb_header_ser',
  {
    pgcnt: u64({ doc: 'size of this array', unit: 'pages', oneOf: [1n] }),
    count: u64({ doc: 'objects in it', max: capacity(64) }),
    flbs: array(luoFlb, { field: 'count' }, { unique: 'name' }),
    tail: unused('rest'),
  },
  { doc: 'All preserved file-lifecycle-bound objects.', size: PAGE_SIZE, align: PAGE_SIZE },
);

/** luo-v5: the blob. */
export const luoV5 = struct(
  'luo_ser',
  {
    compatible: chars(8, { doc: 'version string, compared over all 8 bytes', constant: 'luo-v5' }),
    liveupdate_num: u64({ doc: 'live updates so far, this one included', min: 1n }),
    sessions_pa: pointer({ to: 'layout', layout: luoSessionBlock }, { doc: 'sessions', align: PAGE_SIZE }),
    flbs_pa: pointer(
      { to: 'layout', layout: luoFlbPage },
      { doc: 'file-lifecycle-bound objects', align: PAGE_SIZE },
    ),
  },
  { doc: 'State of the live update orchestrator.' },
);

/** The LUO blob. */
export const luo = family({
  name: 'luo',
  doc: 'State of the live update orchestrator.',
  key: { by: 'chars', offset: 0, length: 8 },
  mismatch: 'panic',
  lookup: { group: 'kho-subtree', name: 'LUO' },
  versions: [
    version({
      key: 'luo-v5',
      layout: luoV5,
      status: 'merged',
      first: '7.2',
      source: 'include/linux/kho/abi/luo.h, commit 1d1153097f4d; Linux 7.2.6 and 7.3.4',
    }),
  ],
});
