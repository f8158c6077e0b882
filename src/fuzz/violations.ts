// SPDX-License-Identifier: Apache-2.0

import { valueAt } from '../schemas/lang/field-rules.js';
import { isRecord, toBigInt } from '../schemas/lang/input.js';
import { requiredType } from '../schemas/lang/read-node.js';
import type {
  ArrayType,
  FieldRule,
  IntegerRules,
  Layout,
  MemoryType,
  NodeType,
  StructType,
} from '../schemas/lang/type.js';
import { changeAt } from './change-at.js';

/** A value that breaks one rule. */
export interface Violation {
  /** Which rule of what: field names without positions, and the rule's name. The same for all values of a layout. */
  readonly site: string;
  /** Path at which `check` reports it. */
  readonly path: string;
  readonly value: unknown;
}

type Replace = (value: unknown) => unknown;

interface Spot {
  readonly site: string;
  readonly path: string;
  readonly replace: Replace;
}

/** For every value rule of a layout that `value`, which keeps all of them, gives a chance to break: values that do. */
export function violationsOf(layout: Layout, value: unknown): readonly Violation[] {
  const found: Violation[] = [];
  const emit = ({ site, path }: Spot, rule: string, broken: unknown): void => {
    found.push({ site: `${site}: ${rule}`, path, value: broken });
  };
  if (layout.kind === 'node') {
    breakNode(layout, value, { site: '/', path: '/', replace: (whole) => whole }, emit);
  } else {
    breakType(layout, value, { site: '', path: '', replace: (whole) => whole }, emit);
  }
  return found;
}

type Emit = (spot: Spot, rule: string, broken: unknown) => void;

function breakType(type: MemoryType, value: unknown, spot: Spot, emit: Emit): void {
  const { replace } = spot;
  switch (type.kind) {
    case 'integer':
    case 'pointer': {
      const low = type.kind === 'integer' && type.signed ? -(1n << BigInt(type.bits - 1)) : 0n;
      for (const [rule, broken] of breakInteger(type.rules, low, low + (1n << BigInt(type.bits)) - 1n)) {
        emit(spot, rule, replace(type.bits === 64 ? broken : Number(broken)));
      }
      return;
    }
    case 'bits':
      if (!isRecord(value)) return;
      for (const [name, { width, rules }] of Object.entries(type.parts)) {
        for (const [rule, broken] of breakInteger(rules, 0n, (1n << BigInt(width)) - 1n)) {
          const part = width > 53 ? broken : Number(broken);
          emit(below(spot, `.${name}`), rule, replace({ ...value, [name]: part }));
        }
      }
      return;
    case 'chars':
      if (type.terminated && type.constant === undefined)
        emit(spot, 'terminated', replace('x'.repeat(type.length)));
      if (type.nonEmpty) emit(spot, 'nonEmpty', replace(''));
      if (type.constant !== undefined) emit(spot, 'constant', replace('?'));
      if (type.length > 2) emit(spot, 'zeros after NUL', replace('a\0b'));
      return;
    case 'text':
      if (type.includes !== undefined) emit(spot, 'includes', replace('?'));
      return;
    case 'reserved':
      if (type.mustBeZero && typeof type.length === 'number') {
        emit(spot, 'zero', replace(new Uint8Array(type.length).fill(1)));
      }
      return;
    case 'array':
      breakArray(type, value, spot, emit);
      return;
    case 'union':
      for (const [name, { type: of }] of Object.entries(type.cases)) {
        if (!isRecord(value) || value[name] === undefined) continue;
        const inside = {
          ...below(spot, `.${name}`),
          replace: (inner: unknown) => replace({ [name]: inner }),
        };
        breakType(of, value[name], inside, emit);
      }
      return;
    case 'gather':
      breakStruct(type.descriptor, value, spot, emit);
      return;
    case 'struct':
      breakStruct(type, value, spot, emit);
      return;
    case 'bytes':
  }
}

function below({ site, path, replace }: Spot, name: string): Spot {
  return { site: site + name, path: path + name, replace };
}

function breakInteger(rules: IntegerRules, low: bigint, high: bigint): (readonly [string, bigint])[] {
  const { min, max, multipleOf, mask, oneOf } = rules;
  const broken: (readonly [string, bigint])[] = [];
  if (min !== undefined && min > low) broken.push(['min', min - 1n]);
  if (max !== undefined && max < high) broken.push(['max', max + 1n]);
  if (multipleOf !== undefined && multipleOf > 1n) broken.push(['multipleOf', multipleOf + 1n]);
  if (mask !== undefined && mask < high) broken.push(['mask', high & ~mask]);
  if (oneOf !== undefined) {
    const other = [0n, 1n, 2n, 3n, high].find((value) => !oneOf.includes(value));
    if (other !== undefined) broken.push(['oneOf', other]);
  }
  return broken;
}

function breakArray(type: ArrayType, value: unknown, spot: Spot, emit: Emit): void {
  if (!Array.isArray(value)) return;
  const { replace } = spot;
  const [first, second] = value;
  for (const [rule, field] of [
    ['unique', type.unique],
    ['ascending', type.ascending],
  ] as const) {
    if (field === undefined || !isRecord(first) || !isRecord(second)) continue;
    const same = [first, { ...second, [field]: first[field] }, ...value.slice(2)];
    emit({ ...spot, site: `${spot.site}.${field}`, path: `${spot.path}[1].${field}` }, rule, replace(same));
  }
  if (first === undefined) return;
  const inside: Spot = {
    site: `${spot.site}[]`,
    path: `${spot.path}[0]`,
    replace: (inner) => replace([inner, ...value.slice(1)]),
  };
  breakType(type.of, first, inside, emit);
}

