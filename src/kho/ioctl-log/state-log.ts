// SPDX-License-Identifier: Apache-2.0
// The calls that make a state from nothing: one for each object and setting, one for each memory, and as few copies as
// areas that lie side by side on both sides allow.
import type { IoctlArgs, IoctlName } from '../../schemas/abi/iommufd-ioctls.js';
import { HWPT_ALLOC_FLAGS, IOAS_MAP_FLAGS, IOMMU_OPTIONS } from '../../schemas/abi/iommufd-uapi.js';
import { type Area, lengthOf, PAGE, type Pages, PROT, placeOf } from './area.js';
import { boundsOf, type Copy, copyFrom, goesOn, type Placed, sourceOf } from './area-copies.js';
import { rangeBytes } from './call-bytes.js';
import { ioasesOf } from './compare-areas.js';
import { type IoctlExtras, ioctlRecord, type LogRecord, type RecordBase } from './log.js';
import type { Context, DeviceObject, Hwpt, Ioas, IommufdObject } from './objects.js';

const FIXED = Number(IOAS_MAP_FLAGS.FIXED_IOVA);
const FAULT_ID = Number(HWPT_ALLOC_FLAGS.FAULT_ID_VALID);

/** Calls that make a state, and the least number that could. */
export interface StateLog {
  readonly records: readonly LogRecord[];
  /**
   * No log can make the state with fewer ioctls: each object that user space asked for, each attachment, setting and
   * memory takes one, and copies take at least one more where areas share memory.
   */
  readonly atLeast: number;
}

/**
 * The calls that make all contexts; ids count up in the order of the old ones.
 *
 * @returns `undefined` where an object cannot be made by itself: a page table whose device is gone
 */
export function stateLog(contexts: readonly Context[]): StateLog | undefined {
  const maker = new StateMaker();
  for (const context of contexts) if (!maker.add(context)) return undefined;
  return { records: maker.records, atLeast: maker.atLeast };
}

class StateMaker {
  readonly records: LogRecord[] = [];
  atLeast = 0;
  #file = '';
  /** The id that each object gets, and the one that comes next. */
  readonly #ids = new Map<IommufdObject, number>();
  #next = 1;

  /** @returns whether all of the context could be made */
  add(context: Context): boolean {
    this.#file = context.file;
    this.#next = 1;
    this.#mark('open', context.file);
    if (context.chargesProcess) this.#option(Number(IOMMU_OPTIONS.RLIMIT_MODE), 0, 1n);
    const ioases = ioasesOf(context);
    for (const ioas of ioases) {
      this.#give(ioas, 'IOAS_ALLOC', { size: 12, flags: 0, out_ioas_id: 0 });
      if (!ioas.space.largePages) this.#option(Number(IOMMU_OPTIONS.HUGE_PAGES), this.#id(ioas), 0n);
    }
    this.#map(ioases);
    for (const ioas of ioases) this.#settings(ioas, context);
    const objects = [...context.objects.values()].sort((a, b) => a.id - b.id);
    const devices = objects.filter((object) => object.type === 'device');
    for (const object of objects) if (!this.#make(object, devices)) return false;
    for (const device of devices) this.#attach(device);
    for (const object of objects) {
      if (object.type !== 'hwpt' || !object.dirtyTracking) continue;
      this.#call('HWPT_SET_DIRTY_TRACKING', { size: 16, flags: 1, hwpt_id: this.#id(object) });
    }
    if (!context.isOpen) this.#mark('close', context.file);
    return true;
  }

  #mark(kind: 'open' | 'close', file: string): void {
    this.records.push({ seq: this.records.length, thread: 0, file, kind });
  }

