// SPDX-License-Identifier: Apache-2.0
// What is made small goes on to fail, and is as small as it can be where that is known.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KhoError } from '../../src/bytes/issue.js';
import { type FdtTree, openFdt, readTree } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import { cuts } from '../../src/fuzz/cut.js';
import { codesOf, deserves } from '../../src/fuzz/own-verdict.js';
import { type Minimised, minimiseNow, minimising, type ShrinkPass } from '../../src/fuzz/shrink.js';
import { cutBytes, zeroBytes } from '../../src/fuzz/shrink-bytes.js';
import { shrinkPages, zeroPages } from '../../src/fuzz/shrink-image.js';
import { shrinkTree } from '../../src/fuzz/shrink-tree.js';
import { shrinkValue } from '../../src/fuzz/shrink-value.js';
import { buildCoreHeaders } from '../../src/image/core-headers.js';
import { decode, encodeUnchecked, families, type MemoryType } from '../../src/schemas/index.js';
import { fixturesFolder } from '../fixtures.js';

function minimise(
  input: Uint8Array,
  passes: readonly ShrinkPass[],
  fails: (input: Uint8Array) => boolean,
  maxRuns = 5000,
): Minimised {
  return minimiseNow(minimising(input, passes, { maxRuns }), fails);
}

describe('bytes', () => {
  it('leave what fails and nothing else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        (around, needle) => {
          const half = around.length >> 1;
          const input = Uint8Array.from([...around.subarray(0, half), ...needle, ...around.subarray(half)]);
          const fails = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes(Buffer.from(needle));
          expect(minimise(input, [cutBytes(), zeroBytes()], fails).bytes).toEqual(needle);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('become zero where nobody looks at them, and none is tried twice', () => {
    const seen: string[] = [];
    const fails = (bytes: Uint8Array): boolean => {
      seen.push(Buffer.from(bytes).toString('hex'));
      return bytes.length === 8 && bytes[5] === 9;
    };
    const { bytes, runs, complete } = minimise(
      Uint8Array.of(1, 2, 3, 4, 5, 9, 7, 8),
      [cutBytes(), zeroBytes()],
      fails,
    );
    expect([...bytes]).toEqual([0, 0, 0, 0, 0, 9, 0, 0]);
    expect(runs).toBe(seen.length);
    expect(new Set(seen).size).toBe(seen.length);
    expect(complete).toBe(true);
  });

  it('are tried no more often than asked for, and what was found until then counts', () => {
    const steps: string[] = [];
    const minimisation = minimising(new Uint8Array(1000).fill(1), [cutBytes()], {
      maxRuns: 7,
      onStep: (step, [before, after], runs) => steps.push(`${runs}: ${step}, ${before} -> ${after}`),
    });
    const { bytes, runs, complete } = minimiseNow(minimisation, ({ length }) => length > 600);
    expect({ length: bytes.length, runs, complete }).toEqual({ length: 616, runs: 7, complete: false });
    expect(steps).toEqual(['3: cut 256 bytes at 0x0, 1000 -> 744', '4: cut 128 bytes at 0x0, 744 -> 616']);
  });

  it('are left out in stretches that lie in what is left, every element at last on its own', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.infiniteStream(fc.boolean()), (length, answers) => {
        let left = length;
        const single = new Set<number>();
        const stretches = cuts(length);
        for (let next = stretches.next(); next.done !== true; ) {
          const { at, size } = next.value;
          expect(size > 0 && at + size <= left).toBe(true);
          if (size === 1) single.add(at);
          const cut = answers.next().value === true;
          if (cut) left -= size;
          next = stretches.next(cut);
        }
        for (let at = 0; at < left; at++) expect(single).toContain(at);
      }),
      { numRuns: 50 },
    );
  });
});

