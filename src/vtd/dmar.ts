// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { Issue } from '../bytes/issue.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import { quoteName } from '../bytes/printable.js';
import {
  DEVICE_SCOPE,
  DMAR_HEADER,
  DMAR_STRUCTURE,
  DMAR_STRUCTURES,
  type DmarStructureFormat,
} from './abi/dmar-structures.js';
import { type BitRecord, type BitValues, checkBits, decodeBits } from './bit-record.js';
import type { FieldValue } from './device-path.js';
import { WalkError } from './error.js';

/** A device named by its way through bridges. */
export interface DeviceScope {
  /** Bytes from the start of the table. */
  readonly offset: number;
  /** `PCI endpoint`, …; `undefined` for a type that is not known. */
  readonly kind: string | undefined;
  readonly values: BitValues<(typeof DEVICE_SCOPE)['fields']>;
  /** Device and function numbers, from the start bus on; the last ones are the device's. */
  readonly path: readonly { readonly device: number; readonly function: number }[];
}

/** One remapping structure. */
export interface DmarStructure {
  /** Bytes from the start of the table. */
  readonly offset: number;
  readonly type: number;
  /** In bytes, as far as the table has them. */
  readonly length: number;
  /** `DRHD`, `RMRR`, …; `undefined` for a type that is not known. */
  readonly name: string | undefined;
  /** The fields of the fixed part; none for an unknown type or where it is cut off. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly scopes: readonly DeviceScope[];
  /** ANDD: the path in the ACPI namespace, one character a byte. */
  readonly acpiPath: string | undefined;
}

/**
 * What can be wrong with a DMAR table:
 *
 * - `TRUNCATED`: a length leads beyond the table, or the table beyond the file
 * - `BAD_LENGTH`: a length that is too short for what it is the length of
 * - `BAD_CHECKSUM`: the bytes do not add up to 0
 * - `RESERVED_BITS`, `RESERVED_VALUE`: bits that must be zero, values that mean nothing
 * - `UNKNOWN_TYPE`: a structure that is not known
 * - `BAD_RANGE`: addresses that are not aligned or in the wrong order
 */
export type DmarFindingCode =
  | 'TRUNCATED'
  | 'BAD_LENGTH'
  | 'BAD_CHECKSUM'
  | 'RESERVED_BITS'
  | 'RESERVED_VALUE'
  | 'UNKNOWN_TYPE'
  | 'BAD_RANGE';

/** Something wrong with the table; `offset` counts bytes from its start. */
export interface DmarFinding extends Issue<DmarFindingCode> {
  readonly offset: number;
}

/** A decoded DMAR table. */
export interface DmarTable {
  readonly header: BitValues<(typeof DMAR_HEADER)['fields']>;
  /** Width of physical addresses in bits. */
  readonly hostBits: number;
  readonly structures: readonly DmarStructure[];
  readonly findings: readonly DmarFinding[];
}

/**
 * Decodes an ACPI DMAR table with all its structures and scopes. Goes on after whatever is wrong, as far as lengths
 * lead.
 *
 * @param bytes the table, as in /sys/firmware/acpi/tables/DMAR; bytes behind it are not looked at
 * @throws WalkError BAD_TABLE when it is shorter than a header or has another signature
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { decodeDmar } from 'kho-toolkit/vtd';
 *
 * const { structures, findings } = decodeDmar(readFileSync('fixtures/kernel-7.3.4/DMAR'));
 * console.log(structures.length, findings.length);
 * ```
 */
export function decodeDmar(bytes: Uint8Array): DmarTable {
  if (bytes.length < DMAR_HEADER.size || decodeLatin1(bytes, 0, 4) !== 'DMAR') {
    throw new WalkError({
      code: 'BAD_TABLE',
      message: `a DMAR table starts with "DMAR" and has ${DMAR_HEADER.size} bytes at least, found "${quoteName(decodeLatin1(bytes, 0, Math.min(4, bytes.length)))}" and ${bytes.length} bytes`,
    });
  }
  return new DmarReader(bytes).read();
}

