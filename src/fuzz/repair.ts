// SPDX-License-Identifier: Apache-2.0

import { compareInTurn, valueAt } from '../schemas/lang/field-rules.js';
import { isRecord, toBigInt } from '../schemas/lang/input.js';
import type { FieldRule } from '../schemas/lang/type.js';
import { changeAt } from './change-at.js';

type Fields = Record<string, unknown>;

/**
 * A copy of `value` changed so that it keeps the rules between its fields.
 *
 * @param counts - fields that count elements and are not changed
 */
export function repairFields(
  rules: readonly FieldRule[],
  value: Readonly<Fields>,
  counts: ReadonlySet<string> = new Set(),
): Fields {
  const fields: Fields = { ...value };
  const number = (name: string | undefined): bigint => toBigInt(fields[name ?? '']) ?? 0n;
  const set = (name: string, to: bigint): void => {
    // What is missing counts as zero.
    if (fields[name] === undefined) return;
    fields[name] = typeof fields[name] === 'bigint' ? to : Number(to);
  };
  for (const { rule, fields: names, when, times = 1n, shift, mask } of rules) {
    const [first = '', second = ''] = names;
    const zeros = names.filter((name) => number(name) === 0n).length;
    if (rule === 'zero-together' && zeros > 0) for (const name of names) set(name, 0n);
    else if (rule === 'zero-when' && number(when) === 0n) for (const name of names) set(name, 0n);
    else if (rule === 'at-least' && number(first) < number(second) * times)
      set(
        counts.has(second) ? first : second,
        counts.has(second) ? number(second) * times : number(first) / times,
      );
    else if (rule === 'equals-name' && fields['$name'] !== undefined)
      set(first, BigInt(String(fields['$name'])));
    else if (rule === 'elements-multiple-of')
      fields[first] = roundElements(fields[first], second, times << number(shift));
    else if (rule === 'elements-ascending') fields[first] = sortElements(fields[first], names.slice(1));
    else if (rule === 'not-zero-unless' && names.some((name) => toBigInt(valueAt(fields, name)) === 0n))
      Object.assign(
        fields,
        changeAt(fields, when ?? '', (old) => old | (mask ?? 1n)),
      );
  }
  return fields;
}

/** The elements with `field` rounded down to a multiple of `unit`, those left out that then equal the one before. */
function roundElements(elements: unknown, field: string, unit: bigint): unknown[] {
  if (!Array.isArray(elements)) return [];
  let last = -1n;
  return elements.flatMap((element: unknown) => {
    const found = isRecord(element) ? toBigInt(element[field]) : undefined;
    if (!isRecord(element) || found === undefined) return [];
    const rounded = BigInt.asUintN(64, found - (found % unit));
    if (rounded <= last) return [];
    last = rounded;
    return [{ ...element, [field]: rounded }];
  });
}

/** The elements in the order of `keys` compared in turn, equal ones left out. */
function sortElements(elements: unknown, keys: readonly string[]): unknown[] {
  if (!Array.isArray(elements)) return [];
  const order = (element: unknown): bigint[] => keys.map((key) => toBigInt(valueAt(element, key)) ?? 0n);
  const sorted: unknown[] = [...elements].sort((a, b) => compareInTurn(order(a), order(b)));
  return sorted.filter((each, at) => at === 0 || compareInTurn(order(sorted[at - 1]), order(each)) < 0);
}
