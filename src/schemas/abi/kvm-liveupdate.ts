// SPDX-License-Identifier: Apache-2.0
// Preserved virtual machines and their guest_memfd files. Never merged up to Linux 7.3: include/linux/kho/abi/kvm.h.
import { family, version } from '../lang/family.js';
import { bits, part, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';
import { vmallocOf } from './kho-vmalloc.js';

const SERIES = '[PATCH v4 00/11] liveupdate: kvm: Guest_memfd preservation';
const type = u64({ doc: 'type that KVM_CREATE_VM was given' });

/** kvm_vm_luo_v1 with the type alone. */
export const kvmVmPlain = struct('kvm_luo_ser', { type }, { doc: 'A preserved virtual machine.' });

/** Attributes of one guest page. */
export const kvmMemoryAttribute = struct(
  'kvm_mem_attr',
  {
    gfn: u64({ doc: 'guest frame number' }),
    attributes: u64({ doc: 'attributes of the page, as KVM_SET_MEMORY_ATTRIBUTES sets them' }),
  },
  { doc: 'Attributes of a guest page.' },
);

/** kvm_vm_luo_v1 with attributes of memory. */
export const kvmVmAttributes = struct(
  'kvm_luo_ser',
  {
    type,
    nr_mem_attrs: u64({ doc: 'number of pages with attributes' }),
    mem_attrs: vmallocOf(kvmMemoryAttribute, 'nr_mem_attrs', { doc: 'attributes of pages' }),
  },
  { doc: 'A preserved virtual machine.' },
);

/** One folio of a guest_memfd. */
export const guestMemfdFolio = struct(
  'guest_memfd_luo_folio_ser',
  {
    folio: bits(64, {
      pfn: part(52, { doc: 'page frame number of the folio' }),
      flags: part(12, { doc: 'state of the folio', flags: { UPTODATE: 1n }, mask: 1n }),
    }),
    index: u64({ doc: 'position in the file', unit: 'pages' }),
  },
  { doc: 'A folio of a guest_memfd.' },
);

/** guest_memfd_luo_v1. */
export const guestMemfdV1 = struct(
  'guest_memfd_luo_ser',
  {
    size: u64({ doc: 'size of the file', unit: 'bytes' }),
    flags: u64({ doc: 'how the file was made', flags: { MMAP: 1n, INIT_SHARED: 2n }, mask: 3n }),
    nr_folios: u64({ doc: 'number of folios' }),
    vm_token: u64({ doc: 'LUO token of its virtual machine' }),
    folios: vmallocOf(guestMemfdFolio, 'nr_folios', { doc: 'folios of the file' }),
  },
  { doc: 'A preserved guest_memfd.' },
);

/** What the LUO entry of a virtual machine leads to. */
export const kvmVmLiveupdate = family({
  name: 'kvm-vm-liveupdate',
  doc: 'A preserved virtual machine.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [
    version({
      key: 'kvm_vm_luo_v1',
      variant: 'plain',
      layout: kvmVmPlain,
      status: 'list',
      source: SERIES,
    }),
    version({
      key: 'kvm_vm_luo_v1',
      variant: 'attributes',
      layout: kvmVmAttributes,
      status: 'list',
      source: SERIES,
      notes: 'Other trees have pointers of their own after the type; those forms are not declared.',
    }),
  ],
});

/** What the LUO entry of a guest_memfd leads to. */
export const guestMemfdLiveupdate = family({
  name: 'guest-memfd-liveupdate',
  doc: 'A preserved guest_memfd.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [version({ key: 'guest_memfd_luo_v1', layout: guestMemfdV1, status: 'list', source: SERIES })],
});