class DmarReader {
  readonly #bytes: Uint8Array;
  readonly #findings: DmarFinding[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): DmarTable {
    const header = decodeBits(DMAR_HEADER, this.#bytes);
    this.#check(DMAR_HEADER, 0, 'header');
    let end = header.length;
    if (end < DMAR_HEADER.size) {
      this.#find('BAD_LENGTH', 4, 'header', `a length of ${DMAR_HEADER.size} or more expected, found ${end}`);
    }
    if (end > this.#bytes.length) {
      this.#find('TRUNCATED', 4, 'header', `${end} bytes expected, ${this.#bytes.length} there`);
      end = this.#bytes.length;
    } else {
      let sum = 0;
      for (let at = 0; at < end; at++) sum = (sum + (this.#bytes[at] ?? 0)) & 255;
      if (sum !== 0) this.#find('BAD_CHECKSUM', 9, 'header', `a sum of 0 expected, found ${formatHex(sum)}`);
    }
    const structures: DmarStructure[] = [];
    for (let at = DMAR_HEADER.size; at < end; ) {
      const found = this.#structure(at, end, structures.length);
      if (found === undefined) break;
      structures.push(found);
      at += found.length;
    }
    return { header, hostBits: header.width + 1, structures, findings: this.#findings };
  }

  #find(code: DmarFindingCode, offset: number, path: string, message: string): void {
    this.#findings.push({ code, message, offset, path });
  }

  #check(record: BitRecord, offset: number, path: string): void {
    for (const { code, message } of checkBits(record, this.#bytes.subarray(offset))) {
      this.#find(code, offset, path, message);
    }
  }

  #structure(offset: number, end: number, index: number): DmarStructure | undefined {
    const path = `structure ${index}`;
    if (end - offset < DMAR_STRUCTURE.size) {
      this.#find('TRUNCATED', offset, path, `${DMAR_STRUCTURE.size} bytes expected, ${end - offset} left`);
      return undefined;
    }
    const { type, length: declared } = decodeBits(DMAR_STRUCTURE, this.#bytes.subarray(offset));
    if (declared < DMAR_STRUCTURE.size) {
      const message = `a length of ${DMAR_STRUCTURE.size} or more expected, found ${declared}`;
      this.#find('BAD_LENGTH', offset + 2, path, message);
      return undefined;
    }
    const length = Math.min(declared, end - offset);
    if (length < declared)
      this.#find('TRUNCATED', offset, path, `${declared} bytes expected, ${length} left`);
    const format = DMAR_STRUCTURES[type];
    const bare = { offset, type, length, name: format?.name, fields: {}, scopes: [], acpiPath: undefined };
    if (format === undefined) {
      this.#find('UNKNOWN_TYPE', offset, path, `a type from 0 to 6 expected, found ${type}`);
      return bare;
    }
    const { record } = format;
    if (length < record.size) {
      const message = `a ${format.name} of ${record.size} bytes or more expected, found ${length}`;
      this.#find('BAD_LENGTH', offset + 2, path, message);
      return bare;
    }
    return { ...bare, ...this.#contents(format, offset, length, `${format.name} ${path}`) };
  }

  #contents(
    { record, rest }: DmarStructureFormat,
    offset: number,
    length: number,
    path: string,
  ): Pick<DmarStructure, 'fields' | 'scopes' | 'acpiPath'> {
    this.#check(record, offset, path);
    const values: Readonly<Record<string, FieldValue>> = decodeBits(record, this.#bytes.subarray(offset));
    this.#checkRange(values, offset, path);
    const from = offset + record.size;
    const scopes = rest === 'scopes' ? this.#scopes(from, offset + length, path) : [];
    if (rest === 'nothing' && length !== record.size) {
      this.#find('BAD_LENGTH', offset + 2, path, `a length of ${record.size} expected, found ${length}`);
    }
    return {
      fields: values,
      scopes,
      acpiPath: rest === 'path' ? this.#acpiPath(from, offset + length, path) : undefined,
    };
  }

  /** Registers and reserved memory start and end on pages. Source: kernel 7.3.4 drivers/iommu/intel/iommu.c. */
  #checkRange({ base, end }: Readonly<Record<string, FieldValue>>, offset: number, path: string): void {
    if (typeof base !== 'bigint') return;
    if ((base & 0xfffn) !== 0n) {
      this.#find(
        'BAD_RANGE',
        offset + 8,
        path,
        `base: a multiple of 4096 expected, found ${formatHex(base)}`,
      );
    }
    if (typeof end !== 'bigint') return;
    if (((end + 1n) & 0xfffn) !== 0n) {
      const message = `end: the last byte of a page expected, found ${formatHex(end)}`;
      this.#find('BAD_RANGE', offset + 16, path, message);
    }
    if (end <= base) {
      const message = `end: more than base ${formatHex(base)} expected, found ${formatHex(end)}`;
      this.#find('BAD_RANGE', offset + 16, path, message);
    }
  }

  #scopes(from: number, end: number, path: string): DeviceScope[] {
    const scopes: DeviceScope[] = [];
    for (let at = from; at < end; ) {
      const place = `${path} scope ${scopes.length}`;
      if (end - at < DEVICE_SCOPE.size) {
        this.#find('TRUNCATED', at, place, `${DEVICE_SCOPE.size} bytes expected, ${end - at} left`);
        break;
      }
      const values = decodeBits(DEVICE_SCOPE, this.#bytes.subarray(at));
      if (values.length < DEVICE_SCOPE.size) {
        const message = `a length of ${DEVICE_SCOPE.size} or more expected, found ${values.length}`;
        this.#find('BAD_LENGTH', at + 1, place, message);
        break;
      }
      this.#check(DEVICE_SCOPE, at, place);
      const length = Math.min(values.length, end - at);
      if (length < values.length) {
        this.#find('TRUNCATED', at, place, `${values.length} bytes expected, ${length} left`);
      } else if (length === DEVICE_SCOPE.size || length % 2 !== 0) {
        this.#find(
          'BAD_LENGTH',
          at + 1,
          place,
          `a path of whole steps expected, found ${length - DEVICE_SCOPE.size} bytes`,
        );
      }
      const steps: { device: number; function: number }[] = [];
      for (let step = at + DEVICE_SCOPE.size; step + 1 < at + length; step += 2) {
        steps.push({ device: this.#bytes[step] ?? 0, function: this.#bytes[step + 1] ?? 0 });
      }
      const { names } = DEVICE_SCOPE.fields.type;
      scopes.push({ offset: at, kind: names?.[values.type], values, path: steps });
      at += length;
    }
    return scopes;
  }

  #acpiPath(from: number, end: number, path: string): string {
    const nul = this.#bytes.subarray(from, end).indexOf(0);
    if (nul < 0)
      this.#find('TRUNCATED', from, path, 'a NUL at the end of the ACPI path expected, none found');
    return decodeLatin1(this.#bytes, from, nul < 0 ? end : from + nul);
  }
}
