// SPDX-License-Identifier: Apache-2.0
// Every byte of a handover is hostile: whatever is in its pages, it is verified to the end, and every finding counts.
// KHO_MUTATIONS=10000 runs as many; npm test runs fewer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Handover, summarize, verifyHandover } from '../../src/kho/index.js';
import { AT, Damageable } from './captured-handover.js';

const RUNS = Number(process.env['KHO_MUTATIONS'] ?? 60);

/** Pages of the handover that are not contents: of the map, blobs, blocks, structs and arrays. */
const pages: readonly bigint[] = (() => {
  const handover = Handover.open(new Damageable(), { root: AT.root });
  const { preserved, reach } = handover;
  const found = new Set([...(preserved?.nodes ?? [])]);
  for (let index = 0; index < reach.count; index++)
    if (reach.kind(index) !== 'folio' && reach.kind(index) !== 'region') found.add(reach.pfn(index));
  return [...found].map((pfn) => BigInt(pfn) << 12n);
})();

/** What a damaged word may be: nothing, everything, a place in the handover, a little more or less than it was. */
const word = fc.oneof(
  fc.constantFrom(0n, 0xffff_ffff_ffff_ffffn, 1n, 0x8000_0000n, 1n << 52n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat().map((index) => pages[index % pages.length] ?? 0n),
  fc
    .tuple(fc.nat(), fc.nat({ max: 4095 }))
    .map(([index, offset]) => (pages[index % pages.length] ?? 0n) + BigInt(offset)),
);
/** Most words of a page are zeros that nobody reads: the first ones, and any. */
const offset = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 511 })).map((index) => BigInt(index * 8));
const change = fc.record({ page: fc.nat({ max: pages.length - 1 }), offset, word });

describe('a handover with damaged pages', () => {
  it('is verified to the end', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const store = new Damageable();
        for (const { page, offset: at, word: value } of changes)
          store.writeU64((pages[page] ?? 0n) + at, value);
        const handover = Handover.open(store, { root: AT.root });
        const { findings, counts } = verifyHandover(handover);
        summarize(handover);
        for (const { rule, message } of findings) {
          expect(counts.get(rule)).toBeGreaterThan(0);
          expect(message).not.toBe('');
        }
      }),
      { numRuns: RUNS },
    );
  });
});
