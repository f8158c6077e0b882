// SPDX-License-Identifier: Apache-2.0
// The ioctls of /dev/iommu and of VFIO devices that change what an iommufd holds: numbers, least sizes, what comes back.
// include/uapi/linux/iommufd.h, include/uapi/linux/vfio.h and drivers/iommu/iommufd/main.c, Linux 7.3.4.
import type { Release } from '../lang/family.js';
import type { StructType, Value } from '../lang/type.js';
import * as uapi from './iommufd-uapi.js';
import * as vfio from './vfio-uapi.js';

/** One ioctl. All numbers are `_IO(';', nr)`: neither direction nor size are in them. */
export interface Ioctl<L extends StructType = StructType> {
  /** The name that the kernel's header gives it. */
  readonly macro: string;
  /** `0x3b00 | nr`. */
  readonly cmd: number;
  /** Which file takes it. */
  readonly on: 'iommufd' | 'device';
  readonly layout: L;
  /** Least size in bytes that kernels take: that of the struct when it was new. */
  readonly minSize: number;
  /** Fields that the kernel writes; those that it reads too are asked for in them. */
  readonly outputs: readonly string[];
  /** The first release that has it. From memory of release notes, not compared with sources. */
  readonly first?: Release | undefined;
}

function ioctl<const L extends StructType>(
  cmd: number,
  macro: string,
  layout: L,
  minSize: number,
  outputs: readonly string[] = [],
  first?: Release,
): Ioctl<L> {
  const on = macro.startsWith('VFIO_DEVICE') ? 'device' : 'iommufd';
  return Object.freeze({ macro, cmd, on, layout, minSize, outputs: Object.freeze(outputs), first });
}

