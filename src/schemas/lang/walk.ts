// SPDX-License-Identifier: Apache-2.0
import type { Place } from './error.js';
import { isRecord } from './input.js';
import { sizeOf } from './size.js';
import type { MemoryType } from './type.js';

/** A type, its value and where it lies; `length` in bytes. Containers come before what they contain. */
export interface Visit {
  readonly type: MemoryType;
  readonly value: unknown;
  readonly place: Place;
  readonly length: number;
  /** The values of the struct or node around it. */
  readonly scope: Readonly<Record<string, unknown>>;
}

/**
 * Visits a decoded value and everything in it, in the order of bytes. Of a decoded value every byte is in exactly one
 * visited type that contains no other.
 *
 * @param length - bytes that the value took
 */
export function walk(
  type: MemoryType,
  value: unknown,
  place: Place,
  length: number,
  visit: (item: Visit) => void,
  scope: Readonly<Record<string, unknown>> = {},
): void {
  visit({ type, value, place, length, scope });
  const { offset, path, base } = place;
  // Spelled out: spreading the place would take most of the time of a walk.
  const inside = (at: number, name: string): Place => ({ offset: offset + at, path: path + name, base });
  switch (type.kind) {
    case 'struct': {
      if (!isRecord(value)) return;
      let at = 0;
      for (const [name, field] of Object.entries(type.fields)) {
        const found = value[name];
        const size = sizeOf(field) ?? lengthOf(field, found, length - at);
        walk(field, found, inside(at, `.${name}`), size, visit, value);
        at += size;
      }
      return;
    }
    case 'array': {
      if (!Array.isArray(value)) return;
      const stride = sizeOf(type.of) ?? 0;
      value.forEach((element: unknown, index) => {
        walk(type.of, element, inside(index * stride, `[${index}]`), stride, visit, scope);
      });
      return;
    }
    case 'union': {
      if (!isRecord(value)) return;
      for (const [name, { type: of }] of Object.entries(type.cases)) {
        if (value[name] === undefined) continue;
        const size = sizeOf(of) ?? 0;
        walk(of, value[name], inside(0, `.${name}`), size, visit);
        const rest = inside(size, `.${name}.$rest`);
        if (type.size > size)
          visit({ type: UNION_REST, value: undefined, place: rest, length: type.size - size, scope });
        return;
      }
      return;
    }
    case 'gather':
      walk(type.descriptor, value, place, length, visit, scope);
      return;
    default:
      return;
  }
}

const UNION_REST: MemoryType = Object.freeze({ kind: 'reserved', length: 'rest', mustBeZero: true });

function lengthOf(type: MemoryType, value: unknown, left: number): number {
  if (type.kind === 'array' && Array.isArray(value)) return value.length * (sizeOf(type.of) ?? 0);
  return left;
}

/** Whether what {@link walk} visits stands for bytes itself, not for what it contains. */
export function isLeaf({ type, value }: Visit): boolean {
  switch (type.kind) {
    case 'struct':
    case 'array':
    case 'gather':
      return false;
    case 'union':
      return !isRecord(value) || value['raw'] !== undefined;
    default:
      return true;
  }
}
