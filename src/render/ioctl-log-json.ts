// SPDX-License-Identifier: Apache-2.0
// Replays of ioctl logs as plain values for `writeJsonValue`; docs/json-output.md says what members mean.
import {
  areasOf,
  type Context,
  type IommufdObject,
  type Replayed,
  type StateDifference,
} from '../kho/ioctl-log/index.js';
import { sidesText } from './ioctl-log-text.js';

/** What a replay left behind and brought to light. */
export function replayJson({ calls, contexts, differences, missed }: Replayed): object {
  return {
    calls,
    iommufds: contexts.map(contextJson),
    differences: differences.map((difference) => {
      const { seq, file, call, field, environment } = difference;
      const [recorded, replayed] = sidesText(difference);
      return { seq, file, call, field, recorded, replayed, environment };
    }),
    missed: missed.map(({ seq, file, call, missing }) => ({ seq, file, call, missing })),
  };
}

function contextJson({ file, isOpen, chargesProcess, objects }: Context): object {
  const sorted = [...objects.values()].sort((a, b) => a.id - b.id);
  return { file, open: isOpen, chargesProcess, objects: sorted.map(objectJson) };
}

function objectJson(object: IommufdObject): object {
  const { id, type } = object;
  switch (object.type) {
    case 'ioas': {
      const { largePages, allowed } = object.space;
      return { id, type, hugePages: largePages, allowed, areas: [...areasOf(object)] };
    }
    case 'hwpt':
      return {
        id,
        type,
        ioas: object.ioas.id,
        parent: object.parent?.id,
        viommu: object.viommu?.id,
        fault: object.fault?.id,
        madeByAttaching: object.auto,
        flags: object.flags,
        dataType: object.dataType,
        data: object.data,
        dirtyTracking: object.dirtyTracking,
      };
    case 'device': {
      const attached = [...object.attachments].map(([pasid, hwpt]) => ({
        pasid: pasid < 0 ? undefined : pasid,
        hwpt: hwpt.id,
      }));
      return { id, type, file: object.file, attached };
    }
    case 'fault':
      return { id, type };
    case 'viommu':
      return { id, type, viommuType: object.kind, hwpt: object.hwpt.id };
    case 'vdevice':
      return { id, type, viommu: object.viommu.id, device: object.device.id, virtualId: object.virtId };
    case 'veventq':
    case 'hw-queue':
      return { id, type, queueType: object.kind, viommu: object.viommu.id };
  }
}

/** Where two states differ. */
export function stateDifferenceJson(difference: StateDifference): object {
  const { code, context, what, left, right, iova, field, leftValue, rightValue } = difference;
  return { code, iommufd: context, what, left, right, iova, field, leftValue, rightValue };
}
