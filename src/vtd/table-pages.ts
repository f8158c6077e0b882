// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { type BitRecord, checkBits } from './bit-record.js';
import { brokenRules } from './capability-rules.js';
import type { DomainFinding, DomainFindingCode } from './domain.js';
import type { Capabilities } from './registers.js';

/** The tables between a device and its page tables. */
export type DeviceTableKind = 'root' | 'context' | 'pasidDirectory' | 'pasidTable';

/** An entry that findings are about. */
export interface EntryPlace {
  /** Physical address of the entry. */
  readonly address: bigint;
  /** Whose entry it is. */
  readonly path: string;
}

const TITLES: Readonly<Record<DeviceTableKind, string>> = {
  root: 'root table',
  context: 'context table',
  pasidDirectory: 'PASID directory',
  pasidTable: 'PASID table',
};

/** Reads pages of device tables: remembers each, and collects what is wrong with entries and their pointers. */
export class TablePages {
  readonly #memory: PhysicalMemory;
  readonly #hostBits: number;
  readonly #maxFindings: number;
  readonly #maxRepeats: number;
  readonly #kinds = new Map<number, DeviceTableKind>();
  readonly #findings: DomainFinding[] = [];
  readonly #counts: Partial<Record<DomainFindingCode, number>> = {};
  #repeats = 0;

  constructor(
    memory: PhysicalMemory,
    hostBits: number,
    limits: { readonly maxFindings?: number | undefined; readonly maxRepeats?: number | undefined },
  ) {
    this.#memory = memory;
    this.#hostBits = hostBits;
    this.#maxFindings = limits.maxFindings ?? 1000;
    this.#maxRepeats = limits.maxRepeats ?? 4096;
  }

  /** Notes a finding; `message` is made only if it is kept. */
  find(code: DomainFindingCode, { address, path }: EntryPlace, message: () => string): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
    if (this.#findings.length < this.#maxFindings) {
      this.#findings.push({ code, message: message(), address, path });
    }
  }

  /** Notes reserved bits that are set and reserved values in an entry. */
  check(record: BitRecord, bytes: Uint8Array, place: EntryPlace): void {
    for (const { code, message } of checkBits(record, bytes)) this.find(code, place, () => message);
  }

  /** Notes what the hardware lacks. */
  unsupported<Values>(
    rules: Parameters<typeof brokenRules<Values>>[0],
    values: Values,
    capabilities: Capabilities | undefined,
    place: EntryPlace,
  ): void {
    if (capabilities === undefined) return;
    for (const text of brokenRules(rules, values, capabilities)) this.find('UNSUPPORTED', place, () => text);
  }

  /** Notes an address beyond the platform's; the pointer is followed all the same. */
  checkHost(address: bigint, what: string, place: EntryPlace): void {
    if (address >> BigInt(this.#hostBits) === 0n) return;
    this.find(
      'BEYOND_HOST',
      place,
      () => `${what}: an address below 2^${this.#hostBits} expected, found ${formatHex(address)}`,
    );
  }

  /**
   * The page of a table that `from` leads to.
   *
   * @returns `undefined`, with a finding, when it is not there or was read too often
   */
  read(kind: DeviceTableKind, address: bigint, from: EntryPlace): Uint8Array | undefined {
    this.checkHost(address, TITLES[kind], from);
    const frame = Number(address >> 12n);
    const before = this.#kinds.get(frame);
    if (before !== undefined) {
      this.find(
        before === kind ? 'SHARED_TABLE' : 'TABLE_LOOP',
        from,
        () =>
          `a ${TITLES[kind]} of its own expected, ${formatHex(address)} was already read as ${TITLES[before]}`,
      );
      // Context tables are 512 at most, however often they are shared.
      if (kind !== 'context' && ++this.#repeats > this.#maxRepeats) {
        this.find('LIMIT', from, () => 'too many tables are reached more than once; left out from here on');
        return undefined;
      }
    }
    const page = this.#memory.page(frame);
    if (typeof page === 'string') {
      this.#missing(page, TITLES[kind], address, from);
      return undefined;
    }
    if (before === undefined) this.#kinds.set(frame, kind);
    return page;
  }

  /** Notes a top page table that is not there, or that is a table of devices as well. */
  checkTopTable(address: bigint, place: EntryPlace): void {
    this.checkHost(address, 'page table', place);
    const frame = Number(address >> 12n);
    const kind = this.#kinds.get(frame);
    if (kind !== undefined) {
      this.find(
        'TABLE_LOOP',
        place,
        () => `a page table expected at ${formatHex(address)}, which was read as ${TITLES[kind]}`,
      );
    }
    const page = kind === undefined ? this.#memory.page(frame) : undefined;
    if (typeof page === 'string') this.#missing(page, 'page table', address, place);
  }

  #missing(miss: 'absent' | 'excluded', what: string, address: bigint, place: EntryPlace): void {
    const absent = miss === 'absent';
    this.find(
      absent ? 'OUTSIDE_IMAGE' : 'EXCLUDED',
      place,
      () =>
        `a ${what} expected at ${formatHex(address)}, ${absent ? 'not in the image' : 'left out of the dump'}`,
    );
  }

  /** Pages and findings so far. */
  result(): {
    tablePages: Record<DeviceTableKind, Float64Array>;
    findings: DomainFinding[];
    findingCounts: Partial<Record<DomainFindingCode, number>>;
  } {
    const frames: Record<DeviceTableKind, number[]> = {
      root: [],
      context: [],
      pasidDirectory: [],
      pasidTable: [],
    };
    for (const [frame, kind] of this.#kinds) frames[kind].push(frame);
    const { root, context, pasidDirectory, pasidTable } = frames;
    return {
      tablePages: {
        root: Float64Array.from(root),
        context: Float64Array.from(context),
        pasidDirectory: Float64Array.from(pasidDirectory),
        pasidTable: Float64Array.from(pasidTable),
      },
      findings: this.#findings,
      findingCounts: this.#counts,
    };
  }
}
