// SPDX-License-Identifier: Apache-2.0
// Made-up handovers of every version of the root keep all rules, whatever is in them.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coreOf } from '../../src/fuzz/core-pages.js';
import { type DescribedKernel, HandoverBench, handovers } from '../../src/fuzz/index.js';
import { khoRoot } from '../../src/schemas/abi/kho-root.js';
import { versionName } from '../../src/schemas/index.js';
import { runSeed } from '../random.js';

const RUNS = Number(process.env['KHO_BENCHES'] ?? 1);

/** Who writes each version of the root; what no release writes goes into one that could. */
const WRITERS: Readonly<Record<string, DescribedKernel>> = {
  'kho-v1=tree': { kernel: 'rfc-2024' },
  'kho-v1=A': { kernel: '6.16' },
  'kho-v1=B': { kernel: '7.0' },
  // Up to 6.18 the root is written in one go, with no LUO.
  'kho-v1=B, sequential': { kernel: '6.18' },
  'kho-v2=sized': { kernel: '7.1', versions: ['kho-v2=sized'] },
  'kho-v3': { kernel: '7.1' },
  'kho-v4;radix-v1;vmalloc-v1': { kernel: '7.3', versions: ['kho-v4;radix-v1;vmalloc-v1'] },
  'kho-v4': { kernel: '7.3' },
};

describe('made-up handovers', () => {
  it('are there for every version of the root', () => {
    // kho-v2=plain leads to FDTs only, which LUO of those days was not; kho-v3=unfixed has pages of 16 KiB.
    const left = ['kho-v2=plain', 'kho-v3=unfixed'];
    const names = khoRoot.versions.map(versionName).filter((name) => !left.includes(name));
    expect(names.filter((name) => WRITERS[name] === undefined)).toEqual([]);
  });

  it.each(Object.entries(WRITERS))('with %s keep all rules', { timeout: 60_000 }, (name, writer) => {
    fc.assert(
      fc.property(handovers(writer), ({ memory, areas }) => {
        const bench = new HandoverBench(memory, areas);
        const { version } = bench.handover.root.identified ?? {};
        expect(version && versionName(version)).toBe(name.replace(/,.*/, ''));
        // Versions that no release writes are worth a note.
        expect([...bench.told].filter((rule) => rule !== 'version-release')).toEqual([]);
        expect(bench.handover.issues).toEqual([]);
      }),
      { seed: runSeed, numRuns: RUNS },
    );
  });

  it('come as the same bytes for the same seed', () => {
    const bytes = () => fc.sample(handovers({ kernel: '7.3', rich: true }), { seed: 7, numRuns: 1 });
    const [first, second] = [bytes()[0], bytes()[0]];
    if (first === undefined || second === undefined) expect.fail('no handover');
    expect(Buffer.from(coreOf(first.memory)).equals(coreOf(second.memory))).toBe(true);
  });
});
