// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';

/** Expects equal bytes; shows the place of the first difference. (`toEqual` takes seconds on a megabyte.) */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return;
  let at = 0;
  while (actual[at] === expected[at]) at++;
  const around = (bytes: Uint8Array): string =>
    `${bytes.length} bytes, at ${at}: ${Buffer.from(bytes.subarray(Math.max(0, at - 8), at + 24)).toString('hex')}`;
  expect(around(actual)).toBe(around(expected));
}
