// SPDX-License-Identifier: Apache-2.0
// An executable iommufd: it judges a call as Linux 7.3.4 would, and does it.
import { type IoctlName, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { isZero } from '../../schemas/lang/input.js';
import { sizeField, structSize } from './call-bytes.js';
import { destroy, faultQueueAlloc, getHwInfo, option, vfioIoas } from './context-calls.js';
import { attachDevice, bindDevice, closeDevice, type DeviceFile, detachDevice } from './device-calls.js';
import { getDirtyBitmap, hwptAlloc, invalidate, setDirtyTracking } from './hwpt-calls.js';
import * as ioas from './ioas-calls.js';
import { DEFAULT_DEVICE, type IoctlRecord, type LogFile } from './log.js';
import { Context } from './objects.js';
import { type Judge, type NoVerdict, refused, type Verdict } from './verdict.js';
import { hwQueueAlloc, vdeviceAlloc, veventqAlloc, viommuAlloc } from './viommu-calls.js';

type DeviceCall = 'DEVICE_BIND_IOMMUFD' | 'DEVICE_ATTACH_IOMMUFD_PT' | 'DEVICE_DETACH_IOMMUFD_PT';
type ContextCall = Exclude<IoctlName, DeviceCall>;
type Judges = { readonly [K in ContextCall]: Judge<K> };

const JUDGES: Judges = {
  DESTROY: destroy,
  IOAS_ALLOC: ioas.ioasAlloc,
  IOAS_ALLOW_IOVAS: ioas.ioasAllowIovas,
  IOAS_COPY: ioas.ioasCopy,
  IOAS_IOVA_RANGES: ioas.ioasIovaRanges,
  IOAS_MAP: ioas.ioasMap,
  IOAS_UNMAP: ioas.ioasUnmap,
  OPTION: option,
  VFIO_IOAS: vfioIoas,
  HWPT_ALLOC: hwptAlloc,
  GET_HW_INFO: getHwInfo,
  HWPT_SET_DIRTY_TRACKING: setDirtyTracking,
  HWPT_GET_DIRTY_BITMAP: getDirtyBitmap,
  HWPT_INVALIDATE: invalidate,
  FAULT_QUEUE_ALLOC: faultQueueAlloc,
  IOAS_MAP_FILE: ioas.ioasMapFile,
  VIOMMU_ALLOC: viommuAlloc,
  VDEVICE_ALLOC: vdeviceAlloc,
  IOAS_CHANGE_PROCESS: ioas.ioasChangeProcess,
  VEVENTQ_ALLOC: veventqAlloc,
  HW_QUEUE_ALLOC: hwQueueAlloc,
  IOAS_NOIOMMU_GET_PA: ioas.ioasNoiommuGetPa,
};

/** Calls that change nothing where their payload was not recorded: replay can pass over them. */
const HARMLESS: ReadonlySet<IoctlName> = new Set<IoctlName>([
  'IOAS_IOVA_RANGES',
  'GET_HW_INFO',
  'HWPT_GET_DIRTY_BITMAP',
  'HWPT_INVALIDATE',
  'IOAS_CHANGE_PROCESS',
  'IOAS_NOIOMMU_GET_PA',
]);

/** Whether a call leaves every object as it is, whatever its arguments are. */
export function isHarmless(call: IoctlName): boolean {
  return HARMLESS.has(call);
}

/** Every iommufd and device of a log. */
export class IommufdModel {
  readonly #contexts = new Map<string, Context>();
  readonly #devices = new Map<string, DeviceFile>();
  readonly #files: ReadonlyMap<string, LogFile>;

  constructor(files: readonly LogFile[]) {
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  /** The contexts that exist, open or kept by bound devices, by name of their file. */
  get contexts(): readonly Context[] {
    return [...this.#contexts.values()];
  }

  /** A file is opened. */
  open(name: string): void {
    const file = this.#files.get(name);
    if (file?.kind === 'device') this.#device(name);
    else this.#context(name);
  }

  /** The last descriptor of a file is closed: an iommufd loses everything, unless devices are bound to it. */
  close(name: string): void {
    const device = this.#devices.get(name);
    if (device !== undefined) {
      this.#devices.delete(name);
      const context = closeDevice(device);
      if (context !== undefined && !context.isOpen) this.#forget(context);
      return;
    }
    const context = this.#contexts.get(name);
    if (context === undefined) return;
    context.isOpen = false;
    this.#forget(context);
  }

  #forget(context: Context): void {
    for (const object of context.objects.values()) if (object.type === 'device') return;
    this.#contexts.delete(context.file);
  }

  /** A log may begin after its files were opened. */
  #context(name: string): Context {
    const known = this.#contexts.get(name);
    if (known !== undefined) return known;
    const made = new Context(name);
    this.#contexts.set(name, made);
    return made;
  }

  #device(name: string): DeviceFile {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    const facts = { ...DEFAULT_DEVICE, ...this.#files.get(name)?.device };
    const made: DeviceFile = { name, facts, bound: undefined };
    this.#devices.set(name, made);
    return made;
  }

  /** What becomes of a call. Nothing is changed before the verdict is committed. */
  judge(record: IoctlRecord): Verdict | NoVerdict {
    const { call, args } = record;
    const isOnDevice = this.#files.get(record.file)?.kind === 'device';
    if (isOnDevice !== (ioctls[call].on === 'device')) return refused('ENOTTY');
    if (args === undefined) return this.#judgeUnseen(record);
    const size = sizeField(args);
    if (size < ioctls[call].minSize) return refused('EINVAL');
    if (isOnDevice) return this.#judgeOnDevice(record);
    // User space may know a larger struct than we, as long as it asks for nothing that we do not know.
    if (size > structSize(call)) {
      const { tail } = record;
      if (tail === undefined) return { missing: 'bytes behind the struct' };
      if (!isZero(tail)) return refused('E2BIG');
    }
    return isContextRecord(record) ? judgeWith(this.#context(record.file), record) : refused('ENOTTY');
  }

  #judgeOnDevice(record: IoctlRecord): Verdict | NoVerdict {
    const file = this.#device(record.file);
    if (record.args === undefined) return { missing: 'its arguments' };
    switch (record.call) {
      case 'DEVICE_BIND_IOMMUFD': {
        const { target } = record;
        if (target === undefined && record.args.iommufd >= 0 && (record.errno ?? 0) === 0)
          return { missing: 'the iommufd that it binds to' };
        return bindDevice(file, record.args, target === undefined ? undefined : this.#context(target));
      }
      case 'DEVICE_ATTACH_IOMMUFD_PT':
        return attachDevice(file, record.args);
      case 'DEVICE_DETACH_IOMMUFD_PT':
        return detachDevice(file, record.args);
      default:
        return refused('ENOTTY');
    }
  }

  /** Without arguments there is still something to say of calls that have only one way to succeed. */
  #judgeUnseen(record: IoctlRecord): Verdict | NoVerdict {
    if (record.errno !== 0) return { missing: 'its arguments' };
    switch (record.call) {
      case 'IOAS_ALLOC':
        return ioas.ioasAlloc({
          context: this.#context(record.file),
          record,
          args: { size: 12, flags: 0, out_ioas_id: 0 },
        });
      case 'FAULT_QUEUE_ALLOC':
        return faultQueueAlloc({
          context: this.#context(record.file),
          record,
          args: { size: 16, flags: 0, out_fault_id: 0, out_fault_fd: 0 },
        });
      case 'DEVICE_BIND_IOMMUFD': {
        const [only, ...others] = this.contexts.filter(({ isOpen }) => isOpen);
        if (only === undefined || others.length > 0) return { missing: 'the iommufd that it binds to' };
        const args = { argsz: 16, flags: 0, iommufd: 0, out_devid: 0, token_uuid_ptr: 0n };
        return bindDevice(this.#device(record.file), args, only);
      }
      default:
        return { missing: 'its arguments' };
    }
  }
}

function isContextRecord(record: IoctlRecord): record is IoctlRecord<ContextCall> {
  return Object.hasOwn(JUDGES, record.call);
}

/** Each record meets the judge of its own call. */
function judgeWith<K extends ContextCall>(context: Context, record: IoctlRecord<K>): Verdict | NoVerdict {
  const judge: Judges[K] = JUDGES[record.call];
  const { args } = record;
  return args === undefined ? { missing: 'its arguments' } : judge({ context, args, record });
}
