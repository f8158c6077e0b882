// SPDX-License-Identifier: Apache-2.0
import { hexBytes } from '../bytes/hex.js';
import { isRecord, toBigInt } from '../schemas/lang/input.js';
import type { Layout, MemoryType, NodeType, OptionalType, StructType } from '../schemas/lang/type.js';

/**
 * A value as it is compared and shown: `text`, one character a byte; `number`, counted; `hex`, bits and identifiers;
 * `size`, bytes; `range`, physical memory or IOVAs; `words`, this project's own words; `mapping`, what IOVAs lead to.
 */
export type ComparedValue =
  | { readonly kind: 'text' | 'words'; readonly text: string }
  | { readonly kind: 'number' | 'hex' | 'size'; readonly value: bigint }
  | { readonly kind: 'range'; readonly address: bigint; readonly size: bigint }
  | { readonly kind: 'mapping'; readonly phys: bigint; readonly bits: number };

/** Text of the input. */
export const textValue = (text: string): ComparedValue => ({ kind: 'text', text });
/** Words of ours. */
export const words = (text: string): ComparedValue => ({ kind: 'words', text });
/** Something counted. */
export const numberValue = (value: number | bigint): ComparedValue => ({
  kind: 'number',
  value: BigInt(value),
});
/** Bits or an identifier. */
export const hexValue = (value: number | bigint): ComparedValue => ({ kind: 'hex', value: BigInt(value) });
/** Bytes. */
export const sizeValue = (value: number | bigint): ComparedValue => ({ kind: 'size', value: BigInt(value) });
/** Memory from `address` on. */
export const rangeValue = (address: bigint, size: bigint): ComparedValue => ({
  kind: 'range',
  address,
  size,
});

/** Whether two values are the same. */
export function sameValue(a: ComparedValue, b: ComparedValue): boolean {
  if ('text' in a) return 'text' in b && a.text === b.text;
  if ('value' in a) return 'value' in b && a.value === b.value;
  if (a.kind === 'range') return b.kind === 'range' && a.address === b.address && a.size === b.size;
  return b.kind === 'mapping' && a.phys === b.phys && a.bits === b.bits;
}

/**
 * What a decoded value says, by names of fields: all but pointers, whose values are only places, and reserved bytes.
 * Version strings are left out, too.
 *
 * @param limit - values at most; of what is beyond nothing is said
 */
export function fieldValues(layout: Layout, value: unknown, limit: number): Map<string, ComparedValue> {
  const values = new Map<string, ComparedValue>();
  const visit = (type: Layout | OptionalType, path: string, of: unknown): void => {
    if (values.size >= limit || of === undefined) return;
    switch (type.kind) {
      case 'optional':
        visit(type.of, path, of);
        break;
      case 'node':
        visitNode(type, path, of);
        break;
      case 'struct':
        visitStruct(type, path, of);
        break;
      case 'array':
        if (Array.isArray(of))
          for (const [index, each] of of.entries()) visit(type.of, `${path}[${index}]`, each);
        break;
      case 'union':
        for (const [name, { type: held }] of Object.entries(type.cases))
          if (isRecord(of)) visit(held, `${path}.${name}`, of[name]);
        break;
      case 'bits':
        for (const name of Object.keys(type.parts))
          leaf('hex', joined(path, name), isRecord(of) ? of[name] : of);
        break;
      case 'integer':
        leaf(type.flags === undefined ? 'number' : 'hex', path, of);
        break;
      case 'chars':
      case 'text':
        if (typeof of === 'string' && !isVersion(type)) values.set(path, textValue(of));
        break;
      case 'bytes':
        if (of instanceof Uint8Array) values.set(path, words(hexBytes(of)));
        break;
      case 'pointer':
      case 'reserved':
      case 'gather':
        break;
    }
  };
  const visitStruct = (type: StructType, path: string, of: unknown): void => {
    if (!isRecord(of)) return;
    for (const [name, field] of Object.entries<MemoryType>(type.fields))
      visit(field, joined(path, name), of[name]);
  };
  const visitNode = (type: NodeType, path: string, of: unknown): void => {
    if (!isRecord(of)) return;
    for (const [name, property] of Object.entries(type.properties))
      visit(property, joined(path, name), of[name]);
    for (const [name, child] of Object.entries(type.children)) visit(child, joined(path, name), of[name]);
    const { each } = type;
    const list = each === undefined ? undefined : of[each.key];
    if (each === undefined || !Array.isArray(list)) return;
    for (const child of list) {
      const name = isRecord(child) ? child['$name'] : undefined;
      visit(
        each.node,
        joined(path, `${typeof name === 'number' || typeof name === 'string' ? name : '?'}`),
        child,
      );
    }
  };
  const leaf = (kind: 'number' | 'hex', path: string, of: unknown): void => {
    const number = toBigInt(of);
    if (number !== undefined) values.set(path, { kind, value: number });
  };
  visit(layout, '', value);
  return values;
}

function isVersion(type: MemoryType): boolean {
  if (type.kind === 'chars') return type.constant !== undefined;
  return type.kind === 'text' && type.includes !== undefined;
}

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
