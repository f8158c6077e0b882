// SPDX-License-Identifier: Apache-2.0
// Every struct decodes to the same with binary-parser, put together from the same declaration.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import {
  decode,
  encodeUnchecked,
  families,
  type Layout,
  type MemoryType,
  relatedLayouts,
  type StructType,
  versionName,
} from '../../src/schemas/index.js';
import { isRecord, toBigInt } from '../../src/schemas/lang/input.js';
import { scaled } from '../random.js';
import { parserOf } from './parser.js';

const structs = new Map<StructType, string>();
for (const { versions } of families) {
  for (const version of versions) {
    for (const layout of relatedLayouts(version.layout))
      if (layout.kind === 'struct') structs.set(layout, versionName(version));
  }
}

/** Our value as binary-parser shows it: text and unused bytes as bytes, bit fields as the integer they are in. */
function plain(type: MemoryType, value: unknown): unknown {
  switch (type.kind) {
    case 'struct':
      return isRecord(value) ? plainFields(type, value) : value;
    case 'gather':
      return plain(type.descriptor, value);
    case 'array':
      return Array.isArray(value) ? value.map((element: unknown) => plain(type.of, element)) : value;
    case 'bits': {
      let shift = 0n;
      let joined = 0n;
      for (const [name, { width }] of Object.entries(type.parts)) {
        joined |= (isRecord(value) ? (toBigInt(value[name]) ?? 0n) : 0n) << shift;
        shift += BigInt(width);
      }
      return type.bits === 64 ? joined : Number(joined);
    }
    case 'chars':
      return [...Buffer.alloc(type.length).fill(String(value), 0, String(value).length, 'latin1')];
    case 'bytes':
    case 'reserved':
      return value instanceof Uint8Array ? [...value] : 'zeros';
    case 'union':
      return 'union';
    default:
      return value;
  }
}

function plainFields(type: StructType, value: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(
    Object.entries(type.fields).map(([name, field]) => [name, plain(field, value[name])]),
  );
}

/** What binary-parser shows, bytes as arrays, and those of unions and unused fields by the same words as above. */
function shown(type: MemoryType, value: unknown): unknown {
  if (value instanceof Uint8Array) {
    if (type.kind === 'union') return 'union';
    return type.kind === 'reserved' && value.every((byte) => byte === 0) ? 'zeros' : [...value];
  }
  if (Array.isArray(value))
    return type.kind === 'array' ? value.map((element: unknown) => shown(type.of, element)) : value;
  if (type.kind === 'chars' && isRecord(value)) return shown(type, value['bytes']);
  const fields =
    type.kind === 'gather' ? type.descriptor.fields : type.kind === 'struct' ? type.fields : undefined;
  if (fields === undefined || !isRecord(value)) return value;
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, shown(field, value[name])]));
}

describe.each([...structs].map(([layout, name]) => [`${name} ${layout.name}`, layout] as const))(
  '%s',
  (_, layout) => {
    it('is the same to binary-parser', () => {
      const parser = parserOf(layout);
      fc.assert(
        fc.property(arbitraryOf<Layout>(layout), (value) => {
          const bytes = encodeUnchecked(layout, value);
          expect(shown(layout, parser.parse(Buffer.from(bytes)))).toEqual(
            plain(layout, decode<Layout>(layout, bytes)),
          );
        }),
        { numRuns: scaled(50) },
      );
    });
  },
);
