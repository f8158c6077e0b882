// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { Issue } from '../bytes/issue.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { POSTED_INTERRUPT, REMAPPED_INTERRUPT } from './abi/interrupt-entries.js';
import { IRTA } from './abi/registers.js';
import { type BitRecord, type BitValues, checkBits, decodeBits } from './bit-record.js';
import { WalkError } from './error.js';
import { decodeRegister } from './registers.js';
import { formatSourceId } from './source-id.js';

/** Where an entry is. */
export interface InterruptEntry {
  readonly index: number;
  /** Physical address of the entry. */
  readonly address: bigint;
  /** The entry as it lies in memory: 16 bytes. */
  readonly bytes: Uint8Array;
}

/** A present entry. */
export type Interrupt =
  | (InterruptEntry & {
      readonly kind: 'remapped';
      readonly values: BitValues<(typeof REMAPPED_INTERRUPT)['fields']>;
      /** APIC id, of 8 bits unless the table is for x2APIC. */
      readonly destination: number;
    })
  | (InterruptEntry & {
      readonly kind: 'posted';
      readonly values: BitValues<(typeof POSTED_INTERRUPT)['fields']>;
      /** Physical address of the posted-interrupt descriptor, 64 bytes. */
      readonly descriptor: bigint;
    });

/** What can be wrong with an interrupt-remapping table: as the codes of domains. */
export type InterruptFindingCode = 'RESERVED_BITS' | 'RESERVED_VALUE' | 'OUTSIDE_IMAGE' | 'EXCLUDED';

/** Something wrong with an entry, or with the table. */
export interface InterruptFinding extends Issue<InterruptFindingCode> {
  readonly address: bigint;
}

/** An interrupt-remapping table. */
export interface InterruptTable {
  /** Physical address of the table. */
  readonly table: bigint;
  /** How many entries it has. */
  readonly entries: number;
  /** Whether destinations are x2APIC ids. */
  readonly extended: boolean;
  /** The present entries, in order. */
  readonly interrupts: readonly Interrupt[];
  /** Frames of its pages that are in the image. */
  readonly tablePages: Float64Array;
  readonly findings: readonly InterruptFinding[];
}

const ENTRY_BYTES = 16;
const PAGE_ENTRIES = 4096 / ENTRY_BYTES;
const POSTED_BYTE = 1;
const POSTED_BIT = 0x80;

/**
 * Reads an interrupt-remapping table: all present entries and what is wrong with them.
 *
 * @param irta the value of IRTA: the address of the table, and its size in bits 3:0
 * @throws WalkError BAD_ARGUMENT when it has reserved bits set; ImageError when the image cannot be read
 */
export function readInterrupts(memory: PhysicalMemory, irta: bigint): InterruptTable {
  const { S, EIME: extended, IRTA: table } = decodeRegister(IRTA, irta);
  if ((irta & 0x7f0n) !== 0n || irta >> 64n !== 0n) {
    throw new WalkError({
      code: 'BAD_ARGUMENT',
      message: `IRTA: bits 10:4 expected to be 0, found ${formatHex(irta)}`,
    });
  }
  const entries = 2 ** (S + 1);
  const interrupts: Interrupt[] = [];
  const findings: InterruptFinding[] = [];
  const frames: number[] = [];
  for (let first = 0; first < entries; first += PAGE_ENTRIES) {
    const start = table + BigInt(first * ENTRY_BYTES);
    const page = memory.page(Number(start >> 12n));
    if (typeof page === 'string') {
      const absent = page === 'absent';
      findings.push({
        code: absent ? 'OUTSIDE_IMAGE' : 'EXCLUDED',
        message: `entries expected here, ${absent ? 'not in the image' : 'left out of the dump'}`,
        address: start,
        path: `entries ${first} to ${Math.min(first + PAGE_ENTRIES, entries) - 1}`,
      });
      continue;
    }
    frames.push(Number(start >> 12n));
    for (let index = 0; index < Math.min(PAGE_ENTRIES, entries - first); index++) {
      const bytes = page.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
      if (((bytes[0] ?? 0) & 1) === 0) continue;
      const address = start + BigInt(index * ENTRY_BYTES);
      const found = readInterrupt(bytes, first + index, address, extended);
      interrupts.push(found);
      findings.push(...checkInterrupt(found, extended));
    }
  }
  return { table, entries, extended, interrupts, tablePages: Float64Array.from(frames), findings };
}

function readInterrupt(bytes: Uint8Array, index: number, address: bigint, extended: boolean): Interrupt {
  const entry = { index, address, bytes };
  if (((bytes[POSTED_BYTE] ?? 0) & POSTED_BIT) !== 0) {
    const values = decodeBits(POSTED_INTERRUPT, bytes);
    const descriptor = (BigInt(values.PDAH) << 32n) | (BigInt(values.PDAL) << 6n);
    return { ...entry, kind: 'posted', values, descriptor };
  }
  const values = decodeBits(REMAPPED_INTERRUPT, bytes);
  return {
    ...entry,
    kind: 'remapped',
    values,
    destination: extended ? values.DST : (values.DST >> 8) & 0xff,
  };
}

function checkInterrupt(found: Interrupt, extended: boolean): InterruptFinding[] {
  const record: BitRecord = found.kind === 'posted' ? POSTED_INTERRUPT : REMAPPED_INTERRUPT;
  const place = { address: found.address, path: `entry ${found.index}` };
  const findings: InterruptFinding[] = checkBits(record, found.bytes).map((broken) => ({
    ...broken,
    ...place,
  }));
  if (found.kind === 'remapped' && !extended && found.values.DST !== found.destination << 8) {
    const message = `DST: an xAPIC id in bits 47:40 expected, found ${formatHex(found.values.DST)}`;
    findings.push({ code: 'RESERVED_BITS', message, ...place });
  }
  return findings;
}

/** Who may send an interrupt: `00:1f.2`, `buses 03 to 05`, `anyone`. */
export function interruptSource({ values: { SID, SVT } }: Interrupt): string {
  const bus = (value: number): string => value.toString(16).padStart(2, '0');
  if (SVT === 1) return formatSourceId(SID);
  return SVT === 2 ? `buses ${bus(SID >> 8)} to ${bus(SID & 255)}` : 'anyone';
}
