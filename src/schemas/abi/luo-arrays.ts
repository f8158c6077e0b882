// SPDX-License-Identifier: Apache-2.0
// LUO before its lists had no limits: files in one array a session (luo-v1 to v4), sessions in one array (luo-v1 to v3).
// Linux 6.19 to 7.1 and the 7.2 cycle: include/linux/kho/abi/luo.h, kernel/liveupdate/luo_{session,file}.c.
import { chars, link, pointer, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { luoFile, luoFlbPage } from './luo-entries.js';
import { PAGE_SIZE } from './page.js';

/** Most files of a session: what two pages hold. */
export const LUO_FILE_ARRAY_CAPACITY = 128;
/** Most sessions: what 16 pages hold behind the count. */
export const LUO_SESSION_ARRAY_CAPACITY = 819;

/** The files of a session; the session counts them. */
export const luoFileArray = array(luoFile, 'rest', {
  doc: 'files of a session, in the order in which they were preserved',
  unique: 'token',
});

const sessionOf = (nonEmpty: boolean) =>
  struct(
    'luo_session_ser',
    {
      name: chars(64, { doc: 'name of the session', nonEmpty }),
      files: pointer(
        { to: 'layout', layout: luoFileArray, elements: 'count' },
        { doc: 'files of the session, two pages', align: PAGE_SIZE },
      ),
      count: u64({ doc: 'number of files', max: BigInt(LUO_FILE_ARRAY_CAPACITY) }),
    },
    {
      doc: 'A preserved session.',
      rules: [{ rule: 'zero-when', when: 'files', fields: ['count'], doc: 'count is 0 where files is' }],
    },
  );

/** A session as luo-v1 to v4 have it. */
export const luoArraySession = sessionOf(true);

const sessionArrayOf = (session: typeof luoArraySession) =>
  struct(
    'luo_session_header_ser',
    {
      count: u64({ doc: 'number of sessions', max: BigInt(LUO_SESSION_ARRAY_CAPACITY) }),
      sessions: array(session, { field: 'count' }, { unique: 'name' }),
      tail: unused('rest'),
    },
    { doc: 'All sessions.', size: 16 * PAGE_SIZE, align: PAGE_SIZE },
  );

/** The sessions of luo-v1 to v3. */
export const luoSessionArray = sessionArrayOf(luoArraySession);
/** The same of Linux 6.19, which took sessions without a name. */
export const luoSessionArrayUnnamed = sessionArrayOf(sessionOf(false));

/** luo-v4: a block of sessions. */
export const luoArraySessionBlock = struct(
  'luo_session_block',
  {
    next: link({ doc: 'the next block', align: PAGE_SIZE }),
    count: u64({ doc: 'sessions in this block', min: 1n, max: 51n }),
    sessions: array(luoArraySession, { field: 'count' }, { unique: 'name' }),
    tail: unused('rest'),
  },
  { doc: 'A kho_block of sessions.', size: PAGE_SIZE, align: PAGE_SIZE },
);

const liveupdateNum = u64({ doc: 'live updates so far, this one included', min: 1n });
const sessionsPa = pointer({ to: 'layout', layout: luoSessionArray }, { doc: 'sessions', align: PAGE_SIZE });
const flbsPa = pointer(
  { to: 'layout', layout: luoFlbPage },
  { doc: 'file-lifecycle-bound objects', align: PAGE_SIZE },
);
const STATE = 'State of the live update orchestrator.';
const VERSION = 'version string, compared over all 8 bytes';

/** luo-v2: what the FDT leads to. */
export const luoV2State = struct(
  'luo_ser',
  { liveupdate_num: liveupdateNum, sessions_pa: sessionsPa, flbs_pa: flbsPa },
  { doc: STATE },
);

/** luo-v3: the blob. */
export const luoV3 = struct(
  'luo_ser',
  {
    compatible: chars(8, { doc: VERSION, constant: 'luo-v3' }),
    liveupdate_num: liveupdateNum,
    sessions_pa: sessionsPa,
    flbs_pa: flbsPa,
  },
  { doc: STATE },
);

/** luo-v4: the blob. */
export const luoV4 = struct(
  'luo_ser',
  {
    compatible: chars(8, { doc: VERSION, constant: 'luo-v4' }),
    liveupdate_num: liveupdateNum,
    sessions_pa: pointer(
      { to: 'layout', layout: luoArraySessionBlock },
      { doc: 'sessions', align: PAGE_SIZE },
    ),
    flbs_pa: flbsPa,
  },
  { doc: STATE },
);
