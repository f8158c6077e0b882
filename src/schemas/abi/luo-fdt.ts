// SPDX-License-Identifier: Apache-2.0
// LUO blobs that are FDTs: luo-v1 of Linux 6.19 to 7.1, luo-v2 of the 7.2 cycle.
// include/linux/kho/abi/luo.h, kernel/liveupdate/luo_{core,session,flb}.c.
import { node } from '../lang/node.js';
import { pointer, u64 } from '../lang/scalar.js';
import { luoSessionArray, luoSessionArrayUnnamed, luoV2State } from './luo-arrays.js';
import { luoFlbPage } from './luo-entries.js';
import { PAGE_SIZE } from './page.js';

const properties = {
  'liveupdate-number': u64({ doc: 'live updates so far, this one included', min: 1n }),
};

/** The node of the sessions; its string is luo-session-v2, whatever the prose of the header says. */
const sessionNode = (sessions: typeof luoSessionArray) =>
  node({
    doc: 'Sessions.',
    compatible: 'luo-session-v2',
    properties: {
      'luo-session-header': pointer(
        { to: 'layout', layout: sessions },
        { doc: 'the sessions', nullable: false, align: PAGE_SIZE },
      ),
    },
  });

/** luo-v1 of Linux 6.19. */
export const luoV1Plain = node({
  doc: 'State of the live update orchestrator.',
  compatible: 'luo-v1',
  properties,
  children: { 'luo-session': sessionNode(luoSessionArrayUnnamed) },
});

/** luo-v1 of Linux 7.0 and 7.1, with file-lifecycle-bound objects. */
export const luoV1 = node({
  doc: 'State of the live update orchestrator.',
  compatible: 'luo-v1',
  properties,
  children: {
    'luo-session': sessionNode(luoSessionArray),
    'luo-flb': node({
      doc: 'File-lifecycle-bound objects.',
      compatible: 'luo-flb-v1',
      properties: {
        'luo-flb-header': pointer(
          { to: 'layout', layout: luoFlbPage },
          { doc: 'the objects', nullable: false, align: PAGE_SIZE },
        ),
      },
    }),
  },
});

/** luo-v2: an FDT around an address. */
export const luoV2 = node({
  doc: 'State of the live update orchestrator.',
  compatible: 'luo-v2',
  properties: {
    'luo-abi-header': pointer({ to: 'layout', layout: luoV2State }, { doc: 'the state', nullable: false }),
  },
});
