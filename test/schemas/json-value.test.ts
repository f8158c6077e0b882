// SPDX-License-Identifier: Apache-2.0
// Values of every layout survive JSON.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { writeJsonValue } from '../../src/render/value-json.js';
import {
  decode,
  encodeUnchecked,
  families,
  type Layout,
  valueFromJson,
  versionName,
} from '../../src/schemas/index.js';
import { scaled } from '../random.js';

const cases = families.flatMap(({ versions }) =>
  versions.map((version) => [versionName(version), version.layout] as const),
);

function json(value: unknown): string {
  let text = '';
  writeJsonValue(
    (piece) => {
      text += piece;
    },
    value,
    '',
  );
  return text;
}

describe('valueFromJson', () => {
  it.each(cases)('gives back what %s holds', (_, layout: Layout) => {
    fc.assert(
      fc.property(arbitraryOf(layout), (value) => {
        const options = { capacity: 1 << 16 };
        const bytes = encodeUnchecked(layout, value, options);
        const parsed: unknown = JSON.parse(json(decode(layout, bytes)));
        expect(encodeUnchecked(layout, valueFromJson(layout, parsed), options)).toEqual(bytes);
      }),
      { numRuns: Number(process.env['KHO_RUNS'] ?? scaled(30)) },
    );
  });

  it.each(cases)('refuses or takes any JSON for %s, without another error', (_, layout: Layout) => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        try {
          valueFromJson(layout, value);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_TYPE|UNKNOWN)$/) });
        }
      }),
      { numRuns: scaled(50) },
    );
  });
});