  #id(object: IommufdObject): number {
    return this.#ids.get(object) ?? 0;
  }

  #call<K extends IoctlName>(call: K, args: IoctlArgs<K>, extras: IoctlExtras = {}, file = this.#file): void {
    this.#helper(call, args, extras, file);
    this.atLeast++;
  }

  /** A call that another way to make the state may do without. */
  #helper<K extends IoctlName>(
    call: K,
    args: IoctlArgs<K>,
    extras: IoctlExtras = {},
    file = this.#file,
  ): void {
    const base = { seq: this.records.length, thread: 0, file };
    this.records.push(recordOf(call, base, args, extras));
  }

  /** A call that makes an object. */
  #give<K extends IoctlName>(
    object: IommufdObject,
    call: K,
    args: IoctlArgs<K>,
    extras: IoctlExtras = {},
    file = this.#file,
  ): void {
    this.#call(call, args, extras, file);
    this.#ids.set(object, this.#next++);
  }

  #option(id: number, object: number, value: bigint): void {
    this.#call('OPTION', { size: 24, option_id: id, op: 0, object_id: object, val64: value });
  }

  #settings(ioas: Ioas, context: Context): void {
    const { allowed } = ioas.space;
    const id = this.#id(ioas);
    if (allowed.length > 0) {
      const args = { size: 24, ioas_id: id, num_iovas: allowed.length, allowed_iovas: 0n };
      this.#call('IOAS_ALLOW_IOVAS', args, { buffer: rangeBytes(allowed) });
    }
    if (context.vfioIoas === ioas) this.#call('VFIO_IOAS', { size: 12, ioas_id: id, op: 1 });
  }

  /** Makes everything but IOASes and page tables that attaching makes. What an object holds is made before it. */
  #make(object: IommufdObject, devices: readonly DeviceObject[]): boolean {
    if (this.#ids.has(object)) return true;
    switch (object.type) {
      case 'device': {
        this.#mark('open', object.file);
        const args = { argsz: 16, flags: 0, iommufd: 0, out_devid: 0, token_uuid_ptr: 0n };
        this.#give(object, 'DEVICE_BIND_IOMMUFD', args, { target: this.#file }, object.file);
        return true;
      }
      case 'fault':
        this.#give(object, 'FAULT_QUEUE_ALLOC', { size: 16, flags: 0, out_fault_id: 0, out_fault_fd: 0 });
        return true;
      case 'hwpt':
        return object.auto || this.#hwpt(object, devices);
      case 'viommu': {
        const device = devices.find(({ facts }) => facts.unit === object.unit);
        if (device === undefined || !this.#make(device, devices) || !this.#make(object.hwpt, devices))
          return false;
        const ids = { dev_id: this.#id(device), hwpt_id: this.#id(object.hwpt) };
        const rest = { flags: 0, type: object.kind, out_viommu_id: 0, data_len: 0, data_uptr: 0n };
        this.#give(object, 'VIOMMU_ALLOC', { size: 40, ...ids, ...rest });
        return true;
      }
      case 'vdevice': {
        const { viommu, device, virtId } = object;
        if (!this.#make(viommu, devices) || !this.#make(device, devices)) return false;
        const ids = { viommu_id: this.#id(viommu), dev_id: this.#id(device) };
        this.#give(object, 'VDEVICE_ALLOC', { size: 24, ...ids, out_vdevice_id: 0, virt_id: virtId });
        return true;
      }
      case 'veventq': {
        if (!this.#make(object.viommu, devices)) return false;
        const rest = { flags: 0, type: object.kind, veventq_depth: object.depth };
        const out = { out_veventq_id: 0, out_veventq_fd: 0 };
        this.#give(object, 'VEVENTQ_ALLOC', {
          size: 32,
          viommu_id: this.#id(object.viommu),
          ...rest,
          ...out,
        });
        return true;
      }
      case 'hw-queue': {
        if (!this.#make(object.viommu, devices)) return false;
        const { kind, index, iova, length } = object;
        const rest = { flags: 0, type: kind, index, out_hw_queue_id: 0, nesting_parent_iova: iova, length };
        this.#give(object, 'HW_QUEUE_ALLOC', { size: 40, viommu_id: this.#id(object.viommu), ...rest });
        return true;
      }
      default:
        return true;
    }
  }

  #hwpt(hwpt: Hwpt, devices: readonly DeviceObject[]): boolean {
    const { flags, viommu, parent, fault, ioas, data } = hwpt;
    const device = devices.find(({ facts }) => facts.unit === hwpt.unit);
    if (device === undefined || !this.#make(device, devices)) return false;
    const table = viommu ?? parent ?? ioas;
    if (!this.#make(table, devices)) return false;
    if (fault !== undefined && !this.#make(fault, devices)) return false;
    const args = {
      size: 48,
      flags,
      dev_id: this.#id(device),
      pt_id: this.#id(table),
      out_hwpt_id: 0,
      data_type: hwpt.dataType,
      data_len: hwpt.dataType === 0 ? 0 : (data?.length ?? 1),
      data_uptr: 0n,
      fault_id: (flags & FAULT_ID) === 0 || fault === undefined ? 0 : this.#id(fault),
    };
    this.#give(hwpt, 'HWPT_ALLOC', args, { buffer: data });
    return true;
  }

  #attach(device: DeviceObject): void {
    for (const [pasid, hwpt] of device.attachments) {
      const table = hwpt.auto ? hwpt.ioas : hwpt;
      const args = { argsz: 16, flags: pasid < 0 ? 0 : 1, pt_id: this.#id(table), pasid: Math.max(0, pasid) };
      this.#call('DEVICE_ATTACH_IOMMUFD_PT', args, {}, device.file);
      if (hwpt.auto && !this.#ids.has(hwpt)) this.#ids.set(hwpt, this.#next++);
    }
  }

  /** Makes all areas: each memory is mapped once, the other areas of it are copies. */
  #map(ioases: readonly Ioas[]): void {
    const byPages = new Map<Pages, Placed[]>();
    for (const ioas of ioases) {
      for (const area of ioas.space.areas.from()) {
        const list = byPages.get(area.pages);
        if (list === undefined) byPages.set(area.pages, [{ ioas, area }]);
        else list.push({ ioas, area });
      }
    }
    const copies: Copy[] = [];
    const temporary: Placed[][] = [];
    for (const placed of byPages.values()) {
      const source = sourceOf(placed);
      if (source === undefined) {
        temporary.push(placed);
        continue;
      }
      this.#mapArea(source.area, this.#id(source.ioas));
      for (const target of placed)
        if (target !== source) copies.push(copyFrom(source.area, source.ioas, target));
    }
    this.#copy(copies);
    if (temporary.length > 0) this.#mapByCopies(temporary);
    if (copies.length > 0) this.atLeast++;
    this.atLeast += temporary.length;
  }

  #mapArea(area: Area, ioas: number, helper = false): void {
    const { pages, startByte, start, prot } = area;
    const flags = flagsOf(prot);
    const [address, length] = [pages.address + startByte, lengthOf(area)];
    const extras = pages.isNamed ? { memory: placeOf(area) } : {};
    if (pages.fd !== undefined) {
      const args = { size: 40, flags, ioas_id: ioas, fd: pages.fd, start: address, length, iova: start };
      this.#helper('IOAS_MAP_FILE', args, extras);
    } else {
      const args = { size: 40, flags, ioas_id: ioas, user_va: address, length, iova: start };
      this.#helper('IOAS_MAP', args, extras);
    }
    if (!helper) this.atLeast++;
  }

  /** Memory that no area has whole, or none with its protection, is mapped in an IOAS that goes again. */
  #mapByCopies(groups: readonly (readonly Placed[])[]): void {
    const id = this.#next;
    this.#helper('IOAS_ALLOC', { size: 12, flags: 0, out_ioas_id: 0 });
    let iova = PAGE;
    for (const placed of groups) {
      const [first] = placed;
      if (first === undefined) continue;
      const { pages } = first.area;
      const { start: startByte, end } = boundsOf(placed);
      const length = end - startByte;
      const prot = PROT.CACHE | PROT.READ | (pages.writable ? PROT.WRITE : 0);
      const source: Area = { start: iova, last: iova + length - 1n, prot, pages, startByte };
      this.#mapArea(source, id, true);
      for (const target of placed) this.#copy([copyFrom(source, id, target)]);
      iova += ((length + PAGE - 1n) / PAGE + 1n) * PAGE;
    }
    this.#helper('DESTROY', { size: 8, id });
  }

  /** Copies, those that go on from one area to the next in one call. */
  #copy(copies: readonly Copy[]): void {
    const order = copies.toSorted((a, b) => this.#id(a.to) - this.#id(b.to) || (a.iova < b.iova ? -1 : 1));
    for (let index = 0; index < order.length; ) {
      const first = order[index];
      if (first === undefined) return;
      let length = first.length;
      let before = first;
      for (index++; index < order.length; index++) {
        const next = order[index];
        if (next === undefined || !goesOn(before, next)) break;
        length += next.length;
        before = next;
      }
      const source = typeof first.from === 'number' ? first.from : this.#id(first.from);
      const ids = { dst_ioas_id: this.#id(first.to), src_ioas_id: source };
      const iovas = { dst_iova: first.iova, src_iova: first.source };
      this.#helper('IOAS_COPY', { size: 40, flags: flagsOf(first.prot), ...ids, length, ...iovas });
    }
  }
}

/** Widens a record of one call to one of any. */
function recordOf<K extends IoctlName>(
  call: K,
  base: RecordBase,
  args: IoctlArgs<K>,
  extras: IoctlExtras,
): LogRecord {
  return ioctlRecord<IoctlName>(call, base, args, extras);
}

function flagsOf(prot: number): number {
  const write = (prot & PROT.WRITE) === 0 ? 0 : Number(IOAS_MAP_FLAGS.WRITEABLE);
  const read = (prot & PROT.READ) === 0 ? 0 : Number(IOAS_MAP_FLAGS.READABLE);
  return FIXED | write | read;
}
