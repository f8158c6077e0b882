// SPDX-License-Identifier: Apache-2.0
// What an iommufd holds: objects by id, who holds whom (drivers/iommu/iommufd/iommufd_private.h, Linux 7.3.4).
import { AddressSpace } from './address-space.js';
import { IdTable } from './id-table.js';
import type { DeviceFacts } from './log.js';

interface ObjectBase {
  readonly id: number;
  /** How many others hold it: it cannot be destroyed before they let go. */
  users: number;
}

/** An I/O address space. */
export interface Ioas extends ObjectBase {
  readonly type: 'ioas';
  readonly space: AddressSpace;
  /** Page tables of it that devices share without being told to. */
  readonly autoHwpts: Set<Hwpt>;
}

/** A hardware page table: of an IOAS, or of a guest, nested in another. */
export interface Hwpt extends ObjectBase {
  readonly type: 'hwpt';
  /** Where its mappings come from; of a nested one the IOAS of the table around it. */
  readonly ioas: Ioas;
  /** The table that a nested one is nested in. */
  readonly parent: Hwpt | undefined;
  /** The virtual IOMMU that a nested one was made with. */
  readonly viommu: Viommu | undefined;
  readonly fault: Fault | undefined;
  /** Made by attaching a device to an IOAS: it goes with the last device. */
  readonly auto: boolean;
  /** Flags of HWPT_ALLOC. */
  readonly flags: number;
  readonly dataType: number;
  readonly data: Uint8Array | undefined;
  /** The physical IOMMU. */
  readonly unit: string;
  dirtyTracking: boolean;
}

/** A device that was bound. */
export interface DeviceObject extends ObjectBase {
  readonly type: 'device';
  /** Name of its file in the log. */
  readonly file: string;
  readonly facts: DeviceFacts;
  /** The page table of each PASID; -1 stands for requests without one. */
  readonly attachments: Map<number, Hwpt>;
  vdevice: Vdevice | undefined;
}

/** A queue of page faults. */
export interface Fault extends ObjectBase {
  readonly type: 'fault';
}

/** A virtual IOMMU. */
export interface Viommu extends ObjectBase {
  readonly type: 'viommu';
  readonly hwpt: Hwpt;
  readonly kind: number;
  readonly unit: string;
  /** Its devices by what the guest calls them. */
  readonly vdevices: Map<bigint, Vdevice>;
  /** Types of its event queues. */
  readonly eventTypes: Set<number>;
}

/** A device of a virtual IOMMU. */
export interface Vdevice extends ObjectBase {
  readonly type: 'vdevice';
  readonly viommu: Viommu;
  readonly device: DeviceObject;
  readonly virtId: bigint;
}

/** A queue of events of a virtual IOMMU. */
export interface Veventq extends ObjectBase {
  readonly type: 'veventq';
  readonly viommu: Viommu;
  readonly kind: number;
  readonly depth: number;
}

/** A hardware queue of a virtual IOMMU. */
export interface HwQueue extends ObjectBase {
  readonly type: 'hw-queue';
  readonly viommu: Viommu;
  readonly kind: number;
  readonly index: number;
  readonly iova: bigint;
  readonly length: bigint;
}

/** Anything that has an id. */
export type IommufdObject = Ioas | Hwpt | DeviceObject | Fault | Viommu | Vdevice | Veventq | HwQueue;

/** The object of a type. */
export type ObjectOf<T extends IommufdObject['type']> = Extract<IommufdObject, { readonly type: T }>;

/** One open iommufd. */
export class Context {
  /** Name of its file in the log. */
  readonly file: string;
  readonly objects: Map<number, IommufdObject> = new Map();
  /** The IOAS of the VFIO container interface. */
  vfioIoas: Ioas | undefined;
  /** Whether pinned memory is charged to the process (`mm`), not the user: RLIMIT_MODE. */
  chargesProcess = false;
  /** Whether calls can be made; a context outlives its descriptor while devices are bound. */
  isOpen = true;
  readonly #ids = new IdTable();
  /** Objects by what the log calls them: ids differ from ours where the log is not complete. */
  readonly #known = new Map<number, IommufdObject>();

  constructor(file: string) {
    this.file = file;
  }

  /** Whether there is no object. */
  get isEmpty(): boolean {
    return this.objects.size === 0;
  }

  /** The object that the log calls `id`, if it is of that type. */
  find<T extends IommufdObject['type']>(id: number, type: T): ObjectOf<T> | undefined {
    const found = this.any(id);
    return found !== undefined && isType(found, type) ? found : undefined;
  }

  /** The object that the log calls `id`. */
  any(id: number): IommufdObject | undefined {
    const object = this.#known.get(id);
    return object !== undefined && this.objects.get(object.id) === object ? object : undefined;
  }

  /** Adds an object; `make` gets the id. */
  add<T extends IommufdObject>(make: (id: number) => T): T {
    const made = make(this.#ids.take());
    this.objects.set(made.id, made);
    return made;
  }

  /** From now on the log's `recorded` is our object. */
  learn(recorded: number, object: IommufdObject): void {
    this.#known.set(recorded, object);
  }

  /** Takes an object away. Its id stays taken if `keepId`. */
  drop(object: IommufdObject, keepId = false): void {
    this.objects.delete(object.id);
    if (!keepId) this.#ids.release(object.id);
  }
}

function isType<T extends IommufdObject['type']>(object: IommufdObject, type: T): object is ObjectOf<T> {
  return object.type === type;
}

/** A new IOAS. */
export function newIoas(id: number): Ioas {
  return { type: 'ioas', id, users: 0, space: new AddressSpace(), autoHwpts: new Set() };
}
