// SPDX-License-Identifier: Apache-2.0
// How the next kernel finds a handover on x86, and the memory it may use meanwhile.
// Linux 6.16 to 7.3: arch/x86/include/uapi/asm/setup_data.h, kernel/liveupdate/kexec_handover.c.
import { family, version } from '../lang/family.js';
import { pointer, u32, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { setupDataKho2023 } from './kho-2023.js';
import { PAGE_SIZE } from './page.js';

/** One scratch region: memory that holds nothing preserved, in which the next kernel boots. */
export const khoScratch = struct(
  'kho_scratch',
  {
    addr: pointer({ to: 'memory', length: 'size' }, { doc: 'first byte', align: PAGE_SIZE }),
    size: u64({ doc: 'size of the region', unit: 'bytes', multipleOf: BigInt(PAGE_SIZE) }),
  },
  { doc: 'A region in which the next kernel boots.', packed: false },
);

/** All scratch regions: low memory, global, then one a NUMA node that has memory. */
export const khoScratchArray = array(khoScratch, 'rest', { doc: 'low memory, global, then one a NUMA node' });

/** The x86 setup_data node of type 10 with its kho_data. */
export const setupDataKho = struct(
  'setup_data_kho',
  {
    next: pointer({ to: 'memory' }, { doc: 'the next setup_data, of any type' }),
    type: u32({ doc: 'SETUP_KEXEC_KHO', oneOf: [10n] }),
    len: u32({ doc: 'size of what follows', unit: 'bytes', oneOf: [32n] }),
    fdt_addr: pointer(
      { to: 'lookup', group: 'kho-root', length: 'fdt_size' },
      { doc: 'root FDT', nullable: false, align: PAGE_SIZE },
    ),
    fdt_size: u64({ doc: 'size of its buffer, always a page', unit: 'bytes', multipleOf: BigInt(PAGE_SIZE) }),
    scratch_addr: pointer(
      { to: 'layout', layout: khoScratchArray, length: 'scratch_size' },
      { doc: 'scratch regions', nullable: false },
    ),
    scratch_size: u64({ doc: 'size of that array', unit: 'bytes', multipleOf: 16n }),
  },
  { doc: 'How an x86 kernel finds a handover.', packed: false },
);

/** The x86 entry point: setup_data of type 10, told apart by its length. */
export const khoSetupData = family({
  name: 'setup-data-kho',
  doc: 'How an x86 kernel finds a handover: setup_data of type 10.',
  key: { by: 'u32', offset: 12 },
  mismatch: 'ignored',
  versions: [
    version({
      key: '48',
      name: 'setup-data-kho-48',
      layout: setupDataKho2023,
      status: 'rfc',
      source: '<20240117144704.602-1-graf@amazon.com>',
    }),
    version({
      key: '32',
      name: 'setup-data-kho-32',
      layout: setupDataKho,
      status: 'merged',
      first: '6.16',
      source: 'arch/x86/include/uapi/asm/setup_data.h, Linux 6.16 to 7.3.4',
    }),
  ],
});
