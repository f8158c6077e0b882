// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../../bytes/latin1.js';
import { failAt, type Place } from './error.js';
import { type Input, isZero } from './input.js';
import { readElements, readerOf } from './reader.js';
import { sizeIn, sizeOf } from './size.js';
import type { MemoryType, StructType } from './type.js';

/**
 * Decodes a type with bytes in memory that takes all of `input`.
 *
 * @param place - of the first byte
 * @param trailing - whether bytes after the end of the type are passed over
 * @throws SchemaError TRUNCATED, BAD_LENGTH, BAD_COUNT; BAD_VALUE for text without a NUL
 */
export function decodeMemory(type: MemoryType, input: Input, place: Place, trailing = false): unknown {
  const size = sizeOf(type);
  const { length } = input.bytes;
  if (size !== undefined) {
    if (length < size) throw failAt(place, 'TRUNCATED', `${size} bytes`, `${length}`);
    if (length > size && !trailing) throw failAt(place, 'BAD_LENGTH', `${size} bytes`, `${length}`);
  }
  return readOpen(type, input, 0, size ?? length, place, {});
}

/** Reads a type whose size may depend on counts, from `at` up to `end` at most. */
function readOpen(
  type: MemoryType,
  input: Input,
  at: number,
  end: number,
  place: Place,
  scope: Readonly<Record<string, unknown>>,
): unknown {
  const here = { ...place, offset: place.offset + at };
  const left = end - at;
  switch (type.kind) {
    case 'struct':
      return readStruct(type, input, at, end, place);
    case 'text': {
      if (input.bytes[end - 1] !== 0)
        throw failAt(here, 'BAD_VALUE', 'a NUL-terminated string', `${left} bytes without`);
      return decodeLatin1(input.bytes, at, end - 1);
    }
    case 'array': {
      const stride = sizeOf(type.of) ?? 1;
      const size = sizeIn(type, left, (field) => Number(scope[field]));
      if (size > left) {
        throw failAt(here, 'BAD_COUNT', `at most ${Math.floor(left / stride)} elements`, `${size / stride}`);
      }
      if (size % stride !== 0) throw failAt(here, 'BAD_LENGTH', `a multiple of ${stride} bytes`, `${size}`);
      return readElements(input, at, type.of, stride, size / stride, scope);
    }
    case 'bytes':
      return input.bytes.subarray(at, type.length === 'rest' ? end : at + type.length);
    case 'reserved': {
      const bytes = input.bytes.subarray(at, type.length === 'rest' ? end : at + type.length);
      return isZero(bytes) ? undefined : bytes;
    }
    default:
      return readerOf(type)(input, at, scope);
  }
}

function readStruct(type: StructType, input: Input, start: number, end: number, place: Place): unknown {
  if (sizeOf(type) !== undefined && type.size === undefined) return readerOf(type)(input, start, {});
  const value: Record<string, unknown> = {};
  let at = start;
  for (const [name, field] of Object.entries(type.fields)) {
    const path = `${place.path}.${name}`;
    const left = end - at;
    const size = sizeIn(field, left, (count) => Number(value[count]));
    if (sizeOf(field) !== undefined && size > left) {
      throw failAt(
        { ...place, offset: place.offset + at, path },
        'TRUNCATED',
        `${size} bytes`,
        `${left} left`,
      );
    }
    const found = readOpen(field, input, at, end, { ...place, path }, value);
    if (found !== undefined) value[name] = found;
    at += size;
  }
  return value;
}
