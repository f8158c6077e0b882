// SPDX-License-Identifier: Apache-2.0
// Which kernel handed over. Linux 7.1 to 7.3: include/linux/kho/abi/kexec_metadata.h.
import { family, version } from '../lang/family.js';
import { chars, u32 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';

/** kexec-metadata version 1. */
export const kexecMetadataV1 = struct(
  'kho_kexec_metadata',
  {
    version: u32({ doc: 'version of this struct', oneOf: [1n] }),
    previous_release: chars(65, { doc: 'release of the kernel that handed over' }),
    kexec_count: u32({ doc: 'handovers since the last cold boot', min: 1n }),
  },
  { doc: 'Which kernel handed over, and how often that has happened.' },
);

/** The kexec-metadata blob. */
export const kexecMetadata = family({
  name: 'kexec-metadata',
  doc: 'Which kernel handed over, and how often that has happened.',
  key: { by: 'u32', offset: 0 },
  mismatch: 'ignored',
  lookup: { group: 'kho-subtree', name: 'kexec-metadata' },
  versions: [
    version({
      key: '1',
      name: 'kexec-metadata-v1',
      layout: kexecMetadataV1,
      status: 'merged',
      first: '7.1',
      source: 'include/linux/kho/abi/kexec_metadata.h, Linux 7.2.6 and 7.3.4; introduced in the 7.1 cycle',
    }),
  ],
});
