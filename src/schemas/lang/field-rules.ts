// SPDX-License-Identifier: Apache-2.0
// What rules between elements of an array, and between fields of a struct or node, mean.
import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';
import { issueAt, type Place, type SchemaIssue } from './error.js';
import { isRecord, toBigInt } from './input.js';
import { showValue } from './show.js';
import { fieldOffsets, sizeOf } from './size.js';
import type { ArrayType, FieldRule, MemoryType, StructType } from './type.js';

type Complain = (issue: SchemaIssue) => void;

/** The place of a field of an element of an array that starts at `place`. */
function elementPlace({ of }: ArrayType, index: number, field: string, place: Place): Place {
  const inside = of.kind === 'struct' ? (fieldOffsets(of).get(field) ?? 0) : 0;
  const offset = place.offset + index * (sizeOf(of) ?? 0) + inside;
  return { ...place, offset, path: `${place.path}[${index}].${field}` };
}

/** Tells every rule between its elements that an array breaks. */
export function checkArray(type: ArrayType, value: unknown, place: Place, complain: Complain): void {
  const { unique, ascending } = type;
  if (!Array.isArray(value) || (unique === undefined && ascending === undefined)) return;
  const seen = new Map<unknown, number>();
  let last: bigint | undefined;
  value.forEach((element: unknown, index) => {
    if (!isRecord(element)) return;
    if (unique !== undefined) {
      const found = element[unique];
      const before = seen.get(found);
      if (before === undefined) seen.set(found, index);
      else {
        const where = elementPlace(type, index, unique, place);
        complain(issueAt(where, 'BAD_VALUE', `a value that [${before}] does not have`, showValue(found)));
      }
    }
    if (ascending !== undefined) {
      const found = toBigInt(element[ascending]);
      if (found !== undefined && last !== undefined && found <= last) {
        const where = elementPlace(type, index, ascending, place);
        complain(issueAt(where, 'BAD_VALUE', `more than ${last}, as in [${index - 1}]`, `${found}`));
      }
      last = found;
    }
  });
}

/** Tells every rule between fields of one struct or node that `value` breaks. */
export function checkFields(
  rules: readonly FieldRule[],
  value: Readonly<Record<string, unknown>>,
  place: Place,
  complain: Complain,
  type?: StructType,
): void {
  const number = (field: string | undefined): bigint => toBigInt(value[field ?? '']) ?? 0n;
  for (const each of rules) {
    const { rule, fields, when, times = 1n, shift, doc } = each;
    if (rule === 'elements-multiple-of') {
      checkElements(fields, times << (number(shift) & 63n), value, place, complain, type);
      continue;
    }
    if (rule === 'elements-ascending') {
      checkOrder(fields, value, place, complain, type);
      continue;
    }
    if (rule === 'not-zero-unless') {
      checkPresent(each, value, place, complain, type);
      continue;
    }
    const [first = '', second = ''] = fields;
    const shown = fields.map((field) => `${field} ${showValue(value[field])}`).join(', ');
    let broken = false;
    if (rule === 'zero-together') {
      const zeros = fields.filter((field) => number(field) === 0n).length;
      broken = zeros > 0 && zeros < fields.length;
    } else if (rule === 'zero-when') {
      broken = number(when) === 0n && fields.some((field) => number(field) !== 0n);
    } else if (rule === 'at-least') {
      broken = number(first) < number(second) * times;
    } else {
      broken = `${number(first)}` !== `${value['$name']}`;
    }
    if (broken) {
      const name = escapeText(String(value['$name']));
      const found = rule === 'equals-name' ? `${shown} in a node called ${name}` : shown;
      complain(issueAt(place, 'BAD_VALUE', doc, found));
    }
  }
}

/** Tells which elements of an array have a field that is no multiple of `unit`. */
function checkElements(
  [array = '', field = '']: readonly string[],
  unit: bigint,
  value: Readonly<Record<string, unknown>>,
  place: Place,
  complain: Complain,
  type: StructType | undefined,
): void {
  const elements = value[array];
  const of = type?.fields[array];
  if (!Array.isArray(elements) || of?.kind !== 'array') return;
  const start = memberPlace(type, array, place);
  elements.forEach((element: unknown, index) => {
    const found = isRecord(element) ? toBigInt(element[field]) : undefined;
    if (found === undefined || found % unit === 0n) return;
    const where = elementPlace(of, index, field, start);
    complain(issueAt(where, 'BAD_VALUE', `a multiple of ${formatHex(unit)}`, formatHex(found)));
  });
}

/** Tells which elements of an array are not greater than the one before, compared by `keys` in turn. */
function checkOrder(
  [array = '', ...keys]: readonly string[],
  value: Readonly<Record<string, unknown>>,
  place: Place,
  complain: Complain,
  type: StructType | undefined,
): void {
  const elements = value[array];
  const of = type?.fields[array];
  const [key = ''] = keys;
  if (!Array.isArray(elements) || of?.kind !== 'array') return;
  const start = memberPlace(type, array, place);
  let last: readonly bigint[] | undefined;
  elements.forEach((element: unknown, index) => {
    const found = keys.map((name) => (isRecord(element) ? toBigInt(element[name]) : undefined) ?? 0n);
    if (last !== undefined && compareInTurn(found, last) <= 0) {
      const where = elementPlace(of, index, key, start);
      const expected = `${keys.join(', ')} after ${last.join(', ')}, as in [${index - 1}]`;
      complain(issueAt(where, 'BAD_VALUE', expected, found.join(', ')));
    }
    last = found;
  });
}

/** Below 0 when `a` comes before `b`, compared number by number. */
export function compareInTurn(a: readonly bigint[], b: readonly bigint[]): number {
  const index = a.findIndex((each, at) => each !== b[at]);
  if (index < 0) return 0;
  return (a[index] ?? 0n) < (b[index] ?? 0n) ? -1 : 1;
}

/** Tells which of the rule's fields are zero although no bit of `when` excuses it. */
function checkPresent(
  { fields, when = '', mask, doc }: FieldRule,
  value: Readonly<Record<string, unknown>>,
  place: Place,
  complain: Complain,
  type: StructType | undefined,
): void {
  const excuse = toBigInt(valueAt(value, when)) ?? 0n;
  if ((mask === undefined ? excuse : excuse & mask) !== 0n) return;
  for (const field of fields) {
    const found = valueAt(value, field);
    if (toBigInt(found) !== 0n) continue;
    complain(issueAt(memberPlace(type, field, place), 'BAD_VALUE', doc, showValue(found)));
  }
}

/** The value that a path of names joined by dots leads to. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) found = isRecord(found) ? found[name] : undefined;
  return found;
}

/** The place of the field that a path of names joined by dots leads to, in a struct that starts at `place`. */
function memberPlace(type: StructType | undefined, path: string, place: Place): Place {
  let { offset } = place;
  let inside: MemoryType | undefined = type;
  for (const name of path.split('.')) {
    if (inside?.kind === 'struct') {
      offset += fieldOffsets(inside).get(name) ?? 0;
      inside = inside.fields[name];
    } else inside = inside?.kind === 'union' ? inside.cases[name]?.type : undefined;
  }
  return { ...place, offset, path: `${place.path}.${path}` };
}
