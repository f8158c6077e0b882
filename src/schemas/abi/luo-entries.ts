// SPDX-License-Identifier: Apache-2.0
// What LUO keeps in all its versions alike: files, and objects bound to files (FLB). How they are strung together is in
// luo.ts and luo-arrays.ts. Linux 6.19 to 7.3: include/linux/kho/abi/luo.h.
import { chars, pointer, u64, unused } from '../lang/scalar.js';
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
    count: u64({ doc: 'objects in it', max: 63n }),
    flbs: array(luoFlb, { field: 'count' }, { unique: 'name' }),
    tail: unused('rest'),
  },
  { doc: 'All preserved file-lifecycle-bound objects.', size: PAGE_SIZE, align: PAGE_SIZE },
);
