// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import type { Paint, Role } from './paint.js';
import { count } from './size.js';
import { writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

/** Cases shown of each outcome. */
const CASES_SHOWN = 5;
/** Outcomes whose cases are shown. */
const OUTCOMES_SHOWN = 20;

/** A labelled case, as far as it is shown. */
export interface LabelledCase {
  readonly file: string;
  readonly operators: readonly { readonly id: string; readonly at: string; readonly detail: string }[];
  readonly expected: { readonly verdict: string; readonly rules: readonly string[] };
}

/** Cases with the same outcome. */
export interface OutcomeGroup {
  readonly class: string;
  readonly what: string;
  /** Whether it is something to look at. */
  readonly finding: boolean;
  readonly cases: readonly LabelledCase[];
}

/** Writes what a program did with cases: a table of outcomes as they come, and the first cases of each that is a finding. */
export function writeOutcomes(
  out: TextSink,
  groups: readonly OutcomeGroup[],
  results: string,
  paint: Paint,
): void {
  const heading = ['OUTCOME', 'CASES', 'WHAT'].map((text) => ({ text, role: 'note' as const }));
  const width = Math.max(...groups.map(({ cases }) => `${cases.length}`.length), 'CASES'.length);
  const rows = groups.map((group) => [
    { text: group.class, role: roleOf(group) },
    { text: `${group.cases.length}`.padStart(width), role: 'number' as const },
    { text: group.what, role: 'string' as const },
  ]);
  writeTable(out, [heading, ...rows], paint, '');
  const findings = groups.filter(({ finding }) => finding);
  for (const group of findings.slice(0, OUTCOMES_SHOWN)) writeCases(out, group, paint);
  const more = findings.length - OUTCOMES_SHOWN;
  if (more > 0) out(`\n${paint('note', `and ${count(more, 'outcome')} more`)}\n`);
  if (findings.length > 0) out(`\n${paint('note', `all in ${escapeText(results)}`)}\n`);
}

function roleOf({ class: name, finding }: OutcomeGroup): Role {
  return finding ? 'error' : name === 'ok' ? 'added' : 'changed';
}

function writeCases(out: TextSink, group: OutcomeGroup, paint: Paint): void {
  const { cases } = group;
  out(`\n${paint(roleOf(group), escapeText(`${group.class}: ${group.what}`))}\n`);
  const rows = cases.slice(0, CASES_SHOWN).map(({ file, operators, expected }) => [
    { text: file, role: 'node' as const },
    {
      text: expected.verdict === 'valid' ? 'valid' : `invalid: ${expected.rules.join(', ')}`,
      role: 'string' as const,
    },
    {
      text: operators.map(({ id, at, detail }) => `${id} at ${at}: ${detail}`).join('; '),
      role: 'property' as const,
    },
  ]);
  writeTable(out, rows, paint, '  ');
  const more = cases.length - CASES_SHOWN;
  if (more > 0) out(`  ${paint('note', `and ${more} more`)}\n`);
}
