// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import {
  CONTEXT_ENTRY,
  PASID_DIRECTORY_ENTRY,
  PASID_ENTRY,
  ROOT_ENTRY,
  SCALABLE_CONTEXT_ENTRY,
  SCALABLE_ROOT_ENTRY,
} from './abi/device-tables.js';
import { type BitField, type BitRecord, type BitValues, checkBits, decodeBits } from './bit-record.js';
import { type DeviceRoot, resolveRoot } from './device-root.js';
import { contextTables, type DomainTables, pasidTables, type TablesOrReason } from './domain.js';
import { WalkError } from './error.js';
import { SOURCE_IDS } from './source-id.js';

/** A decoded field. */
export type FieldValue = boolean | number | bigint | string;

/** One entry on the way from a device to its page tables. */
export interface DeviceStep {
  /** What the entry is, and how it is declared. */
  readonly record: BitRecord;
  /** Physical address of the entry. */
  readonly address: bigint;
  /** The entry as it lies in memory. */
  readonly bytes: Uint8Array;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/**
 * Why a request does not get to page tables:
 *
 * - `NOT_PRESENT`: an entry has its present bit clear
 * - `OUTSIDE_IMAGE`, `EXCLUDED`: an entry is not in the image, or was left out of the dump
 * - `RESERVED`: an entry has reserved bits or values, which hardware answers with a fault
 * - `BEYOND_PASIDS`: the PASID directory has no entry for the PASID
 */
export type DeviceFaultCode = 'NOT_PRESENT' | 'OUTSIDE_IMAGE' | 'EXCLUDED' | 'RESERVED' | 'BEYOND_PASIDS';

/** Why, and where. */
export interface DeviceFault {
  readonly code: DeviceFaultCode;
  readonly message: string;
  /** Physical address of the entry. */
  readonly address: bigint;
}

/** The way from a device to its page tables. */
export interface DevicePath {
  /** Entries in the order of hardware. */
  readonly steps: readonly DeviceStep[];
  /** `undefined` where there is a fault that leaves nothing to follow. */
  readonly tables: DomainTables | undefined;
  /** The first fault; reserved bits are one, though tables may be there. */
  readonly fault: DeviceFault | undefined;
  /** The PASID that was looked up; `undefined` in legacy mode. */
  readonly pasid: number | undefined;
}

/**
 * Follows root, context and PASID tables for one device.
 *
 * @param sourceId bus, device and function, 16 bits
 * @param pasid in scalable mode; by default the one that the context entry names for requests without one
 * @throws WalkError BAD_ARGUMENT when RTADDR names no mode, for a source id of more than 16 or a PASID of more than 20
 * bits, and for a PASID in legacy mode; ImageError when the image cannot be read
 */
export function findDevice(
  memory: PhysicalMemory,
  root: DeviceRoot,
  sourceId: number,
  pasid?: number,
): DevicePath {
  const { table, mode } = resolveRoot(root);
  if (!Number.isInteger(sourceId) || sourceId < 0 || sourceId >= SOURCE_IDS)
    throw refuse(`source id ${sourceId}`);
  if (pasid !== undefined && (!Number.isInteger(pasid) || pasid < 0 || pasid >= 2 ** 20)) {
    throw refuse(`PASID ${pasid}, which has 20 bits`);
  }
  const path = new OpenPath(memory);
  if (mode === 'scalable') return path.scalable(table, sourceId, pasid);
  if (pasid !== undefined) throw refuse('a PASID in legacy mode, which has none');
  return path.legacy(table, sourceId);
}

function refuse(what: string): WalkError {
  return new WalkError({ code: 'BAD_ARGUMENT', message: `cannot look up ${what}` });
}

class OpenPath {
  readonly #memory: PhysicalMemory;
  readonly #steps: DeviceStep[] = [];
  #fault: DeviceFault | undefined;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  legacy(table: bigint, sourceId: number): DevicePath {
    const root = this.#step(ROOT_ENTRY, table + BigInt((sourceId >> 8) * 16), 'P');
    const context = root && this.#step(CONTEXT_ENTRY, root.CTP + BigInt((sourceId & 255) * 16), 'P');
    return this.#end(context && contextTables(context), undefined);
  }

  scalable(table: bigint, sourceId: number, asked: number | undefined): DevicePath {
    const upper = (sourceId & 0x80) !== 0;
    const root = this.#step(SCALABLE_ROOT_ENTRY, table + BigInt((sourceId >> 8) * 16), upper ? 'UP' : 'LP');
    const context =
      root &&
      this.#step(
        SCALABLE_CONTEXT_ENTRY,
        (upper ? root.UCTP : root.LCTP) + BigInt((sourceId & 127) * 32),
        'P',
      );
    if (context === undefined) return this.#end(undefined, asked);
    const pasid = asked ?? context.RID_PASID;
    const slot = context.PASIDDIRPTR + BigInt((pasid >> 6) * 8);
    const entries = 2 ** (context.PDTS + 7);
    if (pasid >> 6 >= entries) {
      this.#note(
        'BEYOND_PASIDS',
        slot,
        `PASID 0x${pasid.toString(16)}: the directory has ${entries} entries`,
      );
      return this.#end(undefined, pasid);
    }
    const directory = this.#step(PASID_DIRECTORY_ENTRY, slot, 'P');
    const entry = directory && this.#step(PASID_ENTRY, directory.SMPTBLPTR + BigInt((pasid & 63) * 64), 'P');
    return this.#end(entry && pasidTables(entry), pasid);
  }

  #end(tables: TablesOrReason, pasid: number | undefined): DevicePath {
    const last = this.#steps.at(-1);
    if (typeof tables === 'string' && last !== undefined) this.#note('RESERVED', last.address, tables);
    return {
      steps: this.#steps,
      tables: typeof tables === 'string' ? undefined : tables,
      fault: this.#fault,
      pasid,
    };
  }

  #note(code: DeviceFaultCode, address: bigint, message: string): void {
    this.#fault ??= { code, message, address };
  }

  /** Reads an entry; `undefined`, with a fault, when it is not there or not present. */
  #step<Fields extends Readonly<Record<string, BitField>>>(
    record: BitRecord<Fields>,
    address: bigint,
    present: string & keyof Fields,
  ): BitValues<Fields> | undefined {
    const page = this.#memory.page(Number(address >> 12n));
    if (typeof page === 'string') {
      const absent = page === 'absent';
      const why = absent ? 'not in the image' : 'left out of the dump';
      this.#note(
        absent ? 'OUTSIDE_IMAGE' : 'EXCLUDED',
        address,
        `a ${record.name} expected at ${formatHex(address)}, ${why}`,
      );
      return undefined;
    }
    const within = Number(address & 0xfffn);
    const bytes = page.subarray(within, within + record.size);
    const values = decodeBits(record, bytes);
    const fields: Record<string, FieldValue> = { ...values };
    this.#steps.push({ record, address, bytes, fields });
    if (fields[present] !== true) {
      this.#note('NOT_PRESENT', address, `the ${record.name} is not present (${present} is 0)`);
      return undefined;
    }
    const broken = checkBits(record, bytes);
    if (broken.length > 0) {
      this.#note('RESERVED', address, `${record.name}: ${broken.map(({ message }) => message).join('; ')}`);
    }
    return values;
  }
}
