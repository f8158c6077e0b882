// SPDX-License-Identifier: Apache-2.0
// What value rules mean: each function gives the rule that is broken, as what was expected and what was found.
import { formatHex } from '../../bytes/hex.js';
import { issueAt, type Place, type SchemaIssue } from './error.js';
import { checkArray, checkFields } from './field-rules.js';
import { isRecord, toBigInt } from './input.js';
import { brokenRules } from './rule-text.js';
import { showValue } from './show.js';
import type { BitPart, IntegerType, PointerType } from './type.js';
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
    case 'chars': {
      if (typeof value !== 'string') return;
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
      return;
    }
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
      if (isRecord(value)) checkFields(type.rules, value, place, complain, type);
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
