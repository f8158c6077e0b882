// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDmar, WalkError } from '../../src/vtd/index.js';
import { readFixture } from '../fixtures.js';

const real = readFixture('kernel-7.3.4/DMAR');

/** A table of these structures with a header whose length and checksum are right. */
function table(...structures: readonly (readonly number[])[]): Uint8Array {
  const bytes = Uint8Array.from([...real.subarray(0, 48), ...structures.flat()]);
  bytes[4] = bytes.length & 255;
  bytes[5] = bytes.length >> 8;
  bytes[9] = 0;
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0) & 255;
  return bytes;
}

const u64 = (value: number): number[] =>
  Array.from({ length: 8 }, (_, byte) => Math.floor(value / 256 ** byte) & 255);

describe('the DMAR table of a q35 machine of QEMU', () => {
  it('has one unit with an IOAPIC and the devices of the command line', () => {
    const { header, hostBits, structures, findings } = decodeDmar(real);
    expect(findings).toEqual([]);
    expect(hostBits).toBe(48);
    expect(header).toMatchObject({ signature: 'DMAR', length: 128, oemId: 'BOCHS', INTR_REMAP: true });
    expect(structures.map(({ name, fields }) => [name, fields['base']])).toEqual([['DRHD', 0xfed9_0000n]]);
    const devices = structures[0]?.scopes.map(({ kind, values, path }) => [
      kind,
      values.startBus,
      ...path.map((step) => `${step.device}.${step.function}`),
    ]);
    expect(devices).toEqual([
      ['IOAPIC', 255, '0.0'],
      ...['0.0', '4.0', '5.0', '6.0', '31.0', '31.2', '31.3'].map((path) => ['PCI endpoint', 0, path]),
    ]);
  });

  it('is judged wherever it is cut off', () => {
    for (let length = 0; length < real.length; length++) {
      const cut = real.subarray(0, length);
      if (length < 48) expect(() => decodeDmar(cut)).toThrow(WalkError);
      else expect(decodeDmar(cut).findings[0]).toMatchObject({ code: 'TRUNCATED', offset: 4 });
    }
  });

  it('has a checksum that notices every changed byte', () => {
    for (let at = 9; at < real.length; at++) {
      const changed = real.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      expect(decodeDmar(changed).findings.map(({ code }) => code)).toContain('BAD_CHECKSUM');
    }
  });
});