/** Every ioctl, by the name that logs use: that of the header without IOMMU_ or VFIO_. */
export const ioctls = {
  DESTROY: ioctl(0x3b80, 'IOMMU_DESTROY', uapi.iommuDestroy, 8, [], '6.2'),
  IOAS_ALLOC: ioctl(0x3b81, 'IOMMU_IOAS_ALLOC', uapi.iommuIoasAlloc, 12, ['out_ioas_id'], '6.2'),
  IOAS_ALLOW_IOVAS: ioctl(0x3b82, 'IOMMU_IOAS_ALLOW_IOVAS', uapi.iommuIoasAllowIovas, 24, [], '6.2'),
  IOAS_COPY: ioctl(0x3b83, 'IOMMU_IOAS_COPY', uapi.iommuIoasCopy, 40, ['dst_iova'], '6.2'),
  IOAS_IOVA_RANGES: ioctl(
    0x3b84,
    'IOMMU_IOAS_IOVA_RANGES',
    uapi.iommuIoasIovaRanges,
    32,
    ['num_iovas', 'out_iova_alignment'],
    '6.2',
  ),
  IOAS_MAP: ioctl(0x3b85, 'IOMMU_IOAS_MAP', uapi.iommuIoasMap, 40, ['iova'], '6.2'),
  IOAS_UNMAP: ioctl(0x3b86, 'IOMMU_IOAS_UNMAP', uapi.iommuIoasUnmap, 24, ['length'], '6.2'),
  OPTION: ioctl(0x3b87, 'IOMMU_OPTION', uapi.iommuOption, 24, ['val64'], '6.2'),
  VFIO_IOAS: ioctl(0x3b88, 'IOMMU_VFIO_IOAS', uapi.iommuVfioIoas, 12, ['ioas_id'], '6.2'),
  HWPT_ALLOC: ioctl(0x3b89, 'IOMMU_HWPT_ALLOC', uapi.iommuHwptAlloc, 24, ['out_hwpt_id'], '6.6'),
  GET_HW_INFO: ioctl(
    0x3b8a,
    'IOMMU_GET_HW_INFO',
    uapi.iommuHwInfo,
    32,
    ['data_len', 'out_data_type', 'out_max_pasid_log2', 'out_capabilities'],
    '6.6',
  ),
  HWPT_SET_DIRTY_TRACKING: ioctl(
    0x3b8b,
    'IOMMU_HWPT_SET_DIRTY_TRACKING',
    uapi.iommuHwptSetDirtyTracking,
    16,
    [],
    '6.7',
  ),
  HWPT_GET_DIRTY_BITMAP: ioctl(
    0x3b8c,
    'IOMMU_HWPT_GET_DIRTY_BITMAP',
    uapi.iommuHwptGetDirtyBitmap,
    48,
    [],
    '6.7',
  ),
  HWPT_INVALIDATE: ioctl(0x3b8d, 'IOMMU_HWPT_INVALIDATE', uapi.iommuHwptInvalidate, 32, ['entry_num'], '6.8'),
  FAULT_QUEUE_ALLOC: ioctl(
    0x3b8e,
    'IOMMU_FAULT_QUEUE_ALLOC',
    uapi.iommuFaultAlloc,
    16,
    ['out_fault_id', 'out_fault_fd'],
    '6.10',
  ),
  IOAS_MAP_FILE: ioctl(0x3b8f, 'IOMMU_IOAS_MAP_FILE', uapi.iommuIoasMapFile, 40, ['iova'], '6.13'),
  VIOMMU_ALLOC: ioctl(0x3b90, 'IOMMU_VIOMMU_ALLOC', uapi.iommuViommuAlloc, 24, ['out_viommu_id'], '6.13'),
  VDEVICE_ALLOC: ioctl(0x3b91, 'IOMMU_VDEVICE_ALLOC', uapi.iommuVdeviceAlloc, 24, ['out_vdevice_id'], '6.13'),
  IOAS_CHANGE_PROCESS: ioctl(0x3b92, 'IOMMU_IOAS_CHANGE_PROCESS', uapi.iommuIoasChangeProcess, 8, [], '6.14'),
  VEVENTQ_ALLOC: ioctl(
    0x3b93,
    'IOMMU_VEVENTQ_ALLOC',
    uapi.iommuVeventqAlloc,
    28,
    ['out_veventq_id', 'out_veventq_fd'],
    '6.15',
  ),
  HW_QUEUE_ALLOC: ioctl(
    0x3b94,
    'IOMMU_HW_QUEUE_ALLOC',
    uapi.iommuHwQueueAlloc,
    40,
    ['out_hw_queue_id'],
    '6.17',
  ),
  IOAS_NOIOMMU_GET_PA: ioctl(0x3b95, 'IOMMU_IOAS_NOIOMMU_GET_PA', uapi.iommuIoasNoiommuGetPa, 40, [
    'length',
    'out_phys',
  ]),
  DEVICE_BIND_IOMMUFD: ioctl(
    0x3b76,
    'VFIO_DEVICE_BIND_IOMMUFD',
    vfio.vfioDeviceBindIommufd,
    16,
    ['out_devid'],
    '6.6',
  ),
  DEVICE_ATTACH_IOMMUFD_PT: ioctl(
    0x3b77,
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    vfio.vfioDeviceAttachIommufdPt,
    12,
    ['pt_id'],
    '6.6',
  ),
  DEVICE_DETACH_IOMMUFD_PT: ioctl(
    0x3b78,
    'VFIO_DEVICE_DETACH_IOMMUFD_PT',
    vfio.vfioDeviceDetachIommufdPt,
    8,
    [],
    '6.6',
  ),
} as const;

/** The name of an ioctl, `IOAS_MAP`. */
export type IoctlName = keyof typeof ioctls;

/** The arguments of an ioctl, by the names of the struct's fields. */
export type IoctlArgs<K extends IoctlName = IoctlName> = Value<(typeof ioctls)[K]['layout']>;

const names: ReadonlyMap<string, IoctlName> = new Map(
  ioctlNames().flatMap((name) => [[name, name] as const, [ioctls[name].macro, name] as const]),
);
const numbers: ReadonlyMap<number, IoctlName> = new Map(ioctlNames().map((name) => [ioctls[name].cmd, name]));

/** All names, in order of declaration. */
export function ioctlNames(): readonly IoctlName[] {
  return Object.keys(ioctls).filter((name): name is IoctlName => Object.hasOwn(ioctls, name));
}

/** The ioctl that a name means: `IOAS_MAP`, or as the header has it, `IOMMU_IOAS_MAP`. */
export function ioctlNamed(name: string): IoctlName | undefined {
  return names.get(name);
}

/** The ioctl of a number, `0x3b85`. */
export function ioctlNumbered(cmd: number): IoctlName | undefined {
  return numbers.get(cmd);
}