describe('trees', () => {
  const blob = new Uint8Array(readFileSync(join(fixturesFolder, 'rfc-2024/several.dtb')));
  const treeOf = (bytes: Uint8Array): FdtTree | undefined => {
    try {
      return readTree(openFdt(bytes));
    } catch (error) {
      if (error instanceof KhoError) return undefined;
      throw error;
    }
  };

  it('lose all nodes, properties and bytes but those that the failure needs', () => {
    const fails = (bytes: Uint8Array): boolean => {
      const iommu = treeOf(bytes)?.root.children.find(({ name }) => name === 'intel-iommu');
      const domains = iommu?.children.find(({ name }) => name === 'domains');
      const agaw = domains?.children.at(-1)?.properties.find(({ name }) => name === 'agaw');
      return agaw?.value.length === 4;
    };
    const { bytes, complete } = minimise(blob, [shrinkTree], fails);
    expect(complete).toBe(true);
    const tree = treeOf(bytes);
    expect(JSON.stringify(tree?.root, (key, value) => (key === 'value' ? Object.values(value) : value))).toBe(
      '{"name":"","properties":[],"children":[{"name":"intel-iommu","properties":[],"children":[{"name":"domains","properties":[],"children":[{"name":"4294967295","properties":[{"name":"agaw","value":[0,0,0,0]}],"children":[]}]}]}]}',
    );
  });

  it('are passed over when there is none, and when the failure is not about the tree', () => {
    const never = (): boolean => false;
    for (const bytes of [new Uint8Array(), new Uint8Array(100).fill(7), blob.slice(0, 60)])
      expect(minimise(bytes, [shrinkTree], never)).toEqual({ bytes, runs: 0, complete: true });
    const padded = new Uint8Array(blob.length + 64);
    padded.set(blob);
    expect(minimise(padded, [shrinkTree], ({ length }) => length === padded.length).runs).toBeLessThan(3);
  });
});

describe('values of packed layouts', () => {
  const packed = families.flatMap(({ versions }) =>
    versions.flatMap(({ key, layout }) => (layout.kind === 'node' ? [] : [[key, layout] as const])),
  );

  it('keep the codes that they break, of every layout, and are never larger', () => {
    expect(packed.length).toBeGreaterThan(10);
    for (const [key, layout] of packed) {
      const values: unknown[] = fc.sample<unknown>(arbitraryOf<MemoryType>(layout), { numRuns: 3, seed: 7 });
      for (const value of values) {
        const input = encodeUnchecked(layout, value);
        const { bytes } = minimise(
          input,
          [shrinkValue(layout)],
          (each) => codesOf(layout, each).size === 0,
          300,
        );
        expect(codesOf(layout, bytes).size, key).toBe(0);
        expect(bytes.length, key).toBeLessThanOrEqual(input.length);
      }
    }
  });

  it('lose the elements of arrays together with what counts them', () => {
    const [, layout] = packed.find(([key]) => key === 'pci-v1') ?? [];
    if (layout === undefined) throw new Error('no layout');
    const values: unknown[] = fc.sample<unknown>(arbitraryOf<MemoryType>(layout), { numRuns: 20, seed: 3 });
    const sizes = values.map((value) => {
      const input = encodeUnchecked(layout, value);
      const { bytes } = minimise(
        input,
        [shrinkValue(layout)],
        (each) => deserves({ verdict: 'valid', rules: [] }, layout, each),
        500,
      );
      decode(layout, bytes);
      return bytes.length;
    });
    expect(new Set(sizes).size).toBe(1);
  });
});

describe('memory images', () => {
  const page = (fill: number): Uint8Array => new Uint8Array(4096).fill(fill);
  const core = (pages: Readonly<Record<number, number>>): Uint8Array => {
    const runs = Object.keys(pages).map((pfn) => ({ pfn: Number(pfn), count: 1 }));
    const headers = buildCoreHeaders(runs, new Uint8Array(20), 62, [{ pfn: 500, count: 9 }]);
    return new Uint8Array(Buffer.concat([headers, ...Object.values(pages).map(page)]));
  };

  it('lose pages, notes and memory without contents, and words become zero', () => {
    const input = core({ 1: 1, 2: 2, 7: 7, 9: 9, 300: 3 });
    // The page itself says where the failure is: its seventh word.
    const fails = (bytes: Uint8Array): boolean => {
      const at = bytes.indexOf(7, 4096);
      return bytes[0] === 0x7f && at >= 0 && bytes[(at & ~4095) + 56] === 7;
    };
    const { bytes } = minimise(input, [shrinkPages, zeroPages], fails);
    const expected = new Uint8Array(2 * 4096);
    expected.set(buildCoreHeaders([{ pfn: 7, count: 1 }], new Uint8Array(), 62));
    expected[4096 + 56] = 7;
    expect(Buffer.from(bytes).equals(Buffer.from(expected))).toBe(true);
  });

  it('are passed over when there is none', () => {
    const bytes = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1);
    expect(minimise(bytes, [shrinkPages, zeroPages], () => true)).toEqual({ bytes, runs: 0, complete: true });
  });
});
