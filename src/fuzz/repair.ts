// SPDX-License-Identifier: Apache-2.0
import { isRecord, toBigInt } from '../schemas/lang/input.js';
import type { FieldRule } from '../schemas/lang/type.js';

type Fields = Record<string, unknown>;

/** A copy of `value` changed so that it keeps the rules between its fields. */
export function repairFields(rules: readonly FieldRule[], value: Readonly<Fields>): Fields {
  const fields: Fields = { ...value };
  const number = (name: string | undefined): bigint => toBigInt(fields[name ?? '']) ?? 0n;
  const set = (name: string, to: bigint): void => {
    // What is missing counts as zero.
    if (fields[name] === undefined) return;
    fields[name] = typeof fields[name] === 'bigint' ? to : Number(to);
  };
  for (const { rule, fields: names, when, times = 1n, shift } of rules) {
    const [first = '', second = ''] = names;
    const zeros = names.filter((name) => number(name) === 0n).length;
    if (rule === 'zero-together' && zeros > 0) for (const name of names) set(name, 0n);
    else if (rule === 'zero-when' && number(when) === 0n) for (const name of names) set(name, 0n);
    else if (rule === 'at-least' && number(first) < number(second) * times)
      set(second, number(first) / times);
    else if (rule === 'equals-name' && fields['$name'] !== undefined)
      set(first, BigInt(String(fields['$name'])));
    else if (rule === 'elements-multiple-of')
      fields[first] = roundElements(fields[first], second, times << number(shift));
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
