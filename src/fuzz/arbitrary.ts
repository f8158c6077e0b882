// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { isRecord, toBigInt } from '../schemas/lang/input.js';
import { requiredType } from '../schemas/lang/read-node.js';
import { sizeOf } from '../schemas/lang/size.js';
import type {
  ArrayType,
  CharsType,
  IntegerRules,
  Layout,
  MemoryType,
  NodeName,
  NodeType,
  StructType,
  UnionType,
  Value,
} from '../schemas/lang/type.js';
import { repairFields } from './repair.js';

/** How values are made up. */
export interface ArbitraryOptions {
  /** Elements in an array at most that may be of any length, default 5. */
  readonly maxLength?: number;
}

/**
 * Values of a layout that break none of its rules, for property tests: fast-check shrinks them to small ones.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check';
 * import { arbitraryOf } from 'kho-toolkit/fuzz';
 * import { decode, encode, memfdV2 } from 'kho-toolkit/schemas';
 *
 * fc.assert(
 *   fc.property(arbitraryOf(memfdV2), (value) => decode(memfdV2, encode(memfdV2, value)).size === value.size),
 *   { numRuns: 20 },
 * );
 * ```
 */
export function arbitraryOf<T extends Layout>(layout: T, options?: ArbitraryOptions): fc.Arbitrary<Value<T>>;
export function arbitraryOf(layout: Layout, options: ArbitraryOptions = {}): fc.Arbitrary<unknown> {
  const { maxLength = 5 } = options;
  return layout.kind === 'node' ? nodeValues(layout, maxLength) : typeValues(layout, maxLength);
}

function typeValues(type: MemoryType, maxLength: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'integer': {
      const low = type.signed ? -(1n << BigInt(type.bits - 1)) : 0n;
      const values = integers(type.rules, low, low + (1n << BigInt(type.bits)) - 1n);
      return type.bits === 64 ? values : values.map(Number);
    }
    case 'pointer': {
      const address = integers({ ...type.rules, min: 1n }, 0n, (1n << 64n) - 1n);
      return type.nullable
        ? fc.oneof({ weight: 1, arbitrary: fc.constant(0n) }, { weight: 3, arbitrary: address })
        : address;
    }
    case 'bits':
      return fc.record(
        Object.fromEntries(
          Object.entries(type.parts).map(([name, { width, rules }]) => {
            const values = integers(rules, 0n, (1n << BigInt(width)) - 1n);
            return [name, width <= 53 ? values.map(Number) : values];
          }),
        ),
      );
    case 'chars':
      return characters(type);
    case 'text':
      return type.includes === undefined ? latin1(0, 20) : fc.constant(type.includes);
    case 'bytes': {
      const length =
        type.length === 'rest' ? { maxLength: 40 } : { minLength: type.length, maxLength: type.length };
      return type.length !== 'rest' && type.length > 256
        ? fc
            .uint8Array({ maxLength: 64 })
            .map((some) => spread(some, type.length === 'rest' ? 0 : type.length))
        : fc.uint8Array(length);
    }
    case 'reserved':
      return fc.constant(undefined);
    case 'array':
      return elements(type, maxLength);
    case 'gather':
      return structValues(type.descriptor, maxLength);
    case 'union':
      throw new TypeError('the values of a union depend on its selector');
    case 'struct':
      return structValues(type, maxLength);
  }
}

/** `some` bytes at the start of `length` of them; the rest zero. */
function spread(some: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(some);
  return bytes;
}

function integers(
  { min, max, multipleOf = 1n, mask, oneOf }: IntegerRules,
  low: bigint,
  high: bigint,
): fc.Arbitrary<bigint> {
  if (oneOf !== undefined) return fc.constantFrom(...oneOf);
  const from = min === undefined || min < low ? low : min;
  const to = max === undefined || max > high ? high : max;
  if (mask !== undefined) return fc.bigInt({ min: 0n, max: high }).map((value) => value & mask);
  const least = from / multipleOf + (from % multipleOf > 0n ? 1n : 0n);
  const steps = fc.bigInt({ min: least, max: to / multipleOf });
  const small = fc.bigInt({ min: least, max: least + 8n < to / multipleOf ? least + 8n : to / multipleOf });
  return fc.oneof(small, steps).map((value) => value * multipleOf);
}

function latin1(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength, maxLength })
    .map((codes) => String.fromCharCode(...codes));
}

function characters({ length, terminated, nonEmpty, constant }: CharsType): fc.Arbitrary<string> {
  if (constant !== undefined) return fc.constant(constant);
  return latin1(nonEmpty ? 1 : 0, terminated ? length - 1 : length);
}

