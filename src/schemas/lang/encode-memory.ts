// SPDX-License-Identifier: Apache-2.0
import { encodeLatin1 } from '../../bytes/latin1.js';
import { failAt, type Place } from './error.js';
import { type ByteOrder, type Input, inputOf, isRecord, toBigInt } from './input.js';
import { showValue } from './show.js';
import { sizeOf } from './size.js';
import type { ArrayType, BitsType, MemoryType, StructType, UnionType } from './type.js';

/**
 * Encodes a value of a type with bytes in memory. Reserved fields that the value leaves out become zeros.
 *
 * @param place - of the first byte, for what is reported
 * @throws SchemaError BAD_TYPE for a value that the type cannot hold, MISSING, BAD_COUNT, BAD_LENGTH
 */
export function encodeMemory(type: MemoryType, value: unknown, place: Place, order?: ByteOrder): Uint8Array {
  const out = inputOf(new Uint8Array(sizeOfValue(type, value, place)), order);
  write(type, value, out, 0, out.bytes.length, place, {});
  return out.bytes;
}

function wrong(place: Place, expected: string, value: unknown): Error {
  return failAt(place, value === undefined ? 'MISSING' : 'BAD_TYPE', expected, showValue(value));
}

/** Size in bytes of what `value` will take. */
function sizeOfValue(type: MemoryType, value: unknown, place: Place): number {
  const size = sizeOf(type);
  if (size !== undefined) return size;
  switch (type.kind) {
    case 'text':
      if (typeof value !== 'string') throw wrong(place, 'text', value);
      return value.length + 1;
    case 'array':
      if (!Array.isArray(value)) throw wrong(place, 'an array', value);
      return value.length * (sizeOf(type.of) ?? 0);
    case 'struct': {
      if (!isRecord(value)) throw wrong(place, `the fields of ${type.name}`, value);
      const sizes = Object.entries(type.fields).map(([name, field]) =>
        sizeOfValue(field, value[name], { ...place, path: `${place.path}.${name}` }),
      );
      return sizes.reduce((sum, each) => sum + each, 0);
    }
    default:
      return value instanceof Uint8Array ? value.length : 0;
  }
}

function write(
  type: MemoryType,
  value: unknown,
  out: Input,
  at: number,
  end: number,
  start: Place,
  scope: Readonly<Record<string, unknown>>,
): number {
  const place = { ...start, offset: start.offset + at };
  switch (type.kind) {
    case 'integer':
    case 'pointer':
      writeInteger(
        type.bigEndian ? { ...out, little: false } : out,
        at,
        type.bits,
        type.kind === 'integer' && type.signed,
        value,
        place,
      );
      return type.bits / 8;
    case 'bits':
      writeInteger(out, at, type.bits, false, joinBits(type, value, place), place);
      return type.bits / 8;
    case 'chars': {
      const bytes = typeof value === 'string' ? encodeLatin1(value) : undefined;
      if (bytes === undefined || bytes.length > type.length) {
        throw wrong(place, `text of at most ${type.length} characters U+0000 to U+00FF`, value);
      }
      out.bytes.set(bytes, at);
      return type.length;
    }
    case 'text': {
      const bytes = typeof value === 'string' ? encodeLatin1(value) : undefined;
      if (bytes === undefined) throw wrong(place, 'text of characters U+0000 to U+00FF', value);
      out.bytes.set(bytes, at);
      return bytes.length + 1;
    }
    case 'bytes':
    case 'reserved':
      return writeBytes(type.length, value, type.kind === 'reserved', out, at, end, place);
    case 'array':
      return writeArray(type, value, out, at, end, start, scope);
    case 'gather':
      return write(type.descriptor, value, out, at, end, start, {});
    case 'union':
      writeUnion(type, value, out, at, start, scope);
      return type.size;
    case 'struct':
      return writeStruct(type, value, out, at, end, start);
  }
}

function writeInteger(
  out: Input,
  at: number,
  bits: number,
  signed: boolean,
  value: unknown,
  place: Place,
): void {
  const number = toBigInt(value);
  if (
    number === undefined ||
    (signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)) !== number
  ) {
    throw wrong(place, `${signed ? 'a signed' : 'an unsigned'} integer of ${bits} bits`, value);
  }
  const { view, little } = out;
  if (bits === 64) view.setBigUint64(at, BigInt.asUintN(64, number), little);
  else if (bits === 32) view.setUint32(at, Number(number), little);
  else if (bits === 16) view.setUint16(at, Number(number), little);
  else view.setUint8(at, Number(number));
}

