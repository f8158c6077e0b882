// SPDX-License-Identifier: Apache-2.0
// Objects that kernels built with CONFIG_LIVEUPDATE_TEST keep. Linux 7.0 to 7.3: lib/tests/liveupdate.c.
import { family, version } from '../lang/family.js';
import { u64 } from '../lang/scalar.js';

const MAGIC = 0xfeed_f00d_cafe_bee0n;

const testFlb = (index: 0 | 1 | 2) =>
  version({
    key: `liveupdate-test-flb-v${index}`,
    layout: u64({
      doc: 'a number to be found again, in place of an address',
      oneOf: [MAGIC + BigInt(index)],
    }),
    status: 'merged',
    first: '7.0',
    source: 'lib/tests/liveupdate.c, Linux 7.3.4',
    notes: 'First release inferred, as that of luo-flb.',
  });

/** What the kernel's own test keeps: numbers, not addresses. */
export const luoTestFlb = family({
  name: 'liveupdate-test-flb',
  doc: 'Numbers that the kernel keeps to test live update.',
  key: { by: 'name' },
  mismatch: 'ignored',
  lookup: { group: 'luo-flb', inline: true },
  versions: [testFlb(0), testFlb(1), testFlb(2)],
});