function elements(
  { of, count, unique, ascending }: ArrayType,
  maxLength: number,
  most = maxLength,
): fc.Arbitrary<unknown[]> {
  const element = typeValues(of, maxLength);
  const size = typeof count === 'number' ? count : undefined;
  if (size !== undefined && size > 64) {
    // Long arrays of fixed length: a few elements at the start, as kernels fill them.
    const zero = of.kind === 'pointer' && of.nullable ? 0n : undefined;
    if (zero !== undefined) {
      return fc
        .array(element, { maxLength })
        .map((some) => [...some, ...Array(size - some.length).fill(zero)]);
    }
  }
  const length = { minLength: size ?? 0, maxLength: size ?? Math.min(maxLength, most) };
  const key = unique ?? ascending;
  if (key === undefined) return fc.array(element, length);
  const selector = (value: unknown): unknown => (isRecord(value) ? value[key] : undefined);
  const all = fc.uniqueArray(element, { ...length, selector });
  if (ascending === undefined) return all;
  const order = (value: unknown): bigint => toBigInt(selector(value)) ?? 0n;
  return all.map((values) => values.sort((a, b) => (order(a) < order(b) ? -1 : 1)));
}

function structValues(type: StructType, maxLength: number): fc.Arbitrary<unknown> {
  const counted = new Map<string, string>();
  const made: Record<string, fc.Arbitrary<unknown>> = {};
  const unions: [string, UnionType][] = [];
  for (const [name, field] of Object.entries(type.fields)) {
    if (field.kind === 'union') unions.push([name, field]);
    else if (field.kind === 'array' && typeof field.count === 'object') {
      const { field: count } = field.count;
      counted.set(count, name);
      const rules = type.fields[count];
      const { min = 0n, max = 1n << 32n } = rules?.kind === 'integer' ? rules.rules : {};
      const most = Math.max(Number(min), Number(max < BigInt(maxLength) ? max : BigInt(maxLength)));
      made[name] = elements(field, maxLength, most).filter((values) => values.length >= Number(min));
    } else if (field.kind !== 'reserved') made[name] = typeValues(field, maxLength);
  }
  const selectors = new Map(unions.map(([, union]) => [union.selector, union]));
  for (const [name, union] of selectors) {
    const wide = sizeOf(type.fields[union.selector] ?? union) === 8;
    made[name] = fc.constantFrom(
      ...Object.values(union.cases).map(({ when }) => (wide ? BigInt(when) : when)),
    );
  }
  const withCounts = (value: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const repaired = { ...value };
    for (const [count, array] of counted) {
      const values = repaired[array];
      const counts = type.fields[count];
      const length = Array.isArray(values) ? values.length : 0;
      repaired[count] = counts?.kind === 'integer' && counts.bits === 64 ? BigInt(length) : length;
    }
    return repaired;
  };
  const counts = new Set(counted.keys());
  const plain = fc
    .record(made)
    .map((value) => withCounts(repairFields(type.rules, withCounts(value), counts)));
  if (unions.length === 0) return plain;
  return plain.chain((value) => {
    const cases = unions.map(([name, union]) => {
      const [key, chosen] =
        Object.entries(union.cases).find(([, { when }]) => `${when}` === `${value[union.selector]}`) ?? [];
      if (key === undefined || chosen === undefined) throw new TypeError('a selector without a case');
      return [name, structValues(chosen.type, maxLength).map((inner) => ({ [key]: inner }))] as const;
    });
    return fc
      .record(Object.fromEntries(cases))
      .map((more) => repairFields(type.rules, { ...value, ...more }));
  });
}

function names({
  kind,
  min = 0,
  max = 0xffff_ffff,
  maxLength = 12,
}: NodeName): fc.Arbitrary<string | number> {
  if (kind === 'decimal')
    return fc.oneof(fc.integer({ min, max: Math.min(max, min + 10) }), fc.integer({ min, max }));
  return fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9,._+-]*$/, { maxLength });
}

function nodeValues(layout: NodeType, maxLength: number): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const made: Record<string, fc.Arbitrary<unknown>> = {};
  const requiredKeys: string[] = [];
  for (const [name, member] of Object.entries({ ...layout.properties, ...layout.children })) {
    const type = requiredType<MemoryType | NodeType>(member);
    made[name] = type.kind === 'node' ? nodeValues(type, maxLength) : typeValues(type, maxLength);
    if (member.kind !== 'optional') requiredKeys.push(name);
  }
  const { each } = layout;
  if (each !== undefined) {
    const child = fc
      .tuple(names(each.name), nodeValues(each.node, maxLength))
      .map(([$name, value]) => repairFields(each.node.rules, { $name, ...value }));
    // libfdt takes a name to find the node called so up to an `@`: names here have none.
    made[each.key] = fc.uniqueArray(child, { maxLength, selector: (value) => `${String(value['$name'])}` });
    requiredKeys.push(each.key);
  }
  return fc.record(made, { requiredKeys }).map((value) => repairFields(layout.rules, value));
}
