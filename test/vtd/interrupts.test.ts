// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import { type Interrupt, interruptSource, readInterrupts, WalkError } from '../../src/vtd/index.js';

/** One page with these entries: [index, low, high]. */
function tableOf(...entries: readonly (readonly [number, bigint, bigint])[]): PageStore {
  const memory = new PageStore();
  memory.writeU64(0x1000n, 0n);
  for (const [index, low, high] of entries) {
    memory.writeU64(0x1000n + BigInt(index * 16), low);
    memory.writeU64(0x1008n + BigInt(index * 16), high);
  }
  return memory;
}

// 256 entries: one page.
const IRTA = 0x1007n;

function only(memory: PageStore, irta = IRTA): Interrupt {
  const { interrupts, findings } = readInterrupts(memory, irta);
  expect(findings).toEqual([]);
  const [first] = interrupts;
  if (first === undefined) throw new Error('an interrupt expected');
  return first;
}

describe('the interrupt-remapping table', () => {
  it('has remapped interrupts, with xAPIC or x2APIC destinations', () => {
    // Vector 0x41, level, logical, lowest priority, RH, APIC id 0x12 in bits 47:40; source 03:02.1.
    const low = 1n | (1n << 2n) | (1n << 3n) | (1n << 4n) | (1n << 5n) | (0x41n << 16n) | (0x12n << 40n);
    const found = only(tableOf([5, low, 0x0311n | (1n << 18n)]));
    expect(found).toMatchObject({
      kind: 'remapped',
      index: 5,
      address: 0x1050n,
      destination: 0x12,
      values: { V: 0x41, DM: 1, RH: true, TM: 1, DLM: 1, SVT: 1 },
    });
    expect(interruptSource(found)).toBe('03:02.1');
    const wide = only(tableOf([0, 1n | (0x8000_0001n << 32n), (2n << 18n) | 0x0305n]), IRTA | 0x800n);
    expect(wide).toMatchObject({ kind: 'remapped', destination: 0x8000_0001 });
    expect(interruptSource(wide)).toBe('buses 03 to 05');
    expect(interruptSource(only(tableOf([0, 1n, 0n])))).toBe('anyone');
  });

  it('has posted interrupts', () => {
    const descriptor = 0x12_3456_7ac0n;
    const low = 1n | (1n << 14n) | (1n << 15n) | (0x55n << 16n) | ((descriptor & 0xffff_ffffn) << 32n);
    const high = 0x10n | (1n << 18n) | ((descriptor >> 32n) << 32n);
    expect(only(tableOf([255, low, high]))).toMatchObject({
      kind: 'posted',
      index: 255,
      descriptor,
      values: { V: 0x55, URG: true },
    });
  });

  it.each<[string, bigint, bigint, string, RegExp]>([
    ['reserved bits', 1n | (1n << 12n), 0n, 'RESERVED_BITS', /14:12/],
    ['reserved bits of the high word', 1n, 1n << 40n, 'RESERVED_BITS', /127:96/],
    ['a delivery mode that is none', 1n | (3n << 5n), 0n, 'RESERVED_VALUE', /^DLM/],
    ['a check of the source that is none', 1n, 3n << 18n, 'RESERVED_VALUE', /^SVT/],
    ['an x2APIC id where there is none', 1n | (1n << 32n), 0n, 'RESERVED_BITS', /^DST/],
    ['reserved bits of a posted interrupt', 1n | (1n << 15n) | (1n << 3n), 0n, 'RESERVED_BITS', /7:2/],
  ])('is found to have %s', (_, low, high, code, message) => {
    const { findings } = readInterrupts(tableOf([3, low, high]), IRTA);
    expect(findings).toMatchObject([{ code, address: 0x1030n, path: 'entry 3' }]);
    expect(findings[0]?.message).toMatch(message);
  });

  it('says which entries are not in the image', () => {
    const { entries, findings, tablePages } = readInterrupts(tableOf(), 0x1008n);
    expect(entries).toBe(512);
    expect([...tablePages]).toEqual([1]);
    expect(findings).toMatchObject([{ code: 'OUTSIDE_IMAGE', address: 0x2000n, path: 'entries 256 to 511' }]);
  });

  it('is not looked for where IRTA makes no sense', () => {
    for (const irta of [0x1017n, 1n << 64n]) {
      expect(() => readInterrupts(tableOf(), irta)).toThrow(WalkError);
    }
  });

  it('may hold anything', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4096, maxLength: 4096, size: 'max' }),
        fc.boolean(),
        (page, wide) => {
          const memory = new PageStore();
          memory.putPage(1, page);
          const { interrupts, findings } = readInterrupts(memory, IRTA | (wide ? 0x800n : 0n));
          expect(interrupts.length).toBe([...page].filter((byte, at) => at % 16 === 0 && byte & 1).length);
          for (const { address } of findings) expect(address >> 12n).toBe(1n);
        },
      ),
      { numRuns: 20 },
    );
  });
});
