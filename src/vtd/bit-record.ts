// SPDX-License-Identifier: Apache-2.0
// The language in which the tables of VT-d are declared: little-endian records of bits, each bit named exactly once.
import { formatHex } from '../bytes/hex.js';

/** Bits `low` to `high` of a record, counted from bit 0 of its first byte. */
interface BitRange {
  readonly low: number;
  readonly high: number;
  readonly doc: string;
}

/** One bit that is a yes or a no. */
export interface FlagBits extends BitRange {
  readonly kind: 'flag';
}

/** An unsigned number of up to 32 bits. */
export interface NumberBits extends BitRange {
  readonly kind: 'number';
  /** What its values are called; a value without a name is reserved. */
  readonly names?: Readonly<Record<number, string>> | undefined;
}

/** Bits of a u64 that are worth what they are in place: a physical address without its low bits. */
export interface AddressBits extends BitRange {
  readonly kind: 'address';
}

/** Bytes of text, padded with spaces or NULs. */
export interface TextBits extends BitRange {
  readonly kind: 'text';
}

/** Bits that mean nothing here: `reserved` ones must be zero, `ignored` ones may hold anything. */
export interface SilentBits extends BitRange {
  readonly kind: 'reserved' | 'ignored';
}

/** A named stretch of bits. */
export type BitField = FlagBits | NumberBits | AddressBits | TextBits | SilentBits;

/** A declared record. */
export interface BitRecord<
  Fields extends Readonly<Record<string, BitField>> = Readonly<Record<string, BitField>>,
> {
  readonly name: string;
  readonly doc: string;
  /** Size in bytes. */
  readonly size: number;
  /** By name, ascending; together they cover every bit. */
  readonly fields: Fields;
}

/** The value of a record: flags are booleans, numbers numbers, addresses bigints, text strings. */
export type BitValues<Fields extends Readonly<Record<string, BitField>>> = {
  readonly [Name in keyof Fields as Fields[Name] extends SilentBits
    ? never
    : Name]: Fields[Name] extends FlagBits
    ? boolean
    : Fields[Name] extends NumberBits
      ? number
      : Fields[Name] extends AddressBits
        ? bigint
        : string;
};

/** One bit that is a yes or a no. */
export function flag(bit: number, doc: string): FlagBits {
  return { kind: 'flag', low: bit, high: bit, doc };
}

/** Bits `high` to `low` as a number; with `names`, other values are reserved. */
export function number(
  high: number,
  low: number,
  doc: string,
  names?: Readonly<Record<number, string>>,
): NumberBits {
  return { kind: 'number', low, high, doc, names };
}

/** Bits `high` to `low` as an address. */
export function address(high: number, low: number, doc: string): AddressBits {
  return { kind: 'address', low, high, doc };
}

/** Bits `high` to `low` as text. */
export function text(high: number, low: number, doc: string): TextBits {
  return { kind: 'text', low, high, doc };
}

/** Bits `high` to `low` that must be zero. */
export function reserved(high: number, low: number, doc = 'reserved'): SilentBits {
  return { kind: 'reserved', low, high, doc };
}

/** Bits `high` to `low` that may hold anything. */
export function ignored(high: number, low: number, doc = 'ignored'): SilentBits {
  return { kind: 'ignored', low, high, doc };
}

/**
 * Declares a record.
 *
 * @param size in bytes
 * @throws RangeError when its fields leave out a bit, name one twice, or do not fit their kind: a mistake in this package
 */
export function bitRecord<const Fields extends Readonly<Record<string, BitField>>>(
  name: string,
  size: number,
  doc: string,
  fields: Fields,
): BitRecord<Fields> {
  let next = 0;
  for (const [field, { kind, low, high }] of Object.entries<BitField>(fields)) {
    const width = high - low + 1;
    const oneWord = Math.floor(low / 64) === Math.floor(high / 64);
    const fits =
      kind === 'flag'
        ? width === 1
        : kind === 'number'
          ? width <= 32 && oneWord
          : kind === 'address'
            ? oneWord
            : kind !== 'text' || (low % 8 === 0 && width % 8 === 0);
    if (low !== next || width < 1 || !fits) throw new RangeError(`${name}.${field}: bits ${high}:${low}`);
    next = high + 1;
  }
  if (next !== size * 8) throw new RangeError(`${name}: ${next} bits declared, ${size * 8} there`);
  return Object.freeze({ name, doc, size, fields });
}