function joinBits(type: BitsType, value: unknown, place: Place): bigint {
  if (!isRecord(value)) throw wrong(place, `bit fields ${Object.keys(type.parts).join(', ')}`, value);
  let joined = 0n;
  let shift = 0n;
  for (const [name, { width }] of Object.entries(type.parts)) {
    const part = toBigInt(value[name]);
    if (part === undefined || BigInt.asUintN(width, part) !== part) {
      throw wrong(
        { ...place, path: `${place.path}.${name}` },
        `an unsigned integer of ${width} bits`,
        value[name],
      );
    }
    joined |= part << shift;
    shift += BigInt(width);
  }
  return joined;
}

function writeBytes(
  length: number | 'rest',
  value: unknown,
  mayMiss: boolean,
  out: Input,
  at: number,
  end: number,
  place: Place,
): number {
  const size = length === 'rest' ? end - at : length;
  if (value === undefined && mayMiss) return size;
  if (!(value instanceof Uint8Array)) throw wrong(place, `${size} bytes`, value);
  if (value.length !== size) throw failAt(place, 'BAD_LENGTH', `${size} bytes`, `${value.length}`);
  out.bytes.set(value, at);
  return size;
}

function writeArray(
  type: ArrayType,
  value: unknown,
  out: Input,
  at: number,
  end: number,
  start: Place,
  scope: Readonly<Record<string, unknown>>,
): number {
  const place = { ...start, offset: start.offset + at };
  if (!Array.isArray(value)) throw wrong(place, 'an array', value);
  const stride = sizeOf(type.of) ?? 0;
  const count = typeof type.count === 'object' ? Number(scope[type.count.field]) : type.count;
  if (count !== 'rest' && count !== value.length) {
    throw failAt(place, 'BAD_COUNT', `${count} elements`, `${value.length}`);
  }
  if (value.length * stride > end - at) {
    throw failAt(
      place,
      'BAD_COUNT',
      `at most ${Math.floor((end - at) / stride)} elements`,
      `${value.length}`,
    );
  }
  for (let index = 0; index < value.length; index++) {
    const path = `${start.path}[${index}]`;
    write(type.of, value[index], out, at + index * stride, end, { ...start, path }, scope);
  }
  return value.length * stride;
}

function writeUnion(
  type: UnionType,
  value: unknown,
  out: Input,
  at: number,
  start: Place,
  scope: Readonly<Record<string, unknown>>,
): void {
  const place = { ...start, offset: start.offset + at };
  const names = Object.keys(type.cases);
  const key = isRecord(value) ? Object.keys(value)[0] : undefined;
  if (!isRecord(value) || key === undefined) throw wrong(place, `one of ${names.join(', ')}, raw`, value);
  const path = `${start.path}.${key}`;
  if (key === 'raw') {
    writeBytes(type.size, value[key], false, out, at, at + type.size, { ...place, path });
    return;
  }
  const found = Object.hasOwn(type.cases, key) ? type.cases[key] : undefined;
  if (found === undefined) throw wrong(place, `one of ${names.join(', ')}, raw`, key);
  const selected = scope[type.selector];
  if (Number(selected) !== found.when) {
    throw failAt(place, 'BAD_TYPE', `${type.selector} ${found.when} for ${key}`, showValue(selected));
  }
  write(found.type, value[key], out, at, at + type.size, { ...start, path }, {});
}

function writeStruct(
  type: StructType,
  value: unknown,
  out: Input,
  at: number,
  end: number,
  start: Place,
): number {
  if (!isRecord(value))
    throw wrong({ ...start, offset: start.offset + at }, `the fields of ${type.name}`, value);
  const stop = type.size === undefined ? end : at + type.size;
  let offset = at;
  for (const [name, field] of Object.entries(type.fields)) {
    const path = `${start.path}.${name}`;
    offset += write(field, value[name], out, offset, stop, { ...start, path }, value);
  }
  return offset - at;
}
