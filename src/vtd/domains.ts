// SPDX-License-Identifier: Apache-2.0
import type { PhysicalMemory } from '../image/physical-memory.js';
import {
  CONTEXT_ENTRY,
  PASID_DIRECTORY_ENTRY,
  PASID_ENTRY,
  ROOT_ENTRY,
  SCALABLE_CONTEXT_ENTRY,
  SCALABLE_ROOT_ENTRY,
} from './abi/device-tables.js';
import { decodeBits } from './bit-record.js';
import { CONTEXT_RULES, PASID_RULES, SCALABLE_CONTEXT_RULES } from './capability-rules.js';
import { type DeviceRoot, resolveRoot } from './device-root.js';
import {
  contextTables,
  type DeviceEntry,
  type Domain,
  type DomainFinding,
  type DomainFindingCode,
  pasidTables,
  type TableMode,
} from './domain.js';
import { DomainCollection } from './domain-collection.js';
import { formatSourceId } from './source-id.js';
import { type DeviceTableKind, TablePages } from './table-pages.js';

const BUSES = 256;
const ROOT_BYTES = 16;
const CONTEXT_BYTES = 16;
const CONTEXTS = 256;
const SCALABLE_CONTEXT_BYTES = 32;
const SCALABLE_CONTEXTS = 128;
const DIRECTORY_BYTES = 8;
const DIRECTORY_PAGE_ENTRIES = 512;
const PASID_BYTES = 64;
const PASIDS = 64;

/** How domains are read. */
export interface DomainOptions {
  /** Findings kept; all are counted. Default 1,000. */
  readonly maxFindings?: number | undefined;
  /** Tables that are read again when they are reached once more; further ones are left out. Default 4,096. */
  readonly maxRepeats?: number | undefined;
  /** Context and PASID entries listed; further ones are left out. Default 4,194,304. */
  readonly maxAttachments?: number | undefined;
}

/** Every domain of a VT-d unit. */
export interface VtdDomains {
  readonly mode: TableMode;
  /** Physical address of the root table. */
  readonly rootTable: bigint;
  /** By ascending id; more than one of an id where entries contradict each other or first stages share it. */
  readonly domains: readonly Domain[];
  /** Devices with a present context entry, by ascending source id. */
  readonly devices: readonly DeviceEntry[];
  /** Frames of the table pages that were read, each once. */
  readonly tablePages: Readonly<Record<DeviceTableKind, Float64Array>>;
  /** The first findings, in the order of the tables. */
  readonly findings: readonly DomainFinding[];
  /** How many there are of each code. */
  readonly findingCounts: Readonly<Partial<Record<DomainFindingCode, number>>>;
}

/**
 * Reads root, context and PASID tables: every domain and what is wrong with the tables. Each table page is read once,
 * however many devices share it; page tables below are for `walkTable`.
 *
 * @throws WalkError BAD_ARGUMENT when RTADDR names no mode; ImageError when the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { formatSourceId, readDomains } from 'kho-toolkit/vtd';
 *
 * const image = openImage('fixtures/kernel-7.3.4/vtd-scalable.trimmed.elf');
 * const { mode, devices } = readDomains(image, { rtaddr: 0x71e400n });
 * console.log(mode, devices.map(({ sourceId }) => formatSourceId(sourceId, 0)));
 * image.close();
 * ```
 */
export function readDomains(
  memory: PhysicalMemory,
  root: DeviceRoot,
  options: DomainOptions = {},
): VtdDomains {
  const { table, mode } = resolveRoot(root);
  const reader = new DomainReader(memory, root, options);
  if (mode === 'legacy') reader.readLegacy(table);
  else reader.readScalable(table);
  return reader.finish(mode, table);
}

class DomainReader {
  readonly #root: DeviceRoot;
  readonly #segment: number;
  readonly #pages: TablePages;
  readonly #domains: DomainCollection;
  readonly #devices: DeviceEntry[] = [];
  /** Devices by their PASID directory: address and size. */
  readonly #directories = new Map<string, DeviceEntry[]>();

  constructor(memory: PhysicalMemory, root: DeviceRoot, options: DomainOptions) {
    this.#root = root;
    this.#segment = root.segment ?? 0;
    this.#pages = new TablePages(memory, root.hostBits ?? 52, options);
    this.#domains = new DomainCollection(this.#pages, root.capabilities, options.maxAttachments);
  }

