// SPDX-License-Identifier: Apache-2.0
import { PageStore } from '../image/page-store.js';
import type { KernelEffect } from '../kho/rules/rule.js';
import { worstEffect } from '../kho/verify.js';
import type { HandoverBench } from './handover-bench.js';
import type { ImageOperator } from './image-operator.js';
import type { ExpectedOutcome, OperatorUse } from './manifest.js';
import { mixSeeds, Random } from './random.js';

/** A handover that was changed, with what must be said about it. */
export interface ImageCase {
  readonly memory: PageStore;
  /** Description of address spaces beside it, as parsed JSON; `undefined` where there is none. */
  readonly areas: unknown;
  readonly operators: readonly OperatorUse[];
  readonly expected: ExpectedOutcome;
  /** What verification says that the next kernel does, at worst. */
  readonly predicted: KernelEffect;
  /** Rules and codes that had to be told and were not: a fault of the operator or of verification. */
  readonly missing: readonly string[];
}

/**
 * Makes a case of a sound handover.
 *
 * @param operators - the changes, in order; none for a valid case
 * @param seed - of what they choose
 * @returns `undefined` where the handover has nothing that one of them could change
 */
export function makeImageCase(
  bench: HandoverBench,
  operators: readonly ImageOperator[],
  seed: number,
): ImageCase | undefined {
  const memory = new PageStore(bench.memory);
  const areas = bench.areas === undefined ? undefined : structuredClone(bench.areas);
  const uses: OperatorUse[] = [];
  for (const [index, { id, family, apply }] of operators.entries()) {
    const random = new Random(mixSeeds(seed, index));
    const change = apply({ bench, store: memory, random, areas });
    if (change === undefined) return undefined;
    uses.push({ id, family, ...change });
  }
  const { counts, findings, codes, effect: predicted } = bench.judge(memory, areas);
  const isComputed = operators.some(({ rules }) => rules.length === 0);
  if (isComputed) {
    const told = findings.filter(({ rule, severity }) => severity !== 'note' && !bench.told.has(rule));
    const rules = [...new Set(told.map(({ rule }) => rule))];
    const expected: ExpectedOutcome = { verdict: rules.length === 0 ? 'valid' : 'invalid', rules };
    return { memory, areas, operators: uses, expected, predicted, missing: [] };
  }
  const wanted = [...new Set(operators.flatMap(({ rules }) => rules))];
  const told = wanted.filter((rule) => counts.has(rule));
  // One change may hide another; of a single one nothing may be hidden.
  const untold = [
    ...wanted.filter((rule) => !counts.has(rule)),
    ...operators.flatMap((each) => each.codes ?? []).filter((code) => !codes.has(code)),
  ];
  const missing = operators.length > 1 && told.length > 0 ? [] : untold;
  const effect = worstEffect(operators.map((each) => each.effect));
  const verdict = operators.length === 0 ? 'valid' : 'invalid';
  const expected = { verdict, rules: told, effect } as const;
  return { memory, areas, operators: uses, expected, predicted, missing };
}
