// SPDX-License-Identifier: Apache-2.0
import { isRecord, toBigInt } from '../schemas/lang/input.js';

/**
 * A copy of `value` in which the integer that names joined by dots lead to is changed.
 *
 * @param change - gives the new number for the old one, 0 where there is none
 */
export function changeAt(
  value: Readonly<Record<string, unknown>>,
  path: string,
  change: (old: bigint) => bigint,
): Record<string, unknown> {
  const [name = '', ...rest] = path.split('.');
  const found = value[name];
  if (rest.length > 0)
    return { ...value, [name]: changeAt(isRecord(found) ? found : {}, rest.join('.'), change) };
  const to = change(toBigInt(found) ?? 0n);
  return { ...value, [name]: typeof found === 'bigint' ? to : Number(to) };
}
