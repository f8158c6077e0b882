// SPDX-License-Identifier: Apache-2.0
// Calls that are of no one kind of object: drivers/iommu/iommufd/main.c and ioas.c, Linux 7.3.4.
import { IOMMU_OPTIONS } from '../../schemas/abi/iommufd-uapi.js';
import type { Context, IommufdObject } from './objects.js';
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

const SET = 0;
const GET = 1;

/** Lets go of all that an object holds, and takes it away. */
export function destroyObject(context: Context, object: IommufdObject): void {
  switch (object.type) {
    case 'ioas':
      if (context.vfioIoas === object) context.vfioIoas = undefined;
      break;
    case 'hwpt':
      if (object.parent === undefined) object.ioas.space.removeDomain(object);
      if (object.fault !== undefined) object.fault.users--;
      object.ioas.autoHwpts.delete(object);
      // A nested table holds what it was made with; the table around it holds the IOAS.
      if (object.viommu !== undefined) object.viommu.users--;
      else if (object.parent !== undefined) object.parent.users--;
      else object.ioas.users--;
      break;
    case 'viommu':
      object.hwpt.users--;
      break;
    case 'vdevice':
      object.viommu.users--;
      object.viommu.vdevices.delete(object.virtId);
      object.device.vdevice = undefined;
      break;
    case 'veventq':
      object.viommu.users--;
      object.viommu.eventTypes.delete(object.kind);
      break;
    case 'hw-queue':
      object.viommu.users--;
      break;
    default:
      break;
  }
  context.drop(object);
}

/** IOMMU_DESTROY. */
export const destroy: Judge<'DESTROY'> = ({ context, args }) => {
  const object = context.any(args.id);
  if (object === undefined) return refused('ENOENT');
  // Who bound a device holds it.
  if (object.users > 0 || object.type === 'device') return refused('EBUSY');
  return done(() => {
    destroyObject(context, object);
    return undefined;
  });
};

/** IOMMU_OPTION. */
export const option: Judge<'OPTION'> = (call) => {
  const { args } = call;
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  if (BigInt(args.option_id) === IOMMU_OPTIONS.RLIMIT_MODE) return rlimitMode(call);
  if (BigInt(args.option_id) === IOMMU_OPTIONS.HUGE_PAGES) return hugePages(call);
  return refused('EOPNOTSUPP');
};

function rlimitMode({ context, args }: Call<'OPTION'>): Verdict {
  if (args.object_id !== 0) return refused('EOPNOTSUPP');
  if (args.op === GET) return done(() => ({ val64: context.chargesProcess ? 1n : 0n }));
  if (args.op !== SET) return refused('EOPNOTSUPP');
  if (!context.isEmpty) return refused('EBUSY');
  if (args.val64 > 1n) return refused('EINVAL');
  return done(() => {
    context.chargesProcess = args.val64 === 1n;
    return undefined;
  });
}

function hugePages({ context, args }: Call<'OPTION'>): Verdict {
  const ioas = context.find(args.object_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  if (args.op === GET) return done(() => ({ val64: ioas.space.largePages ? 1n : 0n }));
  if (args.op !== SET) return refused('EOPNOTSUPP');
  if (args.val64 > 1n) return refused('EINVAL');
  const on = args.val64 === 1n;
  const errno = ioas.space.checkLargePages(on);
  if (errno !== 0) return withErrno(errno);
  return done(() => {
    ioas.space.setLargePages(on);
    return undefined;
  });
}

/** IOMMU_VFIO_IOAS. */
export const vfioIoas: Judge<'VFIO_IOAS'> = ({ context, args }) => {
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  switch (args.op) {
    case 0: {
      const found = context.vfioIoas;
      return found === undefined ? refused('ENODEV') : done(() => ({ ioas_id: BigInt(found.id) }));
    }
    case 1: {
      const ioas = context.find(args.ioas_id, 'ioas');
      if (ioas === undefined) return refused('ENOENT');
      return done(() => {
        context.vfioIoas = ioas;
        return undefined;
      });
    }
    case 2:
      return done(() => {
        context.vfioIoas = undefined;
        return undefined;
      });
    default:
      return refused('EOPNOTSUPP');
  }
};

/** IOMMU_FAULT_QUEUE_ALLOC. */
export const faultQueueAlloc: Judge<'FAULT_QUEUE_ALLOC'> = ({ context, args }) => {
  if (args.flags !== 0) return refused('EOPNOTSUPP');
  return done((recorded) => {
    const made = context.add((id) => ({ type: 'fault' as const, id, users: 0 }));
    context.learn(recordedId(recorded, 'out_fault_id', made.id), made);
    return { out_fault_id: BigInt(made.id) };
  });
};

/** IOMMU_GET_HW_INFO: what the hardware says is taken from the log. */
export const getHwInfo: Judge<'GET_HW_INFO'> = ({ context, args }) => {
  if (args.flags > 1 || args.__reserved !== undefined) return refused('EOPNOTSUPP');
  return context.find(args.dev_id, 'device') === undefined ? refused('ENOENT') : NO_CHANGE;
};
