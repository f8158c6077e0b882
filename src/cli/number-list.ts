// SPDX-License-Identifier: Apache-2.0
import { UsageError } from './failure.js';

/** Reads `0,3,10-12`. @throws UsageError for anything else, and above `max` */
export function parseNumberList(text: string, option: string, max: number): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? from);
    if (match === null || from > to || to > max)
      throw new UsageError(`${option} takes numbers up to ${max} as 0,3,10-12, found "${text}"`);
    for (let number = from; number <= to; number++) numbers.add(number);
  }
  return numbers;
}
