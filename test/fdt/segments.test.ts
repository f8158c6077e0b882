// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkFdt, FdtError, fdtSegments, openFdt, reencodeFdt } from '../../src/fdt/index.js';
import { fixturePaths, readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { mutate } from './mutate.js';

const root = readFixture('kernel-7.3.4/kho-fdt.dtb');
const blobs = fixturePaths('.dtb').map((path) => new Uint8Array(readFileSync(path)));

/** Fails unless the segments follow each other without a gap and end where the blob ends. */
function expectPartition(blob: Uint8Array, context: string): void {
  let at = 0;
  let sound = true;
  for (const { offset, length } of fdtSegments(openFdt(blob, { tolerant: true }))) {
    sound &&= offset === at && length > 0;
    at += length;
  }
  expect(sound, context).toBe(true);
  expect(at, context).toBe(blob.length);
}

describe('segments', () => {
  it('name every byte of the captured root', () => {
    const segments = [...fdtSegments(openFdt(root))];
    expect(segments.some(({ kind }) => kind === 'gap')).toBe(false);
    expect(segments.filter(({ label }) => label === 'FDT_PROP')).toHaveLength(8);
    expect(segments.find(({ offset }) => offset === 0x84)).toEqual({
      offset: 0x84,
      length: 8,
      kind: 'bytes',
      label: 'value of blob-size',
      path: '/memblock',
    });
    expect(segments.at(-1)).toMatchObject({ kind: 'string', label: 'string 47', value: 'blob-size' });
    expectPartition(root, 'captured root');
  });

  it('cover every byte once, in valid and in damaged blobs', () => {
    const random = new Random(runSeed);
    for (const blob of blobs) expectPartition(blob, 'fixture');
    for (let run = 0; run < scaled(3000); run++)
      expectPartition(mutate(random.pick(blobs), random), `KHO_SEED=${runSeed} run ${run}`);
  });
});

describe('reencodeFdt', () => {
  it('gives every captured and dtc-made blob back unchanged', () => {
    for (const blob of blobs) {
      // Version 1 is read in tolerant mode only.
      const again = reencodeFdt(openFdt(blob, { tolerant: true }));
      expect(Buffer.compare(again, blob)).toBe(0);
    }
  });

  it('gives every mutated blob that libfdt accepts back unchanged: odd orders, gaps, overlaps, NOPs', () => {
    const random = new Random(runSeed);
    let accepted = 0;
    for (let run = 0; run < scaled(10_000); run++) {
      const blob = mutate(random.pick(blobs), random);
      if (!checkFdt(blob).accepted) continue;
      accepted++;
      expect(Buffer.compare(reencodeFdt(openFdt(blob)), blob), `KHO_SEED=${runSeed} run ${run}`).toBe(0);
    }
    expect(accepted).toBeGreaterThan(scaled(500));
  });

  it('replaces the values it is told to and nothing else', () => {
    const changed = reencodeFdt(openFdt(root), {
      replace: ({ path, bytes }) => (path === '/LUO' ? bytes.map((byte) => byte ^ 0xff) : undefined),
    });
    const different = [...changed.keys()].filter((at) => changed[at] !== root[at]);
    expect(different).toHaveLength(16);
    expect(openFdt(changed).node('/LUO')?.property('preserved-data')?.value[2]).toBe(0x68 ^ 0xff);
    const longer = (): Uint8Array => reencodeFdt(openFdt(root), { replace: () => new Uint8Array(9) });
    expect(longer).toThrow(FdtError);
    expect(longer).toThrow(/BADVALUE: a replacement must keep the value's 7 bytes, this one has 9/);
  });
});
