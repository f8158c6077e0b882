// SPDX-License-Identifier: Apache-2.0
// What a kernel did with labelled cases, beside what was predicted.
import { escapeText } from '../bytes/printable.js';
import type { VerdictOutcome } from '../kho/kernel-verdict.js';
import type { KernelEffect } from '../kho/rules/rule.js';
import type { Agreement } from '../kho/verdict-agreement.js';
import type { Paint, Role } from './paint.js';
import { count } from './size.js';
import { writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';
import { outcomeRole, outcomeWords } from './try-text.js';

/** A case that a kernel was given. */
export interface JudgedCase {
  readonly file: string;
  /** Changes that it was made by: ids of operators. */
  readonly operators: readonly string[];
  /** What its label says the kernel does, where it says so. */
  readonly label: KernelEffect | null;
  /** What rules and versions predict. */
  readonly predicted: KernelEffect;
  /** Ids of the rules that do. */
  readonly rules: readonly string[];
  /** What became of it; `null` where it could not be tried. */
  readonly outcome: VerdictOutcome | null;
  readonly silent: boolean;
  /** The kernel's last words and what was lost, or why it could not be tried. */
  readonly told: readonly string[];
  readonly agreement: Agreement | null;
}

/** How a rule's predictions fared. */
export interface RuleAgreement {
  readonly rule: string;
  readonly predicted: KernelEffect;
  readonly cases: number;
  readonly agrees: number;
  readonly unseen: number;
  readonly disagrees: number;
}

const SHOWN_WORDS = 100;
/** What nobody says anything about. */
const NO_RULE = '(none)';

/** Counts how predictions fared, by rule and effect; those that fared worst first. */
export function agreementByRule(cases: readonly JudgedCase[]): RuleAgreement[] {
  const rows = new Map<string, { -readonly [K in keyof RuleAgreement]: RuleAgreement[K] }>();
  for (const { rules, predicted, agreement } of cases) {
    if (agreement === null) continue;
    for (const rule of rules.length > 0 ? rules : [NO_RULE]) {
      const key = `${rule} ${predicted}`;
      const row = rows.get(key) ?? { rule, predicted, cases: 0, agrees: 0, unseen: 0, disagrees: 0 };
      row.cases++;
      row[agreement]++;
      rows.set(key, row);
    }
  }
  return [...rows.values()].sort((a, b) => b.disagrees - a.disagrees || b.cases - a.cases);
}

const ROLES: Readonly<Record<Agreement, Role>> = { agrees: 'added', unseen: 'note', disagrees: 'error' };
const ORDER: readonly (Agreement | null)[] = ['disagrees', null, 'unseen', 'agrees'];

/** Writes a line for each case, disagreements first, and how each rule fared. */
export function writeJudgedCases(
  out: TextSink,
  folder: string,
  kernel: string,
  cases: readonly JudgedCase[],
  paint: Paint,
): void {
  const number = (wanted: Agreement | null): number =>
    cases.filter(({ agreement }) => agreement === wanted).length;
  const title = `${escapeText(folder)} -> Linux ${escapeText(kernel)}`;
  const untried = number(null);
  out(
    `${paint('title', title)}  ${count(cases.length, 'case')}: ${number('agrees')} as predicted, ` +
      `${number('unseen')} with nothing to see, ${number('disagrees')} otherwise` +
      `${untried === 0 ? '' : `, ${untried} not tried`}\n\n`,
  );
  const rows = ORDER.flatMap((wanted) => cases.filter(({ agreement }) => agreement === wanted)).map(
    (each) => [
      { text: each.file, role: 'title' as const },
      { text: each.operators.join('+') || 'sound', role: 'note' as const },
      { text: each.predicted, role: 'number' as const },
      {
        text: each.agreement ?? 'not tried',
        role: each.agreement === null ? 'error' : ROLES[each.agreement],
      },
      each.outcome === null
        ? { text: '', role: 'note' as const }
        : {
            text: outcomeWords({ outcome: each.outcome, silent: each.silent }),
            role: outcomeRole(each.outcome),
          },
      { text: (each.told[0] ?? '').slice(0, SHOWN_WORDS), role: 'note' as const },
    ],
  );
  const head = ['case', 'changes', 'predicted', 'kernel', 'outcome', ''];
  writeTable(out, [head.map((text) => ({ text, role: 'title' as const })), ...rows], paint, '');
  out('\n');
  const byRule = agreementByRule(cases).map((each) => [
    { text: each.rule, role: 'title' as const },
    { text: each.predicted, role: 'number' as const },
    ...[each.cases, each.agrees, each.unseen].map((value) => ({ text: `${value}`, role: 'note' as const })),
    { text: `${each.disagrees}`, role: each.disagrees > 0 ? ('error' as const) : ('note' as const) },
  ]);
  const ruleHead = ['rule', 'predicts', 'cases', 'agreed', 'nothing to see', 'otherwise'];
  writeTable(out, [ruleHead.map((text) => ({ text, role: 'title' as const })), ...byRule], paint, '');
}
