// SPDX-License-Identifier: Apache-2.0
// Packed blobs made small as values of their layout: elements of arrays go, with what counts them, and fields become as
// simple as they can be.
import { KhoError } from '../bytes/issue.js';
import { check } from '../schemas/lang/check.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import { isRecord, isZero, toBigInt } from '../schemas/lang/input.js';
import { showValue } from '../schemas/lang/show.js';
import type { IntegerRules, MemoryType, StructType, UnionType } from '../schemas/lang/type.js';
import { cutList } from './cut.js';
import type { Candidate, Shrinker, ShrinkPass } from './shrink.js';
import { cutOutOf, zeroIn } from './shrink-bytes.js';

/** Makes the whole input of a part of its value; `undefined` where the layout cannot hold it. */
type Make = (part: unknown, step: string) => Candidate | undefined;
/** Returns the simplest part that still failed. */
type PartShrinker = Generator<Candidate, unknown, boolean>;

/** Makes values of a layout simple. Passes over bytes that the layout does not fit. */
export function shrinkValue(layout: MemoryType): ShrinkPass {
  return function* (input): Shrinker {
    const { value } = check(layout, input, { trailing: true });
    const encoded = value === undefined ? undefined : encodedOr(() => encodeUnchecked(layout, value));
    if (encoded === undefined) return;
    let tail = input.subarray(encoded.length);
    if (tail.length > 0 && (yield { bytes: encoded, step: `drop ${tail.length} bytes behind the value` }))
      tail = tail.subarray(0, 0);
    const make: Make = (whole, step) => {
      const bytes = encodedOr(() => encodeUnchecked(layout, whole));
      return bytes && { bytes: joined(bytes, tail), step };
    };
    const anew = make(value, 'write the value anew');
    if (anew === undefined || !(yield anew)) return;
    yield* shrinkPart(layout, value, layout.kind === 'struct' ? layout.name : 'value', make);
  };
}

function encodedOr(encode: () => Uint8Array): Uint8Array | undefined {
  try {
    return encode();
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return head;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function* shrinkPart(type: MemoryType, value: unknown, path: string, make: Make): PartShrinker {
  switch (type.kind) {
    case 'integer':
    case 'pointer':
      return yield* firstOf(value, simplest(value, type.rules), path, make);
    case 'bits': {
      if (!isRecord(value)) return value;
      let current = value;
      for (const [name, { rules }] of Object.entries(type.parts)) {
        const inside: Make = (part, step) => make({ ...current, [name]: part }, step);
        const part = yield* firstOf(current[name], simplest(current[name], rules), `${path}.${name}`, inside);
        current = { ...current, [name]: part };
      }
      return current;
    }
    case 'chars':
    case 'text':
      return yield* firstOf(value, value === '' ? [] : ['', 'a'], path, make);
    case 'reserved':
      return yield* firstOf(value, value === undefined ? [] : [undefined], path, make);
    case 'bytes':
      return value instanceof Uint8Array
        ? yield* shrinkRun(value, type.length === 'rest', path, make)
        : value;
    case 'array': {
      if (!Array.isArray(value)) return value;
      const items: readonly unknown[] = value;
      const left = yield* cutList(items, (shorter, { size }) => make(shorter, `drop ${size} of ${path}`));
      return yield* shrinkElements(type.of, left, path, make);
    }
    case 'gather':
      return yield* shrinkFields(type.descriptor, value, path, make);
    case 'union':
      return yield* shrinkUnion(type, value, path, make);
    case 'struct':
      return yield* shrinkFields(type, value, path, make);
  }
}

/** The simpler numbers than this one that its rules speak of: zero, the least, the first that is allowed. */
function simplest(value: unknown, { min, oneOf, multipleOf }: IntegerRules): unknown[] {
  const found = toBigInt(value);
  if (found === undefined || found === 0n) return [];
  const simple = [0n, min, oneOf?.[0], multipleOf, 1n].filter((each) => each !== undefined);
  const upTo = simple.indexOf(found);
  const simpler = [...new Set(upTo < 0 ? simple : simple.slice(0, upTo))];
  return simpler.map((each) => (typeof value === 'bigint' ? each : Number(each)));
}

/** The first of some values that still fails. */
function* firstOf(value: unknown, simpler: readonly unknown[], path: string, make: Make): PartShrinker {
  for (const each of simpler) {
    const candidate = make(each, `${path}: ${showValue(value)} -> ${showValue(each)}`);
    if (candidate !== undefined && (yield candidate)) return each;
  }
  return value;
}

/** Bytes of a part: shorter, where they may be, then zero. */
function* shrinkRun(value: Uint8Array, mayBeShorter: boolean, path: string, make: Make): PartShrinker {
  let current = value;
  const whole =
    (what: string) =>
    (changed: Uint8Array): Candidate =>
      make(changed, `${what} ${path}:`) ?? { bytes: new Uint8Array(), step: what };
  if (mayBeShorter) current = yield* cutOutOf(current, 1, whole('shorten'));
  return isZero(current) ? current : yield* zeroIn(current, 0, whole('zero'));
}

function* shrinkElements(
  type: MemoryType,
  elements: readonly unknown[],
  path: string,
  make: Make,
): Generator<Candidate, readonly unknown[], boolean> {
  let current = elements;
  for (let index = 0; index < elements.length; index++) {
    const inside: Make = (part, step) => make(current.with(index, part), step);
    current = current.with(index, yield* shrinkPart(type, current[index], `${path}[${index}]`, inside));
  }
  return current;
}

function* shrinkUnion({ cases }: UnionType, value: unknown, path: string, make: Make): PartShrinker {
  const [name = '', inner] = isRecord(value) ? (Object.entries(value)[0] ?? []) : [];
  const inside: Make = (part, step) => make({ [name]: part }, step);
  const at = `${path}.${name}`;
  const type = Object.hasOwn(cases, name) ? cases[name]?.type : undefined;
  if (type !== undefined) return { [name]: yield* shrinkPart(type, inner, at, inside) };
  return inner instanceof Uint8Array ? { [name]: yield* shrinkRun(inner, false, at, inside) } : value;
}

function* shrinkFields(type: StructType, value: unknown, path: string, make: Make): PartShrinker {
  if (!isRecord(value)) return value;
  let current = value;
  const fields = Object.entries(type.fields);
  const counted = new Map<string, string>();
  for (const [name, field] of fields) {
    if (field.kind === 'array' && typeof field.count === 'object') counted.set(name, field.count.field);
  }
  const counts = new Set(counted.values());
  const selectors = new Set(fields.flatMap(([, field]) => (field.kind === 'union' ? [field.selector] : [])));
  for (const [name, field] of fields) {
    // What says how the rest is read goes with the rest.
    if (counts.has(name) || selectors.has(name)) continue;
    const count = counted.get(name);
    const withPart = (part: unknown): Readonly<Record<string, unknown>> => {
      const changed = { ...current, [name]: part };
      if (count === undefined || !Array.isArray(part)) return changed;
      return { ...changed, [count]: typeof current[count] === 'bigint' ? BigInt(part.length) : part.length };
    };
    const inside: Make = (part, step) => make(withPart(part), step);
    current = withPart(yield* shrinkPart(field, current[name], `${path}.${name}`, inside));
  }
  return current;
}
