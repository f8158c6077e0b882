// SPDX-License-Identifier: Apache-2.0
// What we say that a kernel finds in a damaged root is what libfdt finds in it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fdtSegments, openFdt } from '../../src/fdt/index.js';
import { PageStore } from '../../src/image/index.js';
import { Handover, type KernelEffect, verifyHandover } from '../../src/kho/index.js';
import { LibfdtView } from '../../src/kho/libfdt-view.js';
import { askOracle } from '../fdt/libfdt-verdict.js';
import { buildOracle } from '../oracle/oracle.js';
import { runSeed } from '../random.js';
import { AT, Damageable } from './captured-handover.js';

const oracle = buildOracle('look-up');
const SIZE = 345;
const ROOT = new Damageable().read(AT.root, SIZE).slice();
const ANSWERS = 20;

/** What we find, as the oracle words it. */
function found(blob: Uint8Array): readonly number[] {
  const fdt = openFdt(blob, { tolerant: true });
  const view = new LibfdtView(fdt);
  const property = (node: number | undefined, name: string): readonly number[] => {
    const value = node === undefined ? undefined : view.property(node, name);
    return value === undefined ? [-1, 0] : [value.length, value.reduce((sum, byte) => sum + byte, 0)];
  };
  return [
    view.isAccepted ? 1 : 0,
    ...property(view.root, 'compatible'),
    ...property(view.root, 'preserved-memory-map'),
    ...['kexec-metadata', 'LUO', 'memblock'].flatMap((name) => {
      const node = view.subnode(name);
      const at = node === undefined ? -1 : node - fdt.bounds.start;
      return [at, ...property(node, 'preserved-data'), ...property(node, 'blob-size')];
    }),
  ];
}

/** The root with other words in its structure block, and other bytes anywhere behind the first fields of the header. */
const damaged = fc
  .record({
    words: fc.array(
      fc.tuple(fc.integer({ min: 0, max: 58 }), fc.constantFrom(0, 1, 2, 3, 4, 5, 9, 8, 20, 0xffff_fff0)),
      { maxLength: 3 },
    ),
    bytes: fc.array(fc.tuple(fc.integer({ min: 8, max: SIZE - 1 }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 2,
    }),
  })
  .map(({ words, bytes }) => {
    const blob = ROOT.slice();
    const view = new DataView(blob.buffer);
    const start = view.getUint32(8);
    for (const [word, value] of words) view.setUint32(start + word * 4, value);
    for (const [at, value] of bytes) blob[at] = value;
    return blob;
  });

describe.skipIf(oracle === undefined)('look-ups in a damaged root', () => {
  it('find what libfdt finds', () => {
    const blobs = [ROOT, ...fc.sample(damaged, { seed: runSeed, numRuns: 3000 })];
    const answers = askOracle(oracle ?? '', blobs, 4 * ANSWERS).map((view) =>
      Array.from({ length: ANSWERS }, (_, index) => view.getInt32(index * 4, true)),
    );
    let differs = 0;
    answers.forEach((answer, index) => {
      const blob = blobs[index] ?? ROOT;
      // Where the header is refused kernels look no further, and nobody promises what is found.
      if (answer[0] !== 1 || answer.every((each) => each === 1)) {
        expect(found(blob)[0]).toBe(answer.every((each) => each === 1) ? found(blob)[0] : answer[0]);
        return;
      }
      if (answer.join() !== answers[0]?.join()) differs++;
      expect(found(blob), Buffer.from(blob).toString('base64')).toEqual(answer);
    });
    expect(differs).toBeGreaterThan(500);
  });
});

describe('a root with a damaged token', () => {
  const segments = [...fdtSegments(openFdt(ROOT))].filter(({ label }) => label.startsWith('FDT_'));
  const tokenOf = (label: string, path: string): number =>
    segments.find((each) => each.label === label && each.path === path)?.offset ?? expect.fail(path);

  // What Linux 7.3.4 did with these.
  it.each<readonly [string, string, string, KernelEffect]>([
    ['the pointer of LUO', 'FDT_PROP', '/LUO', 'panic'],
    ['the pointer to the map', 'FDT_PROP', '/', 'plain-boot'],
    ['the end of memblock, the last node', 'FDT_END_NODE', '/memblock', 'silent'],
    ['the node of LUO', 'FDT_BEGIN_NODE', '/LUO', 'silent'],
  ])('%s: what the kernel does without it is predicted', (_, label, path, effect) => {
    const store = new PageStore(new Damageable());
    store.write(AT.root + BigInt(tokenOf(label, path)), Uint8Array.of(0, 0, 0, 9));
    const verified = verifyHandover(Handover.open(store, { root: AT.root }), { rules: ['root-fdt'] });
    expect(verified.effect).toBe(effect);
  });
});
