// SPDX-License-Identifier: Apache-2.0
// What value rules mean: each function gives the rule that is broken, as what was expected and what was found.
import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';
import { issueAt, type Place, type SchemaIssue } from './error.js';
import { isRecord, toBigInt } from './input.js';
import { brokenRules } from './rule-text.js';
import { showValue } from './show.js';
import type { ArrayType, BitPart, FieldRule, IntegerType, PointerType } from './type.js';
import type { Visit } from './walk.js';

type Complain = (issue: SchemaIssue) => void;

/** Tells every rule that what was visited breaks. */
export function checkVisit({ type, value, place, scope }: Visit, complain: Complain): void {
  switch (type.kind) {
    case 'integer':
    case 'pointer':
      checkInteger(type, value, place, complain);
      return;
    case 'bits':
      if (!isRecord(value)) return;
      for (const [name, part] of Object.entries(type.parts)) {
        checkInteger(part, value[name], { ...place, path: `${place.path}.${name}` }, complain);
      }
      return;
    case 'chars':
    case 'text':
      if (typeof value !== 'string') return;
      if (type.kind === 'chars') {
        const { length, terminated, nonEmpty, constant } = type;
        if (terminated && value.length >= length) {
          complain(issueAt(place, 'BAD_VALUE', `a NUL within ${length} bytes`, 'none'));
        }
        if (nonEmpty && value === '') complain(issueAt(place, 'BAD_VALUE', 'text', 'nothing'));
        if (value.includes('\0'))
          complain(issueAt(place, 'NOT_ZERO', 'zeros after the first NUL', showValue(value)));
        if (constant !== undefined && value !== constant) {
          complain(issueAt(place, 'BAD_VALUE', `"${constant}"`, showValue(value)));
        }
      } else if (type.includes !== undefined && !value.split('\0').includes(type.includes)) {
        complain(issueAt(place, 'BAD_VALUE', `"${type.includes}"`, showValue(value)));
      }
      return;
    case 'reserved':
      if (type.mustBeZero && value instanceof Uint8Array) {
        const at = value.findIndex((byte) => byte !== 0);
        const where = { ...place, offset: place.offset + Math.max(at, 0) };
        if (at >= 0) complain(issueAt(where, 'NOT_ZERO', 'zero', `byte ${formatHex(value[at] ?? 0)}`));
      }
      return;
    case 'array':
      checkArray(type, value, place, complain);
      return;
    case 'union':
      if (isRecord(value) && value['raw'] !== undefined) {
        const known = Object.entries(type.cases).map(([name, { when }]) => `${when} (${name})`);
        const selected = showValue(scope[type.selector]);
        complain(
          issueAt(
            place,
            'BAD_VALUE',
            `${type.selector} to be ${known.join(' or ')}, zeros after it`,
            selected,
          ),
        );
      }
      return;
    case 'struct':
      if (isRecord(value)) checkFields(type.rules, value, place, complain);
      return;
    default:
      return;
  }
}

function checkInteger(
  type: IntegerType | PointerType | BitPart,
  value: unknown,
  place: Place,
  complain: Complain,
): void {
  const number = toBigInt(value);
  if (number === undefined) return;
  for (const expected of brokenRules(type.rules, number)) {
    complain(issueAt(place, 'BAD_VALUE', expected, showValue(value)));
  }
}

function checkArray(
  { unique, ascending }: ArrayType,
  value: unknown,
  place: Place,
  complain: Complain,
): void {
  if (!Array.isArray(value) || (unique === undefined && ascending === undefined)) return;
  const seen = new Map<unknown, number>();
  let last: bigint | undefined;
  value.forEach((element: unknown, index) => {
    if (!isRecord(element)) return;
    if (unique !== undefined) {
      const found = element[unique];
      const before = seen.get(found);
      const where = { ...place, path: `${place.path}[${index}].${unique}` };
      if (before === undefined) seen.set(found, index);
      else complain(issueAt(where, 'BAD_VALUE', `a value that [${before}] does not have`, showValue(found)));
    }
    if (ascending !== undefined) {
      const found = toBigInt(element[ascending]);
      const where = { ...place, path: `${place.path}[${index}].${ascending}` };
      if (found !== undefined && last !== undefined && found <= last) {
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
): void {
  const number = (field: string | undefined): bigint => toBigInt(value[field ?? '']) ?? 0n;
  for (const { rule, fields, when, times = 1n, shift, doc } of rules) {
    if (rule === 'elements-multiple-of') {
      checkElements(fields, times, number(shift), value, place, complain);
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

/** Tells which elements of an array have a field that is no multiple of `unit << shift`. */
function checkElements(
  [array = '', field = '']: readonly string[],
  unit: bigint,
  shift: bigint,
  value: Readonly<Record<string, unknown>>,
  place: Place,
  complain: Complain,
): void {
  const elements = value[array];
  if (!Array.isArray(elements) || shift > 64n) return;
  elements.forEach((element: unknown, index) => {
    const found = isRecord(element) ? toBigInt(element[field]) : undefined;
    if (found === undefined || found % (unit << shift) === 0n) return;
    const where = { ...place, path: `${place.path}.${array}[${index}].${field}` };
    complain(issueAt(where, 'BAD_VALUE', `a multiple of ${formatHex(unit << shift)}`, formatHex(found)));
  });
}
