// SPDX-License-Identifier: Apache-2.0
// What a VFIO device file keeps. Never merged up to Linux 7.3: include/linux/kho/abi/vfio_pci.h.
import { family, version } from '../lang/family.js';
import { bytes, u8, u16, u32 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';

const NAME = 'vfio_pci_core_device_ser';
const DOC = 'A preserved VFIO PCI device.';
const bdf = u16({ doc: 'bus << 8 | devfn' });
const domain = u16({ doc: 'PCI segment' });
const resetWorks = u8({ doc: '1 when the device can be reset', max: 1n });

/** A: the whole configuration space, as the RFC had it. */
export const vfioPciA = struct(
  NAME,
  {
    bdf,
    cfg_size: u32({ doc: 'size of its configuration space', unit: 'bytes', max: 4096n }),
    pci_config_map: bytes(4096, 'which capability each byte of configuration space belongs to'),
    vconfig: bytes(4096, 'configuration space as its user sees it'),
    rbar: array(u32(), 7, { doc: 'base address registers as its user wrote them' }),
    reset_works: resetWorks,
  },
  { doc: DOC },
);

/** B: which device it is. */
export const vfioPciB = struct(NAME, { bdf, domain }, { doc: DOC });

/** C: and whether it can be reset. */
export const vfioPciC = struct(NAME, { bdf, domain, reset_works: resetWorks }, { doc: DOC });

/** D: and the iommufd file it is bound to. */
export const vfioPciD = struct(
  NAME,
  {
    bdf,
    domain,
    reset_works: resetWorks,
    iommufd_ser: struct('vfio_iommufd_ser', { token: u32({ doc: 'LUO token of its iommufd file' }) }),
  },
  { doc: DOC },
);

/** E: which device it is, segments of 32 bits. */
export const vfioPciE = struct(NAME, { domain: u32({ doc: 'PCI segment' }), bdf }, { doc: DOC });

/** What the LUO entry of a VFIO device file leads to. */
export const vfioPciLiveupdate = family({
  name: 'vfio-pci-liveupdate',
  doc: 'A preserved VFIO PCI device file.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [
    version({
      key: 'vfio-pci-v1',
      variant: 'A',
      layout: vfioPciA,
      status: 'rfc',
      source: 'drivers/vfio/pci/vfio_pci_liveupdate.c at the end of the RFC of 2025',
      notes: 'Earlier patches of that series have only the first of these fields.',
    }),
    version({
      key: 'vfio-pci-v1',
      variant: 'B',
      layout: vfioPciB,
      status: 'list',
      source: 'include/linux/kho/abi/vfio_pci.h, early 2026',
    }),
    version({
      key: 'vfio-pci-v1',
      variant: 'C',
      layout: vfioPciC,
      status: 'list',
      source: 'include/linux/kho/abi/vfio_pci.h, early 2026, later in the series',
    }),
    version({
      key: 'vfio-pci-v1',
      variant: 'D',
      layout: vfioPciD,
      status: 'list',
      source: 'include/linux/kho/abi/vfio_pci.h, early 2026, with the IOMMU series',
    }),
    version({
      key: 'vfio-pci-v1',
      variant: 'E',
      layout: vfioPciE,
      status: 'list',
      source: '<20260323235817.1960573-8-dmatlack@google.com>',
      notes: 'What later patches of that series add is not known.',
    }),
  ],
});
