// SPDX-License-Identifier: Apache-2.0
// A second decoder from the same declarations, by a library that knows nothing of ours: binary-parser.
import { Parser } from 'binary-parser/dist/binary_parser.js';
import type { MemoryType, StructType } from '../../src/schemas/index.js';
import { sizeOf } from '../../src/schemas/index.js';

/** The parser of a struct; fields of `text` and unions come as raw bytes. */
export function parserOf(type: StructType): Parser {
  const parser = new Parser().endianness('little');
  for (const [name, field] of Object.entries(type.fields)) addField(parser, name, field);
  return parser;
}

function addField(parser: Parser, name: string, type: MemoryType): void {
  switch (type.kind) {
    case 'integer':
    case 'pointer': {
      const sign = type.kind === 'integer' && type.signed ? 'int' : 'uint';
      addInteger(parser, `${sign}${type.bits}${type.bits === 8 ? '' : type.bigEndian ? 'be' : 'le'}`, name);
      return;
    }
    case 'bits':
      addInteger(parser, `uint${type.bits}${type.bits === 8 ? '' : 'le'}`, name);
      return;
    case 'struct':
      parser.nest(name, { type: parserOf(type) });
      return;
    case 'gather':
      parser.nest(name, { type: parserOf(type.descriptor) });
      return;
    case 'array': {
      const { count, of } = type;
      const element = elementParser(of);
      if (count === 'rest') parser.array(name, { type: element, readUntil: 'eof' });
      else if (typeof count === 'number') parser.array(name, { type: element, length: count });
      else
        parser.array(name, {
          type: element,
          length: (item: Record<string, unknown>) => Number(item[count.field]),
        });
      return;
    }
    default: {
      const size = sizeOf(type);
      if (size === undefined) parser.buffer(name, { readUntil: 'eof' });
      else parser.buffer(name, { length: size });
    }
  }
}

/** What an element of an array is to the library; text comes as a record of its bytes. */
function elementParser(type: MemoryType): Parser | 'uint8' | 'uint16le' | 'uint32le' | 'uint64le' {
  if (type.kind === 'struct') return parserOf(type);
  if (type.kind === 'chars') return new Parser().buffer('bytes', { length: type.length });
  const width = type.kind === 'integer' || type.kind === 'pointer' ? type.bits : 8;
  return width === 8 ? 'uint8' : `uint${width}le`;
}

/** Adds an integer field by binary-parser's name for its type. */
function addInteger(parser: Parser, of: string, name: string): void {
  parser.array(name, { type: of, length: 1, formatter: (values: unknown[]) => values[0] });
}
