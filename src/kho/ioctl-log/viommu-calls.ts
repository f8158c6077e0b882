// SPDX-License-Identifier: Apache-2.0
// Calls on virtual IOMMUs: drivers/iommu/iommufd/viommu.c and eventq.c, Linux 7.3.4.
import { HWPT_ALLOC_FLAGS, VIOMMU_TYPES } from '../../schemas/abi/iommufd-uapi.js';
import { LAST_ADDRESS } from './address-space.js';
import { done, type Judge, recordedId, refused } from './verdict.js';

const NEST_PARENT = Number(HWPT_ALLOC_FLAGS.NEST_PARENT);
const DEFAULT = Number(VIOMMU_TYPES.DEFAULT);

/** IOMMU_VIOMMU_ALLOC. */
export const viommuAlloc: Judge<'VIOMMU_ALLOC'> = ({ context, args }) => {
  if (args.flags !== 0 || args.type === DEFAULT) return refused('EOPNOTSUPP');
  const device = context.find(args.dev_id, 'device');
  if (device === undefined) return refused('ENOENT');
  if (!device.facts.viommus.includes(args.type)) return refused('EOPNOTSUPP');
  const hwpt = context.find(args.hwpt_id, 'hwpt');
  if (hwpt === undefined || hwpt.parent !== undefined) return refused('ENOENT');
  if ((hwpt.flags & NEST_PARENT) === 0) return refused('EINVAL');
  return done((recorded) => {
    const made = context.add((id) => ({
      type: 'viommu' as const,
      id,
      users: 0,
      hwpt,
      kind: args.type,
      unit: device.facts.unit,
      vdevices: new Map(),
      eventTypes: new Set<number>(),
    }));
    hwpt.users++;
    context.learn(recordedId(recorded, 'out_viommu_id', made.id), made);
    return { out_viommu_id: BigInt(made.id) };
  });
};

/** IOMMU_VDEVICE_ALLOC. */
export const vdeviceAlloc: Judge<'VDEVICE_ALLOC'> = ({ context, args }) => {
  const viommu = context.find(args.viommu_id, 'viommu');
  const device = context.find(args.dev_id, 'device');
  if (viommu === undefined || device === undefined) return refused('ENOENT');
  if (viommu.unit !== device.facts.unit) return refused('EINVAL');
  if (device.vdevice !== undefined || viommu.vdevices.has(args.virt_id)) return refused('EEXIST');
  return done((recorded) => {
    const made = context.add((id) => ({
      type: 'vdevice' as const,
      id,
      users: 0,
      viommu,
      device,
      virtId: args.virt_id,
    }));
    viommu.users++;
    viommu.vdevices.set(args.virt_id, made);
    device.vdevice = made;
    context.learn(recordedId(recorded, 'out_vdevice_id', made.id), made);
    return { out_vdevice_id: BigInt(made.id) };
  });
};

/** IOMMU_VEVENTQ_ALLOC. */
export const veventqAlloc: Judge<'VEVENTQ_ALLOC'> = ({ context, args }) => {
  if (args.flags !== 0 || args.__reserved !== undefined || args.type === DEFAULT)
    return refused('EOPNOTSUPP');
  if (args.veventq_depth === 0) return refused('EINVAL');
  const viommu = context.find(args.viommu_id, 'viommu');
  if (viommu === undefined) return refused('ENOENT');
  if (viommu.eventTypes.has(args.type)) return refused('EEXIST');
  return done((recorded) => {
    const made = context.add((id) => ({
      type: 'veventq' as const,
      id,
      users: 0,
      viommu,
      kind: args.type,
      depth: args.veventq_depth,
    }));
    viommu.users++;
    viommu.eventTypes.add(args.type);
    context.learn(recordedId(recorded, 'out_veventq_id', made.id), made);
    return { out_veventq_id: BigInt(made.id) };
  });
};

/** IOMMU_HW_QUEUE_ALLOC. */
export const hwQueueAlloc: Judge<'HW_QUEUE_ALLOC'> = ({ context, args }) => {
  const { length, nesting_parent_iova: iova } = args;
  if (args.flags !== 0 || args.type === DEFAULT) return refused('EOPNOTSUPP');
  if (length === 0n) return refused('EINVAL');
  if (iova + length - 1n > LAST_ADDRESS) return refused('EOVERFLOW');
  const viommu = context.find(args.viommu_id, 'viommu');
  if (viommu === undefined) return refused('ENOENT');
  return done((recorded) => {
    const made = context.add((id) => ({
      type: 'hw-queue' as const,
      id,
      users: 0,
      viommu,
      kind: args.type,
      index: args.index,
      iova,
      length,
    }));
    viommu.users++;
    context.learn(recordedId(recorded, 'out_hw_queue_id', made.id), made);
    return { out_hw_queue_id: BigInt(made.id) };
  });
};
