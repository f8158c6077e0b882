// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { mergeRuns, openImage, PageStore, writeCore } from '../../src/image/index.js';
import { fixturesFolder } from '../fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'kho-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a page store over a captured image', () => {
  it('shows the image but for what was written or taken away', () => {
    const image = openImage(join(fixturesFolder, 'kernel-7.3.4/vtd-legacy.trimmed.elf'));
    const [range] = [...image.ranges()];
    const pfn = Number((range?.start ?? 0n) / 4096n);
    const store = new PageStore(image);
    expect([...store.ranges()]).toEqual([...image.ranges()]);
    expect(store.counts()).toEqual(image.counts());
    const before = image.u64(BigInt(pfn) * 4096n + 8n);
    store.writeU64(BigInt(pfn) * 4096n, 0x1122334455667788n);
    expect(store.u64(BigInt(pfn) * 4096n)).toBe(0x1122334455667788n);
    expect(store.u64(BigInt(pfn) * 4096n + 8n)).toBe(before);
    expect(image.u64(BigInt(pfn) * 4096n)).not.toBe(0x1122334455667788n);
    expect([...store.ranges()]).toEqual([...image.ranges()]);
    store.drop(pfn);
    expect(store.page(pfn)).toBe('absent');
    expect(store.counts().present).toBe(image.counts().present - 1);
    expect(() => store.read(BigInt(pfn) * 4096n, 1)).toThrow('ABSENT');
    image.close();
  });
});

describe('a page store', () => {
  it('reads back what was written, and a core of it too', () => {
    const write = fc.record({ at: fc.nat(40_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }) });
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 6 }), (writes) => {
        const model = new Uint8Array(50_000);
        const store = new PageStore();
        const touched = new Set<number>();
        for (const { at, bytes } of writes) {
          store.write(BigInt(at), bytes);
          model.set(bytes, at);
          for (let pfn = at >> 12; pfn <= (at + bytes.length - 1) >> 12; pfn++) touched.add(pfn);
        }
        const runs = mergeRuns([...touched].map((pfn) => ({ pfn, count: 1 })));
        const path = join(folder, 'core.elf');
        const size = writeCore(store, path, runs);
        const core = openImage(path);
        expect(core.fileSize).toBe(size);
        expect([...core.ranges()]).toEqual([...store.ranges()]);
        for (const { pfn, count } of runs) {
          const expected = model.subarray(pfn * 4096, (pfn + count) * 4096);
          const length = expected.length;
          expect(store.read(BigInt(pfn) * 4096n, length)).toEqual(expected);
          expect(core.read(BigInt(pfn) * 4096n, length)).toEqual(expected);
        }
        const streamed: number[] = [];
        store.stream((pfn) => streamed.push(pfn) > 0);
        expect(streamed).toEqual([...touched].sort((a, b) => a - b));
        core.close();
        rmSync(path);
      }),
      { numRuns: 40 },
    );
  });
});
