// SPDX-License-Identifier: Apache-2.0
import type { MemoryType, StructType } from './type.js';

/** Size in bytes of a type's instances; `undefined` where it depends on a count or on the bytes that there are. */
export function sizeOf(type: MemoryType): number | undefined {
  switch (type.kind) {
    case 'integer':
    case 'pointer':
    case 'bits':
      return type.bits / 8;
    case 'chars':
      return type.length;
    case 'text':
      return undefined;
    case 'bytes':
    case 'reserved':
      return type.length === 'rest' ? undefined : type.length;
    case 'array': {
      const size = sizeOf(type.of);
      return typeof type.count === 'number' && size !== undefined ? type.count * size : undefined;
    }
    case 'union':
      return type.size;
    case 'gather':
      return sizeOf(type.descriptor);
    case 'struct':
      return type.size ?? structSize(type);
  }
}

function structSize(type: StructType): number | undefined {
  let total = 0;
  for (const field of Object.values(type.fields)) {
    const size = sizeOf(field);
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}

/** Alignment in bytes that C gives a type: that of its largest scalar, 1 for packed structs. */
export function alignOf(type: MemoryType): number {
  switch (type.kind) {
    case 'integer':
    case 'pointer':
    case 'bits':
      return type.bits / 8;
    case 'array':
      return alignOf(type.of);
    case 'gather':
      return alignOf(type.descriptor);
    case 'union':
      return Math.max(1, ...Object.values(type.cases).map((each) => alignOf(each.type)));
    case 'struct':
      return type.packed ? 1 : Math.max(1, ...Object.values(type.fields).map(alignOf));
    default:
      return 1;
  }
}

/** The offsets in bytes of a struct's fields, up to and including the first of unknown size. */
export function fieldOffsets(type: StructType): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let at = 0;
  for (const [name, field] of Object.entries(type.fields)) {
    offsets.set(name, at);
    const size = sizeOf(field);
    if (size === undefined) break;
    at += size;
  }
  return offsets;
}

/**
 * Size in bytes of an instance at hand.
 *
 * @param left - bytes from where it starts to where what holds it ends
 * @param count - looks up the number in a field before it
 */
export function sizeIn(type: MemoryType, left: number, count: (field: string) => number): number {
  if (type.kind === 'array') {
    const size = sizeOf(type.of) ?? 1;
    if (type.count === 'rest') return left;
    return size * (typeof type.count === 'number' ? type.count : count(type.count.field));
  }
  return sizeOf(type) ?? left;
}
