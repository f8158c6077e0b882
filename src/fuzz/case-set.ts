// SPDX-License-Identifier: Apache-2.0
// Which cases make up a set: the same request gives the same cases, in the same order, on every machine.
import { cArray } from './c-array.js';
import type { CaseContent, CaseSource, NamedOperator } from './case-source.js';
import { LOW_LEVEL, ON_DEMAND } from './case-source.js';
import { fuzzError } from './error.js';
import type { CaseForm, FuzzCase } from './manifest.js';
import { mixSeeds } from './random.js';
import { formatRepro, type Repro } from './repro.js';

/** What cases are wanted. */
export interface CaseRequest {
  readonly schema: string;
  readonly form: CaseForm;
  readonly seed: number;
  readonly count: number;
  /** Ids of the changes to make; default all. */
  readonly operators?: readonly string[] | undefined;
  /** Families of the changes to make; default all. */
  readonly families?: readonly string[] | undefined;
  /** Of how many cases one is left sound; default 10, 0 for none. */
  readonly validEvery?: number | undefined;
}

/** A case before it is written. */
export interface MadeCase
  extends CaseContent,
    Pick<FuzzCase, 'repro' | 'schema' | 'operators' | 'expected'> {}

/** Things to start from that the cases of a set share: making one takes longer than making a case of it. */
const BASES = 16;
/** Changes whose outcome is computed get one of so many cases, where all are wanted. */
const LOW_LEVEL_EVERY = 8;

/** The changes that are asked for. @throws FuzzError UNKNOWN_OPERATOR */
export function chosenOperators(
  all: readonly NamedOperator[],
  { operators, families }: Pick<CaseRequest, 'operators' | 'families'>,
): readonly NamedOperator[] {
  const require = (what: string, wanted: readonly string[] = [], known: ReadonlySet<string>): void => {
    const unknown = wanted.find((each) => !known.has(each));
    if (unknown === undefined) return;
    const names = [...known].join(', ');
    throw fuzzError('UNKNOWN_OPERATOR', `there is no ${what} "${unknown}" for this; there are ${names}`);
  };
  require('operator', operators, new Set(all.map(({ id }) => id)));
  require('family', families, new Set(all.map(({ family }) => family)));
  return all.filter(
    ({ id, family }) => (operators?.includes(id) ?? true) && (families?.includes(family) ?? true),
  );
}

/** A case made from what its repro says. */
export function remake(source: CaseSource, repro: Repro): MadeCase | undefined {
  const { schema, operators, seed, base } = repro;
  const made = source.make(typeof base === 'number' ? base : 0, operators, seed);
  if (made === undefined) return undefined;
  const content =
    repro.form === 'c-array'
      ? { bytes: new TextEncoder().encode(cArray(repro, made.bytes)), extension: 'h' }
      : undefined;
  return { ...made, ...content, schema, repro: formatRepro(repro) };
}

/**
 * Makes the cases of a set, one after the other. Changes take turns, so that each comes as often as any other; one that
 * applies to nothing here is passed over.
 *
 * @param passedOver - told the ids of changes that apply to nothing, or whose rule was not told where it must be
 * @throws FuzzError UNKNOWN_OPERATOR, NOTHING_APPLIES
 *
 * @example
 * ```ts
 * import { BlobSource, makeCases } from 'kho-toolkit/fuzz';
 *
 * const request = { schema: 'luo-v5', form: 'blob', seed: 7, count: 10 } as const;
 * for (const { bytes, operators, expected } of makeCases(new BlobSource('luo-v5'), request))
 *   console.log(bytes.length, operators.map(({ id }) => id), expected.verdict, expected.rules);
 * ```
 */
export function* makeCases(
  source: CaseSource,
  request: CaseRequest,
  passedOver: (id: string, why: 'not-applicable' | 'not-told') => void = () => undefined,
): Generator<MadeCase, void> {
  const { schema, form, seed, count, validEvery = 10 } = request;
  const chosen = chosenOperators(source.operators, request);
  const isFree = request.operators === undefined && request.families === undefined;
  const low = chosen.filter(({ family }) => LOW_LEVEL.has(family)).map(({ id }) => id);
  let labelled = chosen
    .filter(({ family }) => !LOW_LEVEL.has(family) && !(isFree && ON_DEMAND.has(family)))
    .map(({ id }) => id);
  if (!isFree) labelled = [...labelled, ...low];
  let turn = 0;
  let lowTurn = 0;
  for (let index = 0; index < count; index++) {
    const caseSeed = mixSeeds(seed, index);
    const attempt = (ids: readonly string[], number: number): MadeCase | undefined => {
      const base = source.base ?? mixSeeds(seed ^ 0x6b68_6f31, (index + number) % BASES);
      return remake(source, { schema, form, base, operators: ids, seed: caseSeed });
    };
    if (validEvery > 0 && index % validEvery === 0) {
      const valid = attempt([], 0);
      if (valid !== undefined) yield valid;
      continue;
    }
    if (isFree && low.length > 0 && index % LOW_LEVEL_EVERY === LOW_LEVEL_EVERY - 1) {
      const id = low[lowTurn++ % low.length] ?? '';
      const made = firstOf((number) => attempt([id], number));
      if (made !== undefined) {
        yield made;
        continue;
      }
    }
    for (let made: MadeCase | undefined; made === undefined; ) {
      const id = labelled[turn % Math.max(1, labelled.length)];
      if (id === undefined) throw fuzzError('NOTHING_APPLIES', `none of the changes applies to ${schema}`);
      let why: 'not-applicable' | 'not-told' = 'not-applicable';
      made = firstOf((number) => {
        const found = attempt([id], number);
        if (found === undefined || found.missing.length === 0) return found;
        why = 'not-told';
        return undefined;
      });
      if (made === undefined) {
        labelled = labelled.filter((each) => each !== id);
        passedOver(id, why);
      } else {
        turn++;
        yield made;
      }
    }
  }

  function firstOf(attempt: (number: number) => MadeCase | undefined): MadeCase | undefined {
    const tries = source.base === undefined ? BASES : 1;
    for (let number = 0; number < tries; number++) {
      const made = attempt(number);
      if (made !== undefined) return made;
    }
    return undefined;
  }
}