/** Bits `low` to `high` of a u64, as a mask. */
function maskBits(low: number, high: number): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** The bits of u64 number `word` of a record that belong to fields that `wanted` picks, as a mask. */
export function bitMask(
  record: BitRecord,
  wanted: (field: BitField, name: string) => boolean,
  word = 0,
): bigint {
  let mask = 0n;
  for (const [name, field] of Object.entries(record.fields)) {
    const low = Math.max(field.low - word * 64, 0);
    const high = Math.min(field.high - word * 64, 63);
    if (low <= high && wanted(field, name)) mask |= maskBits(low, high);
  }
  return mask;
}

function fieldBits(view: DataView, { low, high }: BitField): bigint {
  const word = Math.floor(low / 64);
  return (wordAt(view, word) & maskBits(low % 64, high - word * 64)) >> BigInt(low % 64);
}

/** u64 number `word`; the last one of a record may be shorter. */
function wordAt(view: DataView, word: number): bigint {
  const at = word * 8;
  if (at + 8 <= view.byteLength) return view.getBigUint64(at, true);
  let value = 0n;
  for (let byte = view.byteLength - 1; byte >= at; byte--)
    value = (value << 8n) | BigInt(view.getUint8(byte));
  return value;
}

function fieldValue(view: DataView, field: BitField): boolean | number | bigint | string {
  switch (field.kind) {
    case 'flag':
      return fieldBits(view, field) === 1n;
    case 'number':
      return Number(fieldBits(view, field));
    case 'text': {
      let characters = '';
      for (let at = field.low / 8; at <= field.high / 8; at++)
        characters += String.fromCharCode(view.getUint8(at));
      return characters.replace(/[ \0]+$/, '');
    }
    default:
      return fieldBits(view, field) << BigInt(field.low % 64);
  }
}

/**
 * Decodes a record.
 *
 * @param bytes at least as many as the record has; more are not looked at
 * @throws RangeError when there are fewer bytes
 */
export function decodeBits<Fields extends Readonly<Record<string, BitField>>>(
  record: BitRecord<Fields>,
  bytes: Uint8Array,
): BitValues<Fields>;
export function decodeBits(record: BitRecord, bytes: Uint8Array): Record<string, unknown> {
  const view = viewOf(record, bytes);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(record.fields)) {
    if (field.kind !== 'reserved' && field.kind !== 'ignored') values[name] = fieldValue(view, field);
  }
  return values;
}

/** A field that breaks its declaration: reserved bits that are set, or a number that has no name. */
export interface BrokenField {
  readonly code: 'RESERVED_BITS' | 'RESERVED_VALUE';
  /** One line, without the place: `bits 11:4 (reserved): expected 0, found 0x3`. */
  readonly message: string;
}

/**
 * What in a record breaks its declaration.
 *
 * @throws RangeError when there are fewer bytes than the record has
 */
export function checkBits(record: BitRecord, bytes: Uint8Array): BrokenField[] {
  const view = viewOf(record, bytes);
  const broken: BrokenField[] = [];
  for (const [name, field] of Object.entries(record.fields)) {
    const { low, high } = field;
    const where = low === high ? `bit ${low}` : `bits ${high}:${low}`;
    if (field.kind === 'reserved') {
      for (let at = low; at <= high; at = (Math.floor(at / 64) + 1) * 64) {
        const value = fieldBits(view, {
          ...field,
          low: at,
          high: Math.min(high, (Math.floor(at / 64) + 1) * 64 - 1),
        });
        if (value !== 0n) {
          const message = `${where} (reserved): expected 0, found ${formatHex(value)}`;
          broken.push({ code: 'RESERVED_BITS', message });
          break;
        }
      }
    } else if (field.kind === 'number' && field.names !== undefined) {
      const value = Number(fieldBits(view, field));
      if (field.names[value] === undefined) {
        const known = Object.keys(field.names).join(', ');
        const message = `${name} (${where}): expected one of ${known}, found ${value}`;
        broken.push({ code: 'RESERVED_VALUE', message });
      }
    }
  }
  return broken;
}

function viewOf(record: BitRecord, bytes: Uint8Array): DataView {
  if (bytes.length < record.size) {
    throw new RangeError(`${record.name} takes ${record.size} bytes, ${bytes.length} given`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, record.size);
}

/** One field of a record as a row of its documentation. */
export interface BitRow {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly kind: BitField['kind'];
  readonly doc: string;
  readonly names: Readonly<Record<number, string>> | undefined;
}

/** The rows of a record's documentation, by ascending bits. */
export function describeBits(record: BitRecord): BitRow[] {
  return Object.entries(record.fields).map(([name, field]) => ({
    name,
    low: field.low,
    high: field.high,
    kind: field.kind,
    doc: field.doc,
    names: field.kind === 'number' ? field.names : undefined,
  }));
}
