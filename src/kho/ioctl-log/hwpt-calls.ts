// SPDX-License-Identifier: Apache-2.0
// Calls on page tables: drivers/iommu/iommufd/hw_pagetable.c, Linux 7.3.4.
import { HWPT_ALLOC_FLAGS, HWPT_DATA_TYPES } from '../../schemas/abi/iommufd-uapi.js';
import type { Context, DeviceObject, Fault, Hwpt, Ioas, Viommu } from './objects.js';
import {
  type Call,
  done,
  type Judge,
  NO_CHANGE,
  recordedId,
  refused,
  type Verdict,
  withErrno,
} from './verdict.js';

const NEST_PARENT = Number(HWPT_ALLOC_FLAGS.NEST_PARENT);
const DIRTY = Number(HWPT_ALLOC_FLAGS.DIRTY_TRACKING);
const FAULT_ID = Number(HWPT_ALLOC_FLAGS.FAULT_ID_VALID);
const PASID = Number(HWPT_ALLOC_FLAGS.PASID);
const KNOWN_FLAGS = NEST_PARENT | DIRTY | FAULT_ID | PASID;
const NONE = Number(HWPT_DATA_TYPES.NONE);

type Made = Pick<Hwpt, 'ioas' | 'parent' | 'viommu' | 'fault' | 'auto' | 'flags' | 'dataType' | 'data'>;

/** Makes a page table; the caller knows that its IOAS can have it. */
export function addHwpt(context: Context, device: DeviceObject, made: Made): Hwpt {
  const { unit, aperture } = device.facts;
  const hwpt = context.add((id) => ({
    ...made,
    type: 'hwpt' as const,
    id,
    users: 0,
    unit,
    dirtyTracking: false,
  }));
  if (made.fault !== undefined) made.fault.users++;
  if (made.viommu !== undefined) made.viommu.users++;
  else if (made.parent !== undefined) made.parent.users++;
  else {
    made.ioas.users++;
    made.ioas.space.addDomain(hwpt, aperture);
  }
  if (made.auto) made.ioas.autoHwpts.add(hwpt);
  return hwpt;
}

/** IOMMU_HWPT_ALLOC. */
export const hwptAlloc: Judge<'HWPT_ALLOC'> = (call) => {
  const { context, args } = call;
  if (args.__reserved !== undefined || args.__reserved2 !== undefined) return refused('EOPNOTSUPP');
  if ((args.data_type === NONE) !== (args.data_len === 0)) return refused('EINVAL');
  const device = context.find(args.dev_id, 'device');
  if (device === undefined) return refused('ENOENT');
  const table = context.any(args.pt_id);
  if (table?.type === 'ioas') return pagingHwpt(call, device, table);
  if (table?.type === 'hwpt') return nestedHwpt(call, device, table, undefined);
  if (table?.type !== 'viommu' || table.unit !== device.facts.unit) return refused('EINVAL');
  return nestedHwpt(call, device, table.hwpt, table);
};

/** The queue that a page table's faults go to; `null` where there is no such queue. */
function faultOf({ context, args }: Call<'HWPT_ALLOC'>): Fault | undefined | null {
  return (args.flags & FAULT_ID) === 0 ? undefined : (context.find(args.fault_id, 'fault') ?? null);
}

function pagingHwpt(call: Call<'HWPT_ALLOC'>, device: DeviceObject, ioas: Ioas): Verdict {
  const { flags, data_type: dataType } = call.args;
  const { dirty, nesting, pasid, aperture } = device.facts;
  if ((flags & ~KNOWN_FLAGS) !== 0 || dataType !== NONE) return refused('EOPNOTSUPP');
  if ((flags & DIRTY) !== 0 && !dirty) return refused('EOPNOTSUPP');
  if ((flags & NEST_PARENT) !== 0 && ((flags & FAULT_ID) !== 0 || !nesting)) return refused('EOPNOTSUPP');
  if ((flags & PASID) !== 0 && !pasid) return refused('EOPNOTSUPP');
  const fault = faultOf(call);
  if (fault === null) return refused('ENOENT');
  const errno = ioas.space.checkDomain(aperture);
  if (errno !== 0) return withErrno(errno);
  const about = { parent: undefined, viommu: undefined, auto: false, dataType, data: undefined };
  return alloc(call, device, { ioas, fault, flags, ...about });
}

function nestedHwpt(
  call: Call<'HWPT_ALLOC'>,
  device: DeviceObject,
  parent: Hwpt,
  viommu: Viommu | undefined,
): Verdict {
  const { flags, data_type: dataType } = call.args;
  if ((flags & ~(FAULT_ID | PASID)) !== 0 || dataType === NONE) return refused('EOPNOTSUPP');
  const canNest = !parent.auto && (parent.flags & NEST_PARENT) !== 0;
  if (!canNest || parent.unit !== device.facts.unit) return refused('EINVAL');
  if ((flags & PASID) !== 0 && !device.facts.pasid) return refused('EOPNOTSUPP');
  const fault = faultOf(call);
  if (fault === null) return refused('ENOENT');
  const data = call.record.buffer;
  return alloc(call, device, {
    ioas: parent.ioas,
    parent,
    viommu,
    fault,
    auto: false,
    flags,
    dataType,
    data,
  });
}

function alloc({ context }: Call<'HWPT_ALLOC'>, device: DeviceObject, made: Made): Verdict {
  return done((recorded) => {
    const hwpt = addHwpt(context, device, made);
    context.learn(recordedId(recorded, 'out_hwpt_id', hwpt.id), hwpt);
    return { out_hwpt_id: BigInt(hwpt.id) };
  });
}

/** IOMMU_HWPT_SET_DIRTY_TRACKING. */
export const setDirtyTracking: Judge<'HWPT_SET_DIRTY_TRACKING'> = ({ context, args }) => {
  if (args.flags > 1 || args.__reserved !== undefined) return refused('EOPNOTSUPP');
  const hwpt = context.find(args.hwpt_id, 'hwpt');
  if (hwpt === undefined || hwpt.parent !== undefined) return refused('ENOENT');
  if ((hwpt.flags & DIRTY) === 0) return refused('EOPNOTSUPP');
  return done(() => {
    hwpt.dirtyTracking = args.flags === 1;
    return undefined;
  });
};

/** IOMMU_HWPT_GET_DIRTY_BITMAP: what devices wrote to is taken from the log. */
export const getDirtyBitmap: Judge<'HWPT_GET_DIRTY_BITMAP'> = ({ context, args }) => {
  if (args.flags > 1 || args.__reserved !== undefined) return refused('EOPNOTSUPP');
  const hwpt = context.find(args.hwpt_id, 'hwpt');
  return hwpt === undefined || hwpt.parent !== undefined ? refused('ENOENT') : NO_CHANGE;
};

/** IOMMU_HWPT_INVALIDATE: what the driver makes of the entries is taken from the log. */
export const invalidate: Judge<'HWPT_INVALIDATE'> = ({ context, args }) => {
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  const target = context.any(args.hwpt_id);
  if (target === undefined) return refused('ENOENT');
  const isGuests = target.type === 'viommu' || (target.type === 'hwpt' && target.parent !== undefined);
  return isGuests ? NO_CHANGE : refused('EINVAL');
};
