// SPDX-License-Identifier: Apache-2.0
// For every declared layout: values survive encoding, bytes survive decoding.
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFdt, reencodeFdt } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import {
  check,
  decode,
  encodeUnchecked,
  families,
  type Layout,
  relatedLayouts,
  SchemaError,
  spansOf,
  versionName,
} from '../../src/schemas/index.js';
import { scaled } from '../random.js';

/** Every layout is tried this often in CI; fewer times where somebody waits. */
const RUNS = Number(process.env['KHO_RUNS'] ?? scaled(100));

const layouts = new Map<Layout, string>();
for (const { versions } of families) {
  for (const version of versions) {
    relatedLayouts(version.layout).forEach((layout, index) => {
      const inner = layout.kind === 'struct' ? layout.name : `${layout.kind} ${index}`;
      if (!layouts.has(layout))
        layouts.set(layout, index === 0 ? versionName(version) : `${versionName(version)}: ${inner}`);
    });
  }
}
const cases = [...layouts].map(([layout, name]) => [name, layout] as const);

describe.each(cases)('%s', (_, layout) => {
  const values = arbitraryOf(layout);

  it('decodes what it encodes, without a broken rule', () => {
    fc.assert(
      fc.property(values, (value) => {
        const found = check<Layout>(layout, encodeUnchecked(layout, value));
        expect(found.issues).toEqual([]);
        expect(found.unknown).toEqual([]);
        if (!isDeepStrictEqual(found.value, value)) expect(found.value).toEqual(value);
      }),
      { numRuns: RUNS },
    );
  });

  it('encodes what it decodes, whatever the bytes', () => {
    fc.assert(
      fc.property(values, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (value, changes) => {
        const bytes = changed(layout, encodeUnchecked(layout, value), changes);
        let found: unknown;
        try {
          found = decode<Layout>(layout, bytes);
        } catch (error) {
          if (error instanceof SchemaError) return;
          throw error;
        }
        expect(Buffer.from(encodeUnchecked(layout, found)).equals(bytes)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('names every byte once', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeUnchecked(layout, value);
        let at = 0;
        for (const span of spansOf(layout, bytes)) {
          if (span.offset !== at || span.unknown) expect(span).toMatchObject({ offset: at, unknown: false });
          at += span.length;
        }
        expect(at).toBe(bytes.length);
      }),
      { numRuns: scaled(100) },
    );
  });
});

/** `bytes` with some of them changed; of an FDT only in the values of properties. */
function changed(
  layout: Layout,
  bytes: Uint8Array,
  changes: readonly (readonly [number, number])[],
): Uint8Array {
  const apply = (to: Uint8Array): Uint8Array => {
    const copy = to.slice();
    for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  };
  return layout.kind === 'node'
    ? reencodeFdt(openFdt(bytes), { replace: (value) => apply(value.bytes) })
    : apply(bytes);
}
