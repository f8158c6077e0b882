// SPDX-License-Identifier: Apache-2.0
// Changes to whole handovers do what they say: the rules that they name are told, of handovers that were sound.
import { describe, expect, it } from 'vitest';
import { HandoverBench } from '../../src/fuzz/handover-bench.js';
import { makeImageCase } from '../../src/fuzz/image-case.js';
import { handovers, sampleOf } from '../../src/fuzz/made-handover.js';
import { IMAGE_OPERATORS } from '../../src/fuzz/operator-table.js';
import { knownKernels } from '../../src/kho/index.js';

/** Handovers of each kernel that are tried. */
const BENCHES = Number(process.env['KHO_BENCHES'] ?? 1);

describe('changes to a handover', () => {
  const used = new Set<string>();

  it.each(knownKernels().map(({ name }) => name))('of %s are told by the rules that they name', (kernel) => {
    for (let seed = 1; seed <= BENCHES; seed++) {
      const { memory } = sampleOf(handovers({ kernel, rich: true }), seed);
      const bench = new HandoverBench(memory);
      expect([...bench.told]).toEqual([]);
      for (const operator of IMAGE_OPERATORS) {
        const made = makeImageCase(bench, [operator], seed);
        if (made === undefined) continue;
        used.add(operator.id);
        expect(made.missing, `${operator.id}, seed ${seed}, ${JSON.stringify(made.operators)}`).toEqual([]);
      }
    }
  });
});
