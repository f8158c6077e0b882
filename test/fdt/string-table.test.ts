// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StringTable, type StringTablePolicy } from '../../src/fdt/string-table.js';
import { scaled } from '../random.js';

/** The definition: the block as text, searched from its lowest address for the name and its NUL. */
class PlainTable {
  readonly #policy: StringTablePolicy;
  #block = '';

  constructor(policy: StringTablePolicy) {
    this.#policy = policy;
  }

  find(name: string): number | undefined {
    const at = this.#block.indexOf(`${name}\0`);
    if (at < 0) return undefined;
    return this.#policy === 'first' ? at : at - this.#block.length;
  }

  add(name: string): void {
    this.#block = this.#policy === 'first' ? `${this.#block}${name}\0` : `${name}\0${this.#block}`;
  }

  get size(): number {
    return this.#block.length;
  }
}

describe.each(['first', 'latest'] as const)('StringTable, policy %s', (policy) => {
  // Two letters make most names end like another one.
  const name = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '\xff'), maxLength: 40 }),
  );

  it('answers as a search of the whole block does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name, add: fc.constantFrom('always', 'missing', 'never') }), { maxLength: 40 }),
        (calls) => {
          const table = new StringTable(policy);
          const plain = new PlainTable(policy);
          for (const call of calls) {
            const expected = plain.find(call.name);
            expect(table.find(call.name)).toBe(expected);
            if (call.add === 'always' || (call.add === 'missing' && expected === undefined)) {
              plain.add(call.name);
              const own = policy === 'first' ? plain.size - call.name.length - 1 : -plain.size;
              expect(table.add(call.name)).toBe(own);
            }
            expect(table.size).toBe(plain.size);
          }
          for (const call of calls) expect(table.find(call.name)).toBe(plain.find(call.name));
        },
      ),
      { numRuns: scaled(2000) },
    );
  });

  it('takes 16,000 names and names of 64 KiB that differ in one byte', () => {
    const table = new StringTable(policy);
    for (let index = 0; index < scaled(16_000); index++) table.add(`property-${index}`);
    const long = 'x'.repeat(65_535);
    for (let index = 0; index < 64; index++) {
      const text = `${long.slice(0, index * 1000)}y${long.slice(index * 1000 + 1)}`;
      expect(table.find(text)).toBeUndefined();
      table.add(text);
    }
    expect(table.find(`property-${scaled(16_000) - 1}`)).toBeDefined();
    expect(table.find(long)).toBeUndefined();
  });
});

describe('StringTable', () => {
  it('with policy latest prefers a string added after the answer was first given', () => {
    const table = new StringTable('latest');
    table.add('iova-start');
    expect(table.find('start')).toBe(-6);
    table.add('x-start');
    expect(table.find('start')).toBe(-17);
  });

  it('with policy first keeps to the string added first', () => {
    const table = new StringTable('first');
    table.add('iova-start');
    expect(table.find('start')).toBe(5);
    table.add('x-start');
    expect(table.find('start')).toBe(5);
    expect(table.find('')).toBe(10);
  });
});