describe('structures', () => {
  it('are of seven kinds', () => {
    const scope = [2, 10, 0, 0, 0, 3, 0x1c, 1, 0, 2];
    const { structures, findings } = decodeDmar(
      table(
        [0, 0, 16, 0, 1, 1, 5, 0, ...u64(0xfed9_1000)],
        [1, 0, 34, 0, 0, 0, 5, 0, ...u64(0x7b00_0000), ...u64(0x7b7f_ffff), ...scope],
        [2, 0, 18, 0, 1, 0, 5, 0, ...scope],
        [3, 0, 20, 0, 0, 0, 0, 0, ...u64(0xfed9_1000), 2, 0, 0, 0],
        [4, 0, 15, 0, 0, 0, 0, 7, 0x5c, 0x5f, 0x53, 0x42, 0, 0, 0],
        [5, 0, 18, 0, 1, 0, 5, 0, ...scope],
        [6, 0, 18, 0, 0, 0, 5, 0, ...scope],
      ),
    );
    expect(findings).toEqual([]);
    expect(structures.map(({ name, fields }) => ({ name, ...fields }))).toEqual([
      { name: 'DRHD', type: 0, length: 16, INCLUDE_PCI_ALL: true, size: 1, segment: 5, base: 0xfed9_1000n },
      { name: 'RMRR', type: 1, length: 34, segment: 5, base: 0x7b00_0000n, end: 0x7b7f_ffffn },
      { name: 'ATSR', type: 2, length: 18, ALL_PORTS: true, segment: 5 },
      { name: 'RHSA', type: 3, length: 20, base: 0xfed9_1000n, proximity: 2 },
      { name: 'ANDD', type: 4, length: 15, device: 7 },
      { name: 'SATC', type: 5, length: 18, ATC_REQUIRED: true, segment: 5 },
      { name: 'SIDP', type: 6, length: 18, segment: 5 },
    ]);
    expect(structures[4]?.acpiPath).toBe('\\_SB');
    for (const index of [1, 2, 5, 6]) {
      expect(structures[index]?.scopes).toMatchObject([
        {
          kind: 'PCI bridge',
          values: { startBus: 3 },
          path: [
            { device: 28, function: 1 },
            { device: 0, function: 2 },
          ],
        },
      ]);
    }
  });

  const drhd = [0, 0, 16, 0, 0, 0, 0, 0, ...u64(0xfed9_0000)];
  it.each<[string, readonly number[], string, number]>([
    ['no length', [0, 0, 0, 0], 'BAD_LENGTH', 50],
    ['a length that is too short', [0, 0, 8, 0, 0, 0, 0, 0], 'BAD_LENGTH', 50],
    ['a length beyond the table', [0, 0, 40, 0, ...drhd.slice(4)], 'TRUNCATED', 48],
    ['half a head', [0, 0], 'TRUNCATED', 48],
    ['an unknown type', [9, 0, 8, 0, 0, 0, 0, 0], 'UNKNOWN_TYPE', 48],
    ['reserved bits', [0, 0, 16, 0, 0x80, ...drhd.slice(5)], 'RESERVED_BITS', 48],
    ['registers off a page', [...drhd.slice(0, 8), ...u64(0xfed9_0800)], 'BAD_RANGE', 56],
    [
      'memory that ends in a page',
      [1, 0, 24, 0, 0, 0, 0, 0, ...u64(0x1000), ...u64(0x1ffe)],
      'BAD_RANGE',
      64,
    ],
    [
      'memory that ends before it starts',
      [1, 0, 24, 0, 0, 0, 0, 0, ...u64(0x3000), ...u64(0x2fff)],
      'BAD_RANGE',
      64,
    ],
    ['a scope without a path', [0, 0, 22, 0, ...drhd.slice(4), 1, 6, 0, 0, 0, 0], 'BAD_LENGTH', 65],
    ['a scope of no length', [0, 0, 22, 0, ...drhd.slice(4), 1, 0, 0, 0, 0, 0], 'BAD_LENGTH', 65],
    ['a scope beyond the structure', [0, 0, 22, 0, ...drhd.slice(4), 1, 8, 0, 0, 0, 0], 'TRUNCATED', 64],
    ['half a scope', [0, 0, 18, 0, ...drhd.slice(4), 1, 8], 'TRUNCATED', 64],
    ['a scope of no kind', [0, 0, 24, 0, ...drhd.slice(4), 9, 8, 0, 0, 0, 0, 1, 0], 'RESERVED_VALUE', 64],
    ['a name without an end', [4, 0, 10, 0, 0, 0, 0, 7, 0x5c, 0x5f], 'TRUNCATED', 56],
    ['more than an RHSA', [3, 0, 21, 0, 0, 0, 0, 0, ...u64(0x1000), 2, 0, 0, 0, 0], 'BAD_LENGTH', 50],
  ])('with %s are found', (_, structure, code, offset) => {
    expect(decodeDmar(table(structure)).findings).toMatchObject([{ code, offset }]);
  });

  it('of random bytes are read to an end, with every finding inside the table or at its end', () => {
    const structure = fc
      .tuple(fc.nat(8), fc.uint8Array({ maxLength: 60 }), fc.integer({ min: -3, max: 3 }))
      .map(([type, rest, off]) => [type, 0, Math.max(0, rest.length + 4 + off) & 255, 0, ...rest]);
    fc.assert(
      fc.property(
        fc.array(structure, { maxLength: 8 }),
        fc.uint8Array({ minLength: 48, maxLength: 48 }),
        (list, head) => {
          const bytes = table(...list);
          const hostile = Uint8Array.from([
            ...bytes.subarray(0, 4),
            ...head.subarray(4),
            ...bytes.subarray(48),
          ]);
          for (const each of [bytes, hostile]) {
            const { structures, findings } = decodeDmar(each);
            for (const { offset, path } of findings) {
              // What is missing is told where it should be: that may be right behind the table.
              expect(offset).toBeLessThanOrEqual(each.length);
              expect(path).not.toBe('');
            }
            let end = 48;
            for (const { offset, length } of structures) {
              expect(offset).toBe(end);
              end += length;
            }
            expect(end).toBeLessThanOrEqual(each.length);
          }
        },
      ),
    );
  });
});