function breakStruct(type: StructType, value: unknown, spot: Spot, emit: Emit): void {
  if (!isRecord(value)) return;
  const fields = Object.entries(type.fields);
  const fixed = new Set<string>();
  for (const [, field] of fields) {
    // Counts and selectors say how to read the rest: another value makes other bytes, not a broken rule.
    if (field.kind === 'array' && typeof field.count === 'object') fixed.add(field.count.field);
    if (field.kind === 'union') fixed.add(field.selector);
  }
  for (const [name, field] of fields) {
    if (fixed.has(name)) continue;
    const inside: Spot = {
      ...below(spot, `.${name}`),
      replace: (inner) => spot.replace({ ...value, [name]: inner }),
    };
    breakType(field, value[name], inside, emit);
  }
  breakFields(type.rules, value, spot, emit, fixed);
}

function breakFields(
  rules: readonly FieldRule[],
  value: Readonly<Record<string, unknown>>,
  spot: Spot,
  emit: Emit,
  fixed: ReadonlySet<string> = new Set(),
): void {
  for (const { rule, fields, when = '', mask, times = 1n, shift } of rules) {
    const [first = '', second = ''] = fields;
    const as = (name: string, to: bigint): unknown => (typeof value[name] === 'bigint' ? to : Number(to));
    const set = (changes: Record<string, unknown>): unknown => spot.replace({ ...value, ...changes });
    const site = { ...spot, site: `${spot.site}.${fields.join('+')}` };
    if (rule === 'zero-together') {
      const zeros = Object.fromEntries(fields.map((name) => [name, as(name, 0n)]));
      emit(site, rule, set({ ...zeros, [first]: as(first, 4096n) }));
    } else if (rule === 'zero-when') {
      emit(site, rule, set({ [when]: as(when, 0n), [first]: as(first, 4096n) }));
    } else if (rule === 'at-least') {
      const counted = toBigInt(value[second]) ?? 0n;
      if (fixed.has(second) && counted === 0n) continue;
      const less = fixed.has(first) ? {} : { [first]: as(first, 0n) };
      emit(site, rule, set(fixed.has(second) ? less : { ...less, [second]: as(second, 4096n) }));
    } else if (rule === 'not-zero-unless') {
      if (valueAt(value, first) === undefined) continue;
      const unexcused = changeAt(value, when, (old) => (mask === undefined ? 0n : old & ~mask));
      const broken = changeAt(unexcused, first, () => 0n);
      emit({ ...site, path: `${spot.path}.${first}` }, rule, spot.replace(broken));
    } else if (rule === 'elements-ascending') {
      const elements = value[first];
      const [before, element] = Array.isArray(elements) ? elements : [];
      if (!Array.isArray(elements) || !isRecord(before) || !isRecord(element)) continue;
      const same = Object.fromEntries(fields.slice(1).map((key) => [key, before[key]]));
      const path = `${spot.path}.${first}[1].${second}`;
      const broken = [before, { ...element, ...same }, ...elements.slice(2)];
      emit({ ...site, path }, rule, set({ [first]: broken }));
    } else if (rule === 'equals-name') {
      emit(site, rule, set({ [first]: as(first, (toBigInt(value[first]) ?? 0n) + 1n) }));
    } else if (rule === 'elements-multiple-of') {
      const elements = value[first];
      const [element] = Array.isArray(elements) ? elements : [];
      if (!Array.isArray(elements) || !isRecord(element)) continue;
      const unit = times << (toBigInt(value[shift ?? '']) ?? 0n);
      if (unit <= 4096n || unit >= 1n << 63n) continue;
      const path = `${spot.path}.${first}[0].${second}`;
      // A page into the span: everything else about the element stays right.
      emit({ ...site, path }, rule, set({ [first]: [{ ...element, [second]: 4096n }] }));
    }
  }
}

function breakNode(layout: NodeType, value: unknown, spot: Spot, emit: Emit): void {
  if (!isRecord(value)) return;
  const { replace } = spot;
  const slash = spot.path.endsWith('/') ? '' : '/';
  for (const [name, member] of Object.entries(layout.properties)) {
    if (value[name] === undefined) continue;
    const inside: Spot = {
      ...below(spot, slash + name),
      replace: (inner) => replace({ ...value, [name]: inner }),
    };
    breakType(requiredType(member), value[name], inside, emit);
  }
  for (const [name, member] of Object.entries(layout.children)) {
    const inside: Spot = {
      ...below(spot, slash + name),
      replace: (inner) => replace({ ...value, [name]: inner }),
    };
    breakNode(requiredType(member), value[name], inside, emit);
  }
  const { each } = layout;
  const children = each === undefined ? undefined : value[each.key];
  if (each !== undefined && Array.isArray(children) && isRecord(children[0])) {
    const [first] = children;
    const inside: Spot = {
      site: `${spot.site}${slash}<${each.key}>`,
      path: `${spot.path}${slash}${String(first['$name'])}`,
      replace: (inner) => replace({ ...value, [each.key]: [inner, ...children.slice(1)] }),
    };
    breakNode(each.node, first, inside, emit);
  }
  breakFields(layout.rules, value, spot, emit);
}
