// SPDX-License-Identifier: Apache-2.0
// Cases of a handover with subtrees that nobody knows: what is not known of them is not changed by what is.
import { expect, it } from 'vitest';
import { HandoverBench } from '../../src/fuzz/handover-bench.js';
import { ImageSource } from '../../src/fuzz/image-source.js';
import { HandoverBuilder } from '../../src/kho/index.js';

/** A handover with two blobs that no layout is declared for: of nine bytes, and of none that anybody wrote. */
function benchWithOthers(): HandoverBench {
  const builder = new HandoverBuilder({ kernel: '7.3' });
  builder.session('vm', [{ ...builder.memfd({ size: 5000, contents: { text: 'state' } }), token: 1n }]);
  builder.subtree('colours', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  builder.subtree('shapes', Uint8Array.of(1));
  return new HandoverBench(builder.finish().memory);
}

it('sizes of blobs that nobody knows are left alone, and no size is less than nothing', () => {
  const bench = benchWithOthers();
  const source = new ImageSource('handover-7.3', { bench, name: '@unknown' });
  const touched = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const made = source.make(0, ['blob-size-short-other'], seed);
    expect(made?.missing).toEqual([]);
    for (const { at } of made?.operators ?? []) touched.add(at);
  }
  expect([...touched]).toEqual(['/kexec-metadata/blob-size']);
});

it('every change to a root can be made of it', () => {
  const bench = benchWithOthers();
  expect(bench.handover.consumers.map(({ name }) => name)).toContain('shapes');
  const source = new ImageSource('handover-7.3', { bench, name: '@unknown' });
  const own = source.operators.filter(({ on }) => on.includes('kho-root') || on.length === 0);
  let made = 0;
  for (const { id } of own)
    for (let seed = 0; seed < 4; seed++) if (source.make(0, [id], seed) !== undefined) made++;
  expect(made).toBeGreaterThan(own.length * 2);
});
