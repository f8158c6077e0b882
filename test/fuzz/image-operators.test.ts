// SPDX-License-Identifier: Apache-2.0
// Changes to whole handovers do what they say: the rules that they name are told, of handovers that were sound.
import { describe, expect, it } from 'vitest';
import { HandoverBench } from '../../src/fuzz/handover-bench.js';
import { makeImageCase } from '../../src/fuzz/image-case.js';
import { handovers, sampleOf } from '../../src/fuzz/made-handover.js';
import { IMAGE_OPERATORS } from '../../src/fuzz/operator-table.js';
import { knownKernels, RULES } from '../../src/kho/index.js';
import { runSeed } from '../random.js';

/** Handovers of each kernel that are tried. Without it, where somebody waits, a few changes to one handover. */
const BENCHES = Number(process.env['KHO_BENCHES'] ?? 0);
/** How often each change chooses what to change, and what to. */
const CHOICES = Number(process.env['KHO_CHOICES'] ?? 1);
const KERNELS = BENCHES > 0 ? knownKernels().map(({ name }) => name) : ['7.3'];
/** Which changes are tried: all, or a tenth that differs from day to day. */
const OPERATORS = IMAGE_OPERATORS.filter((_, index) => BENCHES > 0 || (index + runSeed) % 10 === 0);

/** Effects that need not show. */
const QUIET: ReadonlySet<string> = new Set(['none', 'silent', 'corrupt']);

const benches = new Map<string, HandoverBench>();
function benchOf(kernel: string, seed: number): HandoverBench {
  const key = `${kernel} ${seed}`;
  const { memory, areas } = benches.has(key) ? {} : sampleOf(handovers({ kernel, rich: true }), seed);
  const bench = benches.get(key) ?? (memory && new HandoverBench(memory, areas)) ?? expect.fail();
  benches.set(key, bench);
  return bench;
}

describe('changes to a handover', () => {
  const used = new Set<string>();

  /** Makes a case; whatever it names must be told. */
  function make(kernel: string, seed: number, id: string, choice = 0): void {
    const bench = benchOf(kernel, seed);
    const operators = IMAGE_OPERATORS.filter((each) => each.id === id);
    const made = makeImageCase(bench, operators, seed + choice * 1009);
    if (made === undefined) return;
    used.add(id);
    const what = `${id}, kernel ${kernel}, seed ${seed}, choice ${choice}, ${JSON.stringify(made.operators)}`;
    expect.soft(made.missing, what).toEqual([]);
    expect(made.expected.verdict).toBe('invalid');
    // Labels and rules speak of the same kernel: what they say of it is the same, or both say that little is to be seen.
    const { effect = 'none' } = made.expected;
    const isSame = effect === made.predicted || (QUIET.has(effect) && QUIET.has(made.predicted));
    if (kernel === '7.3') expect.soft(isSame, `${what}: ${effect}, verified ${made.predicted}`).toBe(true);
  }

  it.each(KERNELS)('of %s are told by the rules and codes that they name', { timeout: 600_000 }, (kernel) => {
    for (let seed = 1; seed <= Math.max(1, BENCHES); seed++) {
      expect([...benchOf(kernel, seed).told]).toEqual([]);
      for (const { id, family } of OPERATORS) {
        // What needs tens of MiB is tried once, below.
        for (let choice = 0; family !== 'limits' && choice < CHOICES; choice++)
          make(kernel, seed, id, choice);
      }
    }
  });

  it.skipIf(BENCHES === 0)('all apply to some handover', { timeout: 120_000 }, () => {
    for (const { id } of IMAGE_OPERATORS) {
      for (let seed = BENCHES + 1; !used.has(id) && seed < 40; seed++)
        for (const kernel of KERNELS) if (!used.has(id)) make(kernel, seed, id);
    }
    expect(IMAGE_OPERATORS.map(({ id }) => id).filter((id) => !used.has(id))).toEqual([]);
  });

  it('name every rule of verification', () => {
    const named = new Set(IMAGE_OPERATORS.flatMap(({ rules }) => rules));
    expect(RULES.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([]);
    expect([...named].filter((id) => !RULES.some((rule) => rule.id === id))).toEqual([]);
  });
});
