// SPDX-License-Identifier: Apache-2.0
// Binding devices and attaching them to page tables: drivers/vfio/device_cdev.c and drivers/iommu/iommufd/device.c,
// Linux 7.3.4.
import type { IoctlArgs } from '../../schemas/abi/iommufd-ioctls.js';
import { HWPT_ALLOC_FLAGS } from '../../schemas/abi/iommufd-uapi.js';
import { destroyObject } from './context-calls.js';
import { ERRNO } from './errno.js';
import { addHwpt } from './hwpt-calls.js';
import type { DeviceFacts } from './log.js';
import type { Context, DeviceObject, Hwpt, Ioas } from './objects.js';
import { done, NO_CHANGE, type Outputs, recordedId, refused, type Verdict, withErrno } from './verdict.js';

/** Key of the attachment of requests without a PASID. */
const NO_PASID = -1;
const WITH_PASID = 1;
const HWPT_PASID = Number(HWPT_ALLOC_FLAGS.PASID);

/** A device file: what it is bound to. */
export interface DeviceFile {
  readonly name: string;
  readonly facts: DeviceFacts;
  bound: { readonly context: Context; readonly device: DeviceObject } | undefined;
}

/** VFIO_DEVICE_BIND_IOMMUFD. `context` is the iommufd that the descriptor is of, where it is one. */
export function bindDevice(
  file: DeviceFile,
  args: IoctlArgs<'DEVICE_BIND_IOMMUFD'>,
  context: Context | undefined,
): Verdict {
  const isBad = args.iommufd < 0 || (args.flags & ~1) !== 0 || file.bound !== undefined;
  if (isBad) return refused('EINVAL');
  if (context === undefined) return refused('EBADF');
  return done((recorded) => {
    const device = context.add((id) => ({
      type: 'device' as const,
      id,
      users: 0,
      file: file.name,
      facts: file.facts,
      attachments: new Map<number, Hwpt>(),
      vdevice: undefined,
    }));
    file.bound = { context, device };
    context.learn(recordedId(recorded, 'out_devid', device.id), device);
    return { out_devid: BigInt(device.id) };
  });
}

/** VFIO_DEVICE_ATTACH_IOMMUFD_PT. */
export function attachDevice(file: DeviceFile, args: IoctlArgs<'DEVICE_ATTACH_IOMMUFD_PT'>): Verdict {
  if (file.bound === undefined || (args.flags & ~WITH_PASID) !== 0) return refused('EINVAL');
  const { context, device } = file.bound;
  const isPasid = (args.flags & WITH_PASID) !== 0;
  if (isPasid && !device.facts.pasid) return refused('EOPNOTSUPP');
  const pasid = isPasid ? args.pasid : NO_PASID;
  const table = context.any(args.pt_id);
  if (table === undefined) return refused('ENOENT');
  if (table.type === 'hwpt') {
    const errno = checkAttach(device, pasid, table);
    return errno === 0 ? done(() => attach(context, device, pasid, table)) : withErrno(errno);
  }
  return table.type === 'ioas' ? attachToIoas(context, device, pasid, table) : refused('EINVAL');
}

/** Attaches to a page table that the kernel finds for the IOAS, or makes. */
function attachToIoas(context: Context, device: DeviceObject, pasid: number, ioas: Ioas): Verdict {
  for (const hwpt of ioas.autoHwpts) {
    const errno = checkAttach(device, pasid, hwpt);
    if (errno === ERRNO.EINVAL) continue;
    return errno === 0 ? done(() => attach(context, device, pasid, hwpt)) : withErrno(errno);
  }
  const { reserved, aperture } = device.facts;
  const errno = ioas.space.checkReserve(reserved) || ioas.space.checkDomain(aperture);
  if (errno !== 0) return withErrno(errno);
  return done((recorded) => {
    const hwpt = addHwpt(context, device, {
      ioas,
      parent: undefined,
      viommu: undefined,
      fault: undefined,
      auto: true,
      flags: pasid === NO_PASID ? 0 : HWPT_PASID,
      dataType: 0,
      data: undefined,
    });
    context.learn(recordedId(recorded, 'pt_id', hwpt.id), hwpt);
    return attach(context, device, pasid, hwpt);
  });
}

/** Whether a device can use a page table: 0 or the error number. */
function checkAttach(device: DeviceObject, pasid: number, hwpt: Hwpt): number {
  if (hwpt.unit !== device.facts.unit) return ERRNO.EINVAL;
  if (pasid !== NO_PASID) return (hwpt.flags & HWPT_PASID) === 0 ? ERRNO.EINVAL : 0;
  return hwpt.ioas.space.checkReserve(device.facts.reserved);
}

function attach(context: Context, device: DeviceObject, pasid: number, hwpt: Hwpt): Outputs {
  const before = device.attachments.get(pasid);
  if (before !== hwpt) {
    hwpt.users++;
    if (pasid === NO_PASID) {
      if (before !== undefined && before.ioas !== hwpt.ioas) before.ioas.space.release(device);
      hwpt.ioas.space.reserve(device.facts.reserved, device);
    }
    device.attachments.set(pasid, hwpt);
    if (before !== undefined) letGo(context, before);
  }
  return { pt_id: BigInt(hwpt.id) };
}

/** A device uses a page table no longer; one that was made for devices goes with the last. */
function letGo(context: Context, hwpt: Hwpt): void {
  hwpt.users--;
  if (hwpt.auto && hwpt.users === 0) destroyObject(context, hwpt);
}

function detach(context: Context, device: DeviceObject, pasid: number): void {
  const hwpt = device.attachments.get(pasid);
  if (hwpt === undefined) return;
  device.attachments.delete(pasid);
  if (pasid === NO_PASID) hwpt.ioas.space.release(device);
  letGo(context, hwpt);
}

/** VFIO_DEVICE_DETACH_IOMMUFD_PT. */
export function detachDevice(file: DeviceFile, args: IoctlArgs<'DEVICE_DETACH_IOMMUFD_PT'>): Verdict {
  if (file.bound === undefined || (args.flags & ~WITH_PASID) !== 0) return refused('EINVAL');
  const { context, device } = file.bound;
  const pasid = (args.flags & WITH_PASID) === 0 ? NO_PASID : args.pasid;
  if (pasid !== NO_PASID && !device.facts.pasid) return refused('EOPNOTSUPP');
  if (!device.attachments.has(pasid)) return NO_CHANGE;
  return done(() => {
    detach(context, device, pasid);
    return undefined;
  });
}

/** Closes a device: it is detached and unbound, and its id is free again. */
export function closeDevice(file: DeviceFile): Context | undefined {
  if (file.bound === undefined) return undefined;
  const { context, device } = file.bound;
  for (const pasid of [...device.attachments.keys()]) detach(context, device, pasid);
  const { vdevice } = device;
  if (vdevice !== undefined) {
    vdevice.viommu.users--;
    vdevice.viommu.vdevices.delete(vdevice.virtId);
    // The id of a virtual device that lost its device stays taken.
    context.drop(vdevice, true);
  }
  context.drop(device);
  file.bound = undefined;
  return context;
}
