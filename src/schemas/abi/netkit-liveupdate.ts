// SPDX-License-Identifier: Apache-2.0
// Preserved netkit devices, as one fork has them. Never merged.
import { family, version } from '../lang/family.js';
import { bytes, chars, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';

/** netkit-v1. */
export const netkitV1 = struct(
  'netkit_ser',
  {
    cnt: u64({ doc: 'number of devices', max: 16n }),
    names: array(chars(16), 16, { doc: 'names of the devices' }),
    modes: bytes(256, '16 bytes a device that tell its mode'),
  },
  { doc: 'Preserved netkit devices.' },
);

/** Preserved netkit devices; whether files or objects lead there is not known, so that only its name does. */
export const netkitLiveupdate = family({
  name: 'netkit-liveupdate',
  doc: 'Preserved netkit devices.',
  key: { by: 'name' },
  mismatch: 'ignored',
  versions: [version({ key: 'netkit-v1', layout: netkitV1, status: 'list', source: 'fork of Zhu Yanjun' })],
});
