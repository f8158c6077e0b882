// SPDX-License-Identifier: Apache-2.0
// What has to stay the same while a case is made small: how the program fails, and that the case deserves its verdict.
import type { ExpectedOutcome, FuzzCase } from '../fuzz/manifest.js';
import {
  type ExitCodes,
  endingOutcome,
  judgeEnding,
  type NamesWanted,
  type OutcomeClass,
  type ProgramEnding,
} from '../fuzz/outcome.js';
import { deserves, deservesAsImage } from '../fuzz/own-verdict.js';
import type { Tried } from '../fuzz/shrink.js';
import type { Layout } from '../schemas/lang/type.js';
import type { ProgramRun } from './run-program.js';

/** What a failure is judged by. */
export interface FailureTerms {
  readonly codes: ExitCodes;
  /** How many of the rules and codes of the label have to be named. */
  readonly names: NamesWanted | undefined;
  /** What the program must go on to print. */
  readonly match: string | undefined;
  /** The case in its manifest, where it has one. */
  readonly labelled: FuzzCase | undefined;
  readonly layout: Layout | undefined;
  /** Description of address spaces that the case comes with, as parsed JSON. */
  readonly areas: unknown;
}

/** How a program ended on a case, for people: `crash: SIGSEGV`, `exit 3`; `undefined` when it takes the case. */
export function failureOf(run: ProgramEnding, codes: ExitCodes): string | undefined {
  const { class: name, what } = endingOutcome(run, codes);
  if (what === 'accepted') return undefined;
  return name === 'ok' ? `exit ${run.code}` : `${name}: ${what}`;
}

/** Whether a program prints a text. */
export function prints({ stdout, stderr }: ProgramRun, text: string): boolean {
  return stdout.includes(text) || stderr.includes(text);
}

/** Whether a case deserves a verdict, for the reasons given. */
type Deserving = (expected: ExpectedOutcome, tried: Tried) => boolean;

/** The failure of a program on a case. */
export class KeptFailure {
  readonly #terms: FailureTerms;
  readonly #wanted: string | undefined;
  /** What the label makes of it. */
  readonly #judged: OutcomeClass | undefined;
  readonly #deserves: Deserving | undefined;

  /** @param first - how the program ended on the case itself */
  constructor(first: ProgramRun, input: Uint8Array, terms: FailureTerms) {
    const { codes, names, labelled, layout, areas } = terms;
    this.#terms = terms;
    this.#wanted = failureOf(first, codes);
    this.#judged = labelled && judgeEnding(first, codes, labelled.expected, names).class;
    const ways: Deserving[] = [
      (expected, { bytes, made }) =>
        deservesAsImage(expected, bytes, made === undefined ? areas : made.areas),
      (expected, { bytes }) => layout !== undefined && deserves(expected, layout, bytes),
    ];
    if (this.#isMismatch) this.#deserves = ways.find((way) => this.#isDeserved(way, { bytes: input }));
  }

  /** How the program ended on the case: `crash: SIGSEGV`, `exit 3`, `accepted`. */
  get text(): string {
    return this.#wanted ?? 'accepted';
  }

  /** Whether there is one: a refusal is where nothing says that the case deserves it, or where a text is asked for. */
  get isThere(): boolean {
    const failed = this.#judged === undefined ? this.#wanted !== undefined : this.#judged !== 'ok';
    return failed || (this.#judged !== undefined && this.#terms.match !== undefined);
  }

  get #isMismatch(): boolean {
    return this.#judged === 'verdict-mismatch';
  }

  /** Whether nobody can tell that smaller cases deserve the verdict that the program does not give. */
  get isBlind(): boolean {
    return this.#isMismatch && this.#deserves === undefined;
  }

  /** Whether a smaller case is about the same: of one about its verdict, any invalid case for the same reasons. */
  mayShow(tried: Tried): boolean {
    return this.#deserves === undefined || this.#isDeserved(this.#deserves, tried);
  }

  /** The rules and codes to look for in what the program prints for a case. */
  namesFor({ made }: Pick<Tried, 'made'>): readonly string[] {
    return (made?.expected ?? this.#terms.labelled?.expected)?.rules ?? [];
  }

  /** Whether the program fails on a smaller case as it did. */
  isShown(run: ProgramRun, { made }: Tried): boolean {
    const { codes, names, match, labelled } = this.#terms;
    const expected = made?.expected ?? labelled?.expected;
    if (failureOf(run, codes) !== this.#wanted || (match !== undefined && !prints(run, match))) return false;
    if (!this.#isMismatch || expected === undefined) return true;
    return judgeEnding(run, codes, expected, names).class === 'verdict-mismatch';
  }

  #isDeserved(way: Deserving, tried: Tried): boolean {
    const { labelled } = this.#terms;
    const expected = tried.made?.expected ?? labelled?.expected;
    return expected?.verdict === labelled?.expected.verdict && expected !== undefined && way(expected, tried);
  }
}
