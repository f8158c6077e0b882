// SPDX-License-Identifier: Apache-2.0
// The live update orchestrator (LUO), all versions; here the layouts of luo-v5, of Linux 7.2 and 7.3.
// Sources: include/linux/kho/abi/{luo,block}.h, kernel/liveupdate/.
import { family, version } from '../lang/family.js';
import { chars, link, pointer, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { luoV3, luoV4 } from './luo-arrays.js';
import { luoFile, luoFlbPage } from './luo-entries.js';
import { luoV1, luoV1Plain, luoV2 } from './luo-fdt.js';
import { PAGE_SIZE } from './page.js';

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
  key: { by: 'chars', offset: 0, length: 8, orCompatible: true },
  mismatch: 'panic',
  lookup: { group: 'kho-subtree', name: 'LUO' },
  versions: [
    version({
      key: 'luo-v1',
      variant: 'plain',
      layout: luoV1Plain,
      status: 'merged',
      first: '6.19',
      last: '6.19',
      source: 'include/linux/kho/abi/luo.h, commit cc4adab164b7',
      notes: 'Kernels of variant flb fail to start LUO on it: they want the node luo-flb.',
    }),
    version({
      key: 'luo-v1',
      variant: 'flb',
      layout: luoV1,
      status: 'merged',
      first: '7.0',
      last: '7.1',
      source: 'include/linux/kho/abi/luo.h, commit cab056f2aae7',
      notes: 'First release inferred from dates of commits. The string was not changed when luo-flb came.',
    }),
    version({
      key: 'luo-v2',
      layout: luoV2,
      status: 'unreleased',
      source:
        '<20260603154402.468928-1-pasha.tatashin@soleen.com>, "centralize state management into struct luo_ser"',
      notes: 'Between commits of the 7.2 cycle; list trees of May 2026 number otherwise.',
    }),
    version({
      key: 'luo-v3',
      layout: luoV3,
      status: 'unreleased',
      source: '<20260603154402.468928-1-pasha.tatashin@soleen.com>, "register luo_ser as KHO subtree"',
      notes: 'Between commits of the 7.2 cycle; list trees of May 2026 number otherwise.',
    }),
    version({
      key: 'luo-v4',
      layout: luoV4,
      status: 'unreleased',
      source: '<20260603154402.468928-1-pasha.tatashin@soleen.com>, "Remove limit on the number of sessions"',
      notes: 'Between commits of the 7.2 cycle; list trees of May 2026 number otherwise.',
    }),
    version({
      key: 'luo-v5',
      layout: luoV5,
      status: 'merged',
      first: '7.2',
      source: 'include/linux/kho/abi/luo.h, commit 1d1153097f4d; Linux 7.2.6 and 7.3.4',
    }),
  ],
});