  finish(mode: TableMode, rootTable: bigint): VtdDomains {
    const domains = this.#domains.finish();
    return { mode, rootTable, domains, devices: this.#devices, ...this.#pages.result() };
  }

  readLegacy(table: bigint): void {
    const page = this.#pages.read('root', table, { address: table, path: 'root table' });
    if (page === undefined) return;
    for (let bus = 0; bus < BUSES; bus++) {
      const bytes = page.subarray(bus * ROOT_BYTES, (bus + 1) * ROOT_BYTES);
      if (((bytes[0] ?? 0) & 1) === 0) continue;
      const rootEntry = table + BigInt(bus * ROOT_BYTES);
      const place = { address: rootEntry, path: busPath(bus) };
      this.#pages.check(ROOT_ENTRY, bytes, place);
      const { CTP } = decodeBits(ROOT_ENTRY, bytes);
      const contexts = this.#pages.read('context', CTP, place);
      if (contexts !== undefined) this.#readContexts(contexts, CTP, bus, rootEntry);
    }
  }

  #readContexts(page: Uint8Array, table: bigint, bus: number, rootEntry: bigint): void {
    for (let index = 0; index < CONTEXTS; index++) {
      const bytes = page.subarray(index * CONTEXT_BYTES, (index + 1) * CONTEXT_BYTES);
      if (((bytes[0] ?? 0) & 1) === 0) continue;
      const sourceId = bus * 256 + index;
      const contextEntry = table + BigInt(index * CONTEXT_BYTES);
      const place = { address: contextEntry, path: formatSourceId(sourceId, this.#segment) };
      this.#pages.check(CONTEXT_ENTRY, bytes, place);
      const values = decodeBits(CONTEXT_ENTRY, bytes);
      this.#pages.unsupported(CONTEXT_RULES, values, this.#root.capabilities, place);
      const device = { segment: this.#segment, sourceId, rootEntry, contextEntry, ridPasid: undefined };
      this.#devices.push(device);
      this.#domains.add(
        contextTables(values),
        { devices: [device], pasid: undefined, entry: contextEntry },
        place,
      );
    }
  }

  readScalable(table: bigint): void {
    const page = this.#pages.read('root', table, { address: table, path: 'root table' });
    if (page === undefined) return;
    for (let bus = 0; bus < BUSES; bus++) {
      const bytes = page.subarray(bus * ROOT_BYTES, (bus + 1) * ROOT_BYTES);
      if ((((bytes[0] ?? 0) | (bytes[8] ?? 0)) & 1) === 0) continue;
      const rootEntry = table + BigInt(bus * ROOT_BYTES);
      const place = { address: rootEntry, path: busPath(bus) };
      this.#pages.check(SCALABLE_ROOT_ENTRY, bytes, place);
      const { LP, LCTP, UP, UCTP } = decodeBits(SCALABLE_ROOT_ENTRY, bytes);
      for (const [present, contexts, upper] of [
        [LP, LCTP, 0],
        [UP, UCTP, SCALABLE_CONTEXTS],
      ] as const) {
        const half = present ? this.#pages.read('context', contexts, place) : undefined;
        if (half !== undefined) this.#readScalableContexts(half, contexts, bus * 256 + upper, rootEntry);
      }
    }
  }

  #readScalableContexts(page: Uint8Array, table: bigint, firstId: number, rootEntry: bigint): void {
    for (let index = 0; index < SCALABLE_CONTEXTS; index++) {
      const bytes = page.subarray(index * SCALABLE_CONTEXT_BYTES, (index + 1) * SCALABLE_CONTEXT_BYTES);
      if (((bytes[0] ?? 0) & 1) === 0) continue;
      const sourceId = firstId + index;
      const contextEntry = table + BigInt(index * SCALABLE_CONTEXT_BYTES);
      const place = { address: contextEntry, path: formatSourceId(sourceId, this.#segment) };
      this.#pages.check(SCALABLE_CONTEXT_ENTRY, bytes, place);
      const values = decodeBits(SCALABLE_CONTEXT_ENTRY, bytes);
      this.#pages.unsupported(SCALABLE_CONTEXT_RULES, values, this.#root.capabilities, place);
      const ridPasid = values.RID_PASID;
      const device = { segment: this.#segment, sourceId, rootEntry, contextEntry, ridPasid };
      this.#devices.push(device);
      const key = `${values.PASIDDIRPTR}/${values.PDTS}`;
      const sharing = this.#directories.get(key);
      if (sharing !== undefined) {
        sharing.push(device);
        continue;
      }
      const devices = [device];
      this.#directories.set(key, devices);
      this.#readDirectory(values.PASIDDIRPTR, 2 ** (values.PDTS + 7), devices, place);
    }
  }

  #readDirectory(
    directory: bigint,
    entries: number,
    devices: DeviceEntry[],
    from: { readonly address: bigint; readonly path: string },
  ): void {
    for (let first = 0; first < entries; first += DIRECTORY_PAGE_ENTRIES) {
      const start = directory + BigInt(first * DIRECTORY_BYTES);
      const page = this.#pages.read('pasidDirectory', start, from);
      if (page === undefined) continue;
      const count = Math.min(DIRECTORY_PAGE_ENTRIES, entries - first);
      for (let index = 0; index < count; index++) {
        const bytes = page.subarray(index * DIRECTORY_BYTES, (index + 1) * DIRECTORY_BYTES);
        if (((bytes[0] ?? 0) & 1) === 0) continue;
        const firstPasid = (first + index) * PASIDS;
        const place = {
          address: start + BigInt(index * DIRECTORY_BYTES),
          path: `${from.path} pasid 0x${firstPasid.toString(16)}..0x${(firstPasid + PASIDS - 1).toString(16)}`,
        };
        this.#pages.check(PASID_DIRECTORY_ENTRY, bytes, place);
        const { SMPTBLPTR } = decodeBits(PASID_DIRECTORY_ENTRY, bytes);
        const pasids = this.#pages.read('pasidTable', SMPTBLPTR, place);
        if (pasids !== undefined) this.#readPasids(pasids, SMPTBLPTR, firstPasid, devices, from.path);
      }
    }
  }

  #readPasids(
    page: Uint8Array,
    table: bigint,
    firstPasid: number,
    devices: DeviceEntry[],
    device: string,
  ): void {
    for (let index = 0; index < PASIDS; index++) {
      const bytes = page.subarray(index * PASID_BYTES, (index + 1) * PASID_BYTES);
      if (((bytes[0] ?? 0) & 1) === 0) continue;
      const pasid = firstPasid + index;
      const entry = table + BigInt(index * PASID_BYTES);
      const place = { address: entry, path: `${device} pasid 0x${pasid.toString(16)}` };
      this.#pages.check(PASID_ENTRY, bytes, place);
      const values = decodeBits(PASID_ENTRY, bytes);
      this.#pages.unsupported(PASID_RULES, values, this.#root.capabilities, place);
      this.#domains.add(pasidTables(values), { devices, pasid, entry }, place);
    }
  }
}

function busPath(bus: number): string {
  return `bus ${bus.toString(16).padStart(2, '0')}`;
}
