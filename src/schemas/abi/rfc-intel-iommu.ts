// SPDX-License-Identifier: Apache-2.0
// The intel-iommu driver in the RFC of 2024, <20240916113102.710522-1-jgowans@amazon.com>: what patch 09 writes into the
// one tree of KHO's 2023 form. PCI segments, hardware units, domain ids and root tables are not saved.
import { family, version } from '../lang/family.js';
import { decimal, each, node } from '../lang/node.js';
import { pointer, s32, u8, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';

/**
 * An element of a domain's `mem`: the kho_mem of KHO's 2023 form, here always one page. The kernel had room for 256 of
 * them and did not look.
 */
export const dmarDomainMem = struct(
  'kho_mem',
  {
    addr: pointer(
      { to: 'memory', length: 'len' },
      { doc: 'a page of page tables, or, by a mistake of the RFC, of data', nullable: false, align: 4096 },
    ),
    len: u64({ doc: 'size of the page', unit: 'bytes', oneOf: [4096n] }),
  },
  { doc: 'A preserved page.', packed: false },
);

/** A device that is attached to a domain; its PCI segment is not saved. */
export const dmarDomainDevice = node({
  doc: 'A device that is attached to the domain.',
  properties: {
    bus: u8({ doc: 'PCI bus' }),
    devfn: u8({ doc: 'PCI device << 3 | function' }),
  },
});

/** dmar_domain: an IOMMU domain with its page tables and devices. */
export const dmarDomain = node({
  doc: 'A persistent IOMMU domain (dmar_domain).',
  properties: {
    mem: array(dmarDomainMem, 'rest', { doc: 'what its page tables take, as far as the RFC finds it' }),
    persistent_id: u64({ doc: 'id of the iommufd that it belongs to', min: 1n, max: 0xffff_ffffn }),
    pgd: pointer({ to: 'memory' }, { doc: 'top page table', nullable: false, align: 4096 }),
    agaw: s32({
      doc: 'adjusted guest address width: 2 more levels of page tables than this number',
      oneOf: [1n, 2n, 3n],
      names: { '39 bits, 3 levels': 1n, '48 bits, 4 levels': 2n, '57 bits, 5 levels': 3n },
    }),
  },
  children: {
    devices: node({
      doc: 'Its devices.',
      each: each(
        'devices',
        decimal({ min: 0, max: 0x7fff_ffff, doc: 'position in a list' }),
        dmarDomainDevice,
      ),
    }),
  },
  rules: [{ rule: 'equals-name', fields: ['persistent_id'], doc: 'persistent_id is the name of the node' }],
});

/** intel-iommu-v0: the node `/intel-iommu`. */
export const intelIommuV0 = node({
  doc: 'State of the intel-iommu driver.',
  compatible: 'intel-iommu-v0',
  children: {
    domains: node({
      doc: 'All persistent domains.',
      each: each(
        'domains',
        decimal({ min: 1, max: 0xffff_ffff, doc: 'persistent id of the domain' }),
        dmarDomain,
      ),
    }),
  },
});

/** The node `/intel-iommu`; the RFC's reader takes it as it is, `compatible` and lengths unseen. */
export const rfcIntelIommu = family({
  name: 'rfc-intel-iommu',
  doc: 'Persistent IOMMU domains in the RFC of 2024.',
  key: { by: 'compatible' },
  mismatch: 'ignored',
  versions: [
    version({
      key: 'intel-iommu-v0',
      layout: intelIommuV0,
      status: 'rfc',
      source:
        'drivers/iommu/intel/serialise.c of <20240916113102.710522-10-jgowans@amazon.com>, on <20240117144704.602-1-graf@amazon.com>',
      notes: 'save_pte_pages() is off by one level: mem lists data pages and leaves out page tables.',
    }),
  ],
});
