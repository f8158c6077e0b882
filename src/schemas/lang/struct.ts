// SPDX-License-Identifier: Apache-2.0
// Declaring arrays, structs, unions and what is scattered over pages.
import { alignOf, sizeOf } from './size.js';
import type {
  ArrayType,
  FieldRule,
  GatherType,
  MemoryType,
  ReservedType,
  StructType,
  UnionType,
  Value,
} from './type.js';

/** A type as one object type, for readable messages and hovers. */
export type Simplify<T> = { readonly [K in keyof T]: T[K] };

type Fields = Readonly<Record<string, MemoryType>>;
type ReservedKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends ReservedType ? K : never;
}[keyof F];

/** The values of a struct's fields; those of reserved fields are only there when they are not zero. */
export type FieldValues<F extends Fields> = Simplify<
  { readonly [K in Exclude<keyof F, ReservedKeys<F>>]: Value<F[K]> } & {
    readonly [K in ReservedKeys<F>]?: Uint8Array | undefined;
  }
>;

/** What may be said about a struct where it is declared. */
export interface StructOptions {
  readonly doc?: string;
  /** false for a struct without `__packed`; its padding is then declared with `reserved`. Default true. */
  readonly packed?: boolean;
  /** Size in bytes of a struct that fills a page, or more than its fields. */
  readonly size?: number;
  readonly align?: number;
  readonly rules?: readonly FieldRule[];
}

/**
 * Declares a C struct, fields in memory order.
 *
 * @throws TypeError when a field of unknown size is not the last but one before `reserved('rest')`, or when a field of
 * a struct that is not packed does not lie where C would put it
 */
export function struct<const F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions = {},
): StructType<FieldValues<F>> {
  const { doc, packed = true, size, align, rules = [] } = options;
  const type: StructType<FieldValues<F>> = Object.freeze({
    kind: 'struct',
    name,
    fields: Object.freeze({ ...fields }),
    doc,
    packed,
    size,
    align,
    rules: Object.freeze([...rules]),
  });
  checkLayout(type);
  return type;
}

function checkLayout(type: StructType): void {
  let at = 0;
  let open: string | undefined;
  const before = new Set<string>();
  for (const [name, field] of Object.entries(type.fields)) {
    const where = `${type.name}.${name}`;
    const last = field.kind === 'reserved' && field.length === 'rest';
    if (open !== undefined && !last) throw new TypeError(`${where} follows ${open}, whose size is not fixed`);
    if (!type.packed && at % alignOf(field) !== 0) {
      throw new TypeError(`${where} lies at ${at}, C aligns it to ${alignOf(field)}: declare the padding`);
    }
    const needs = field.kind === 'union' ? field.selector : countField(field);
    if (needs !== undefined && !before.has(needs)) throw new TypeError(`${where} needs ${needs} before it`);
    before.add(name);
    const size = sizeOf(field);
    if (size === undefined) open = where;
    else at += size;
  }
  if (type.size !== undefined && (at > type.size || (open === undefined && at !== type.size))) {
    throw new TypeError(`${type.name} has fields of ${at} bytes, declared are ${type.size}`);
  }
  if (!type.packed && open === undefined && at % alignOf(type) !== 0) {
    throw new TypeError(
      `${type.name} is ${at} bytes long, C pads it to ${alignOf(type)}: declare the padding`,
    );
  }
}

function countField(field: MemoryType): string | undefined {
  return field.kind === 'array' && typeof field.count === 'object' ? field.count.field : undefined;
}

/** What may be said about an array where it is declared. */
export interface ArrayOptions {
  readonly doc?: string;
  /** Field of the elements in which no two may be equal. */
  readonly unique?: string;
  /** Field of the elements that grows from one to the next. */
  readonly ascending?: string;
}

/**
 * Declares an array.
 *
 * @param count - a number, the name of a field before it in the same struct, or `rest` for all bytes that are left
 * @throws TypeError when the size of elements is not fixed
 */
export function array<const T extends MemoryType>(
  of: T,
  count: number | 'rest' | { readonly field: string },
  options: ArrayOptions = {},
): ArrayType<readonly Value<T>[]> {
  if (sizeOf(of) === undefined) throw new TypeError('elements of an array have a fixed size');
  const { doc, unique, ascending } = options;
  return Object.freeze({ kind: 'array', of, count, doc, unique, ascending });
}

type Cases = Readonly<Record<string, { readonly when: number; readonly type: StructType }>>;

/** The values of a union: one key, the name of the case; or `raw` bytes for a selector that no case has. */
export type CaseValues<C extends Cases> =
  | { [K in keyof C]: { readonly [P in K]: Value<C[K]['type']> } }[keyof C]
  | { readonly raw: Uint8Array };

/**
 * Declares a union whose case the field `selector` before it tells.
 *
 * @param options - `size` in bytes, default that of the largest case
 * @throws TypeError when a case is larger than the union, or its size not fixed
 */
export function union<const C extends Cases>(
  selector: string,
  cases: C,
  options: { readonly size?: number; readonly doc?: string } = {},
): UnionType<CaseValues<C>> {
  const sizes = Object.values(cases).map(({ type }) => sizeOf(type) ?? Number.POSITIVE_INFINITY);
  const { size = Math.max(...sizes), doc } = options;
  if (Math.max(...sizes) > size || !Number.isFinite(size))
    throw new TypeError(`a case exceeds the union's ${size} bytes`);
  return Object.freeze({ kind: 'union', selector, cases: Object.freeze({ ...cases }), size, doc });
}

/**
 * Declares an array whose pages a descriptor struct leads to by way of linked chunks, see {@link GatherType}.
 *
 * @param contents - the array, of count `rest`
 * @param count - field of the struct around it that counts the elements
 */
export function gather<D>(
  descriptor: StructType<D>,
  chunk: StructType,
  contents: ArrayType,
  count: string,
  doc?: string,
): GatherType<D> {
  return Object.freeze({ kind: 'gather', descriptor, chunk, contents, count, doc });
}
