// SPDX-License-Identifier: Apache-2.0
import type { Column } from './column-table.js';
import { type ByteOrder, type Input, inputOf } from './input.js';
import { extractBits } from './reader.js';
import { sizeOf } from './size.js';
import type { BitsType, StructType } from './type.js';

/** A column of an array of structs: as {@link Column}, or Float64Array for bit fields of more than 32 bits. */
export type StructColumn = Column | Float64Array;

/** Reads one column: `count` values, the first at `at`, one every `stride` bytes. */
type ColumnReader = (input: Input, at: number, stride: number, count: number) => StructColumn;

/**
 * Prepares to read an array of structs, of which there may be millions, into one column a field. Fields are integers,
 * pointers, bit fields (`field.part`) and structs of these (`field.field`); others are left out.
 *
 * @param type - a struct of fixed size
 * @returns a function that takes bytes, as many structs as there are whole ones of
 * @throws TypeError when the size is not fixed
 */
export function compileStructColumns(
  type: StructType,
): (
  bytes: Uint8Array,
  byteOrder?: ByteOrder,
) => { readonly count: number; readonly columns: Readonly<Record<string, StructColumn>> } {
  const stride = sizeOf(type);
  if (stride === undefined) throw new TypeError(`${type.name} has no fixed size`);
  const readers = [...columnReaders(type, 0, '')];
  return (bytes, byteOrder) => {
    const input = inputOf(bytes, byteOrder);
    const count = Math.floor(bytes.length / stride);
    const columns = readers.map(
      ({ name, offset, read }) => [name, read(input, offset, stride, count)] as const,
    );
    return { count, columns: Object.fromEntries(columns) };
  };
}

function* columnReaders(
  type: StructType,
  start: number,
  prefix: string,
): Generator<{ readonly name: string; readonly offset: number; readonly read: ColumnReader }, void> {
  let offset = start;
  for (const [field, of] of Object.entries(type.fields)) {
    const name = prefix + field;
    if (of.kind === 'integer') yield { name, offset, read: integerColumn(of.bits, of.signed, of.bigEndian) };
    else if (of.kind === 'pointer') yield { name, offset, read: integerColumn(64, false, of.bigEndian) };
    else if (of.kind === 'bits')
      for (const { part, read } of bitColumns(of)) yield { name: `${name}.${part}`, offset, read };
    else if (of.kind === 'struct') yield* columnReaders(of, offset, `${name}.`);
    else if (of.kind === 'gather') yield* columnReaders(of.descriptor, offset, `${name}.`);
    offset += sizeOf(of) ?? 0;
  }
}

function integerColumn(bits: 8 | 16 | 32 | 64, signed: boolean, bigEndian: boolean): ColumnReader {
  return ({ view, little: native }, at, stride, count) => {
    const little = native && !bigEndian;
    if (bits === 64) {
      const column = signed ? new BigInt64Array(count) : new BigUint64Array(count);
      // Halves: a bigint a value would be an object a value.
      const halves = new Uint32Array(column.buffer);
      for (let row = 0; row < count; row++) {
        const from = at + row * stride;
        halves[row * 2] = view.getUint32(little ? from : from + 4, little);
        halves[row * 2 + 1] = view.getUint32(little ? from + 4 : from, little);
      }
      return column;
    }
    const column = signed ? new Int32Array(count) : new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      const from = at + row * stride;
      if (bits === 32) column[row] = view.getInt32(from, little);
      else if (bits === 16) column[row] = signed ? view.getInt16(from, little) : view.getUint16(from, little);
      else column[row] = signed ? view.getInt8(from) : view.getUint8(from);
    }
    return column;
  };
}

function bitColumns({ bits, parts }: BitsType): { readonly part: string; readonly read: ColumnReader }[] {
  let next = 0;
  return Object.entries(parts).flatMap(([part, { width }]) => {
    const shift = next;
    next += width;
    // Wider ones would need bigint.
    return width > 53 ? [] : [{ part, read: bitColumn(bits, shift, width) }];
  });
}

function bitColumn(bits: 8 | 16 | 32 | 64, shift: number, width: number): ColumnReader {
  return ({ view, little }, at, stride, count) => {
    const column = width > 32 ? new Float64Array(count) : new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      const from = at + row * stride;
      let low = 0;
      let high = 0;
      if (bits === 64) {
        low = view.getUint32(little ? from : from + 4, little);
        high = view.getUint32(little ? from + 4 : from, little);
      } else if (bits === 32) low = view.getUint32(from, little);
      else if (bits === 16) low = view.getUint16(from, little);
      else low = view.getUint8(from);
      column[row] = extractBits(low, high, shift, width);
    }
    return column;
  };
}
