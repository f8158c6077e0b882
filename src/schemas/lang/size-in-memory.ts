// SPDX-License-Identifier: Apache-2.0
import { type ByteOrder, inputOf } from './input.js';
import type { Memory } from './memory.js';
import { readerOf } from './reader.js';
import { sizeOf } from './size.js';
import type { MemoryType } from './type.js';

/**
 * Size in bytes of what lies at `address`: that of the type, or, for a struct that counts the elements of its array, what
 * the count there gives. What the struct leaves unused after its array is not part of it.
 *
 * @returns `undefined` where neither says it; where the count cannot be read, the size up to and including it
 */
export function sizeInMemory(
  type: MemoryType,
  address: bigint,
  memory: Memory,
  byteOrder?: ByteOrder,
): number | undefined {
  const fixed = sizeOf(type);
  if (fixed !== undefined || type.kind !== 'struct') return fixed;
  let at = 0;
  const ends = new Map<string, number>();
  for (const [name, field] of Object.entries(type.fields)) {
    const size = sizeOf(field);
    if (size !== undefined) {
      at += size;
      ends.set(name, at);
      continue;
    }
    if (field.kind !== 'array' || typeof field.count !== 'object') return undefined;
    const count = type.fields[field.count.field];
    const width = count === undefined ? undefined : sizeOf(count);
    const end = ends.get(field.count.field);
    if (count === undefined || width === undefined || end === undefined) return undefined;
    const bytes = memory(address + BigInt(end - width), width);
    if (bytes === undefined) return end;
    const found = Number(readerOf(count)(inputOf(bytes, byteOrder), 0, {}));
    return Math.min(at + found * (sizeOf(field.of) ?? 0), Number.MAX_SAFE_INTEGER);
  }
  return undefined;
}
