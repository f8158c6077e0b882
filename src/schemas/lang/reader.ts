// SPDX-License-Identifier: Apache-2.0
// Types of fixed size compiled to functions that read them. The caller has made sure of the bytes: nothing here fails.
import { decodeLatin1 } from '../../bytes/latin1.js';
import { type Input, isZero } from './input.js';
import { sizeOf } from './size.js';
import type { BitsType, IntegerType, MemoryType, StructType, UnionType } from './type.js';

/** Reads a value at offset `at`; `scope` holds the fields before it in the same struct. */
export type Reader = (input: Input, at: number, scope: Readonly<Record<string, unknown>>) => unknown;

const compiled = new WeakMap<MemoryType, Reader>();

/** The function that reads `type`, which must have a fixed size; compiled once. */
export function readerOf(type: MemoryType): Reader {
  let reader = compiled.get(type);
  if (reader === undefined) {
    reader = compile(type);
    compiled.set(type, reader);
  }
  return reader;
}

function compile(type: MemoryType): Reader {
  const size = sizeOf(type);
  if (size === undefined) throw new TypeError(`a type ${type.kind} of no fixed size cannot be compiled`);
  switch (type.kind) {
    case 'integer':
      return type.bigEndian ? bigEndian(integerReader(type)) : integerReader(type);
    case 'pointer':
      return type.bigEndian
        ? ({ view }, at) => view.getBigUint64(at)
        : ({ view, little }, at) => view.getBigUint64(at, little);
    case 'bits':
      return bitsReader(type);
    case 'chars':
      return ({ bytes }, at) => {
        let end = at + size;
        while (end > at && bytes[end - 1] === 0) end--;
        return decodeLatin1(bytes, at, end);
      };
    case 'bytes':
      return ({ bytes }, at) => bytes.subarray(at, at + size);
    case 'reserved':
      return ({ bytes }, at) => {
        const found = bytes.subarray(at, at + size);
        return isZero(found) ? undefined : found;
      };
    case 'array':
      return arrayReader(type.of, type.count === 'rest' || typeof type.count === 'object' ? 0 : type.count);
    case 'struct':
      return structReader(type);
    case 'union':
      return unionReader(type);
    case 'gather':
      return readerOf(type.descriptor);
    case 'text':
      throw new TypeError('text has no fixed size');
  }
}

/** The same reading whatever the byte order of the rest. */
function bigEndian(read: Reader): Reader {
  return (input, at, scope) => read({ ...input, little: false }, at, scope);
}

function integerReader({ bits, signed }: IntegerType): Reader {
  if (bits === 64) {
    return signed
      ? ({ view, little }, at) => view.getBigInt64(at, little)
      : ({ view, little }, at) => view.getBigUint64(at, little);
  }
  if (bits === 32) {
    return signed
      ? ({ view, little }, at) => view.getInt32(at, little)
      : ({ view, little }, at) => view.getUint32(at, little);
  }
  if (bits === 16) {
    return signed
      ? ({ view, little }, at) => view.getInt16(at, little)
      : ({ view, little }, at) => view.getUint16(at, little);
  }
  return signed ? ({ view }, at) => view.getInt8(at) : ({ view }, at) => view.getUint8(at);
}

/** `width` bits from bit `shift` on of the integer of halves `low` and `high`, as a number: `width` is at most 53. */
export function extractBits(low: number, high: number, shift: number, width: number): number {
  if (shift >= 32) return (high >>> (shift - 32)) % 2 ** width;
  const below = Math.min(width, 32 - shift);
  const lower = (low >>> shift) % 2 ** below;
  return below === width ? lower : lower + (high % 2 ** (width - below)) * 2 ** below;
}

function bitsReader({ bits, parts }: BitsType): Reader {
  let shift = 0;
  const steps = Object.entries(parts).map(([name, { width }]) => {
    const step = { name, shift, width };
    shift += width;
    return step;
  });
  return ({ view, little }, at) => {
    let low = 0;
    let high = 0;
    if (bits === 64) {
      low = view.getUint32(little ? at : at + 4, little);
      high = view.getUint32(little ? at + 4 : at, little);
    } else if (bits === 32) low = view.getUint32(at, little);
    else if (bits === 16) low = view.getUint16(at, little);
    else low = view.getUint8(at);
    const value: Record<string, number | bigint> = {};
    for (const { name, shift, width } of steps) {
      value[name] =
        width <= 53
          ? extractBits(low, high, shift, width)
          : BigInt.asUintN(width, ((BigInt(high) << 32n) | BigInt(low)) >> BigInt(shift));
    }
    return value;
  };
}

function arrayReader(of: MemoryType, count: number): Reader {
  const stride = sizeOf(of) ?? 0;
  return (input, at, scope) => readElements(input, at, of, stride, count, scope);
}

/** Reads `count` elements of a fixed size. */
export function readElements(
  input: Input,
  at: number,
  of: MemoryType,
  stride: number,
  count: number,
  scope: Readonly<Record<string, unknown>>,
): unknown[] {
  const reader = readerOf(of);
  const values: unknown[] = new Array(count);
  for (let index = 0; index < count; index++) values[index] = reader(input, at + index * stride, scope);
  return values;
}

function structReader(type: StructType): Reader {
  let offset = 0;
  const steps = Object.entries(type.fields).map(([name, field]) => {
    const step = { name, offset, read: readerOf(field) };
    offset += sizeOf(field) ?? 0;
    return step;
  });
  return (input, at) => {
    const value: Record<string, unknown> = {};
    for (const { name, offset, read } of steps) {
      const found = read(input, at + offset, value);
      if (found !== undefined) value[name] = found;
    }
    return value;
  };
}

function unionReader(type: UnionType): Reader {
  const cases = new Map(
    Object.entries(type.cases).map(([name, { when, type: of }]) => [
      when,
      { name, read: readerOf(of), size: sizeOf(of) ?? 0 },
    ]),
  );
  return (input, at, scope) => {
    const bytes = input.bytes.subarray(at, at + type.size);
    const found = cases.get(Number(scope[type.selector]));
    // A case that does not hold all that is there would lose it.
    if (found === undefined || !isZero(bytes.subarray(found.size))) return { raw: bytes };
    return { [found.name]: found.read(input, at, {}) };
  };
}
