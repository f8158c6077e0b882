// SPDX-License-Identifier: Apache-2.0
// Arguments of the ioctls that bring a VFIO device to an iommufd: include/uapi/linux/vfio.h, Linux 7.3.4.
import { s32, u32, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';

const C = { packed: false } as const;

const argsz = u32({ doc: 'size of what user space passes', unit: 'bytes' });
const pasidFlags = u32({ doc: 'what is passed', flags: { PASID: 1n }, mask: 1n });

/** VFIO_DEVICE_BIND_IOMMUFD. */
export const vfioDeviceBindIommufd = struct(
  'vfio_device_bind_iommufd',
  {
    argsz,
    flags: u32({ doc: 'what is passed', flags: { TOKEN: 1n }, mask: 1n }),
    iommufd: s32({ doc: 'descriptor of the iommufd' }),
    out_devid: u32({ doc: 'object id of the device' }),
    token_uuid_ptr: u64({ doc: 'user address of a token for virtual functions' }),
  },
  { doc: 'Binds a device to an iommufd.', ...C },
);

/** VFIO_DEVICE_ATTACH_IOMMUFD_PT. */
export const vfioDeviceAttachIommufdPt = struct(
  'vfio_device_attach_iommufd_pt',
  {
    argsz,
    flags: pasidFlags,
    pt_id: u32({ doc: 'IOAS or page table; returns the page table' }),
    pasid: u32({ doc: 'address space of the device, with PASID' }),
  },
  { doc: 'Attaches a device to a page table.', ...C },
);

/** VFIO_DEVICE_DETACH_IOMMUFD_PT. */
export const vfioDeviceDetachIommufdPt = struct(
  'vfio_device_detach_iommufd_pt',
  { argsz, flags: pasidFlags, pasid: u32({ doc: 'address space of the device, with PASID' }) },
  { doc: 'Detaches a device from its page table.', ...C },
);
