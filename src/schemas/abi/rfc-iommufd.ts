// SPDX-License-Identifier: Apache-2.0
// iommufd in the RFC of 2024, <20240916113102.710522-1-jgowans@amazon.com>: what patch 05 (serialise_iommufd) writes into
// the one tree of KHO's 2023 form. User addresses, page tables (HWPTs) and devices are not saved.
import { family, version } from '../lang/family.js';
import { decimal, each, node } from '../lang/node.js';
import { s32, u64 } from '../lang/scalar.js';

/**
 * An area: a range of IOVAs that is mapped. An IOAS without a domain takes ranges of any alignment, so that there is no
 * rule for it; neither is there one for areas that overlap, or run past the last IOVA: verification looks for those.
 */
export const rfcIoptArea = node({
  doc: 'A mapped range of IOVAs.',
  properties: {
    'iova-start': u64({ doc: 'first IOVA' }),
    'iova-len': u64({ doc: 'size of the range', unit: 'bytes', min: 1n }),
    'iommu-prot': s32({
      doc: 'what devices may do there',
      flags: { READ: 1n, WRITE: 2n, CACHE: 4n, NOEXEC: 8n, MMIO: 16n, PRIV: 32n },
      mask: 0x3fn,
    }),
  },
});

/** An I/O address space with its areas, by ascending IOVA. */
export const rfcIoas = node({
  doc: 'An I/O address space.',
  each: each(
    'areas',
    decimal({ min: 0, max: 0x7fff_ffff, doc: 'position of the area, from 0 in each IOAS' }),
    rfcIoptArea,
  ),
});

/** A persistent iommufd with its address spaces. */
export const rfcIommufdContext = node({
  doc: 'A persistent iommufd.',
  children: {
    ioases: node({
      doc: 'Its I/O address spaces.',
      each: each(
        'ioases',
        decimal({ min: 1, max: 0x7fff_ffff, doc: 'object id in the old kernel; the new one gives others' }),
        rfcIoas,
      ),
    }),
  },
});

/** iommufd-v0: the node `/iommufd`. */
export const iommufdV0 = node({
  doc: 'State of iommufd.',
  compatible: 'iommufd-v0',
  children: {
    iommufds: node({
      doc: 'All persistent iommufds.',
      each: each(
        'iommufds',
        decimal({ min: 1, max: 0xffff_ffff, doc: 'id that user space gave the iommufd' }),
        rfcIommufdContext,
      ),
    }),
  },
});

/** The node `/iommufd`; the RFC's reader takes it as it is, `compatible` unseen. */
export const rfcIommufd = family({
  name: 'rfc-iommufd',
  doc: 'Persistent iommufds in the RFC of 2024.',
  key: { by: 'compatible' },
  mismatch: 'ignored',
  versions: [
    version({
      key: 'iommufd-v0',
      layout: iommufdV0,
      status: 'rfc',
      source:
        'drivers/iommu/iommufd/serialise.c of <20240916113102.710522-6-jgowans@amazon.com>, on <20240117144704.602-1-graf@amazon.com>',
      notes: 'Comments of the source promise account_mode and areas nodes that the code does not write.',
    }),
  ],
});
