// SPDX-License-Identifier: Apache-2.0
// The one line that a case is made from again.
import { fuzzError } from './error.js';
import { CASE_FORMS, type CaseForm } from './manifest.js';

/** Everything that a case depends on, besides the version of the toolkit. */
export interface Repro {
  readonly schema: string;
  readonly form: CaseForm;
  /** Seed of the value or handover that it starts from; or the first half of the SHA-256 of an image, behind an @. */
  readonly base: number | `@${string}`;
  /** Ids of the changes, in order; none for a valid case. */
  readonly operators: readonly string[];
  /** Seed of what the changes choose. */
  readonly seed: number;
}

const PREFIX = 'kho1';

/** As text: `kho1:luo-v5:blob:812:count-plus-one:77`. */
export function formatRepro({ schema, form, base, operators, seed }: Repro): string {
  const changes = operators.length === 0 ? 'none' : operators.join('+');
  return [PREFIX, schema, form, base, changes, seed].join(':');
}

/** Reads it. @throws FuzzError BAD_REPRO */
export function parseRepro(text: string): Repro {
  const parts = text.split(':');
  const [prefix, schema = '', form, base = '', changes = '', seed = ''] = parts;
  const known = CASE_FORMS.find((each) => each === form);
  const isBase = /^\d{1,10}$/.test(base) || /^@[0-9a-f]{32}$/.test(base);
  if (parts.length !== 6 || prefix !== PREFIX || known === undefined || !isBase || !/^\d{1,10}$/.test(seed))
    throw fuzzError('BAD_REPRO', `expected ${PREFIX}:SCHEMA:FORM:BASE:OPERATORS:SEED, as a manifest has it`);
  return {
    schema,
    form: known,
    base: base.startsWith('@') ? `@${base.slice(1)}` : Number(base),
    operators: changes === 'none' ? [] : changes.split('+'),
    seed: Number(seed),
  };
}
