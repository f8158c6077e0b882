// SPDX-License-Identifier: Apache-2.0
// KHO before it was merged (A. Graf, v1 to v3, 2023-12 to 2024-01, <20240117144704.602-1-graf@amazon.com>): one FDT holds
// the state of all subsystems, and preserved memory is listed in `mem` properties of any node.
import { node, optional } from '../lang/node.js';
import { pointer, u32, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { intelIommuV0 } from './rfc-intel-iommu.js';
import { iommufdV0 } from './rfc-iommufd.js';

/** A run of preserved memory. */
export const khoMem = struct(
  'kho_mem',
  {
    addr: pointer(
      { to: 'memory', length: 'len' },
      { doc: 'first byte; bit 0 set for memory without struct pages', flags: { NOINIT: 1n } },
    ),
    len: u64({ doc: 'size of the run', unit: 'bytes' }),
  },
  { doc: 'A run of preserved memory.', packed: false },
);

/** Property `mem`, also the whole cache of all `mem` properties. */
export const khoMemArray = array(khoMem, 'rest', { doc: 'preserved memory' });

/** The root in that form, with the nodes of the RFC of 2024 in the order in which their drivers start. */
export const khoRootV1Tree = node({
  doc: 'Root of a handover, 2023 form: the nodes of all subsystems are in it.',
  compatible: 'kho-v1',
  children: { 'intel-iommu': optional(intelIommuV0), iommufd: optional(iommufdV0) },
});

/** The x86 setup_data node in that form. */
export const setupDataKho2023 = struct(
  'setup_data_kho',
  {
    next: pointer({ to: 'memory' }, { doc: 'the next setup_data, of any type' }),
    type: u32({ doc: 'SETUP_KEXEC_KHO', oneOf: [10n] }),
    len: u32({ doc: 'size of what follows', unit: 'bytes', oneOf: [48n] }),
    dt_addr: pointer(
      { to: 'lookup', group: 'kho-root', length: 'dt_size' },
      { doc: 'root FDT', nullable: false },
    ),
    dt_size: u64({ doc: 'size of the FDT', unit: 'bytes' }),
    scratch_addr: pointer(
      { to: 'memory', length: 'scratch_size' },
      { doc: 'the scratch region', nullable: false },
    ),
    scratch_size: u64({ doc: 'its size', unit: 'bytes' }),
    mem_cache_addr: pointer(
      { to: 'layout', layout: khoMemArray, length: 'mem_cache_size' },
      { doc: 'all preserved memory, by address, neighbours joined' },
    ),
    mem_cache_size: u64({ doc: 'size of that array', unit: 'bytes', multipleOf: 16n }),
  },
  { doc: 'How an x86 kernel finds a handover, 2023 form.', packed: false },
);
