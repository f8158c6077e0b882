// SPDX-License-Identifier: Apache-2.0
import type { HandoverDescription } from '../kho/handover-description.js';
import type { CaseContent, CaseSource } from './case-source.js';
import { coreOf } from './core-pages.js';
import { HandoverBench } from './handover-bench.js';
import { handoverDescriptions } from './handover-descriptions.js';
import { makeImageCase } from './image-case.js';
import type { ImageOperator } from './image-operator.js';
import { type ImageTarget, imageTarget } from './image-target.js';
import { machineOf, sampleOf } from './made-handover.js';
import { IMAGE_OPERATORS, LOW_LEVEL_IMAGE_OPERATORS } from './operator-table.js';

/** Benches that are kept, since cases take turns. */
const KEPT = 32;

/** Cases that are whole handovers: made-up ones, or changed copies of one that was captured. */
export class ImageSource implements CaseSource {
  readonly operators: readonly ImageOperator[];
  readonly base: `@${string}` | undefined;
  readonly #target: ImageTarget;
  readonly #given: HandoverBench | undefined;
  readonly #benches = new Map<number, HandoverBench>();

  /**
   * @param schema - `handover`, `handover-KERNEL`, or a version of which a handover has a part
   * @param given - a captured handover to start from, and what it is called in what cases are made from again
   * @throws FuzzError UNKNOWN_SCHEMA, UNSUPPORTED
   */
  constructor(schema: string, given?: { readonly bench: HandoverBench; readonly name: `@${string}` }) {
    const target = imageTarget(schema);
    this.#target = target;
    this.#given = given?.bench;
    this.base = given?.name;
    const { family } = target;
    const labelled = IMAGE_OPERATORS.filter(({ on }) => family === undefined || on.includes(family));
    this.operators = [...labelled, ...LOW_LEVEL_IMAGE_OPERATORS];
  }

  make(base: number, operators: readonly string[], seed: number): CaseContent | undefined {
    return this.makeOf(this.#bench(base), operators, seed);
  }

  /** Makes a case of a handover of any origin. @returns as {@link ImageSource.make} */
  makeOf(bench: HandoverBench, operators: readonly string[], seed: number): CaseContent | undefined {
    const chosen = operators.flatMap((id) => this.operators.filter((each) => each.id === id));
    const made = makeImageCase(bench, chosen, seed);
    if (made === undefined) return undefined;
    const { memory, ...rest } = made;
    return { ...rest, bytes: coreOf(memory), extension: 'elf' };
  }

  /** What the handover is made from that cases of this base start with; `undefined` where it was captured. */
  describe(base: number): HandoverDescription | undefined {
    return this.#given === undefined ? this.#description(base) : undefined;
  }

  #description(base: number): HandoverDescription {
    const { kernels } = this.#target;
    const kernel = kernels[base % kernels.length] ?? { kernel: '7.3' };
    return sampleOf(handoverDescriptions({ ...kernel, rich: true }), base);
  }

  #bench(base: number): HandoverBench {
    const known = this.#given ?? this.#benches.get(base);
    if (known !== undefined) return known;
    const { memory, areas } = machineOf(this.#description(base));
    const bench = new HandoverBench(memory, areas);
    if (this.#benches.size >= KEPT) this.#benches.clear();
    this.#benches.set(base, bench);
    return bench;
  }
}
