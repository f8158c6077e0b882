// SPDX-License-Identifier: Apache-2.0
import { formatIssue, type Issue } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';
import { jsonIssue, jsonString, writeJsonArray } from './json-text.js';
import type { Paint } from './paint.js';
import { count } from './size.js';
import type { TextSink } from './text-sink.js';

/** A blob's name and what is said of it: by `checkFdt`, and by its layout where one was named. */
export interface NamedVerdict {
  readonly file: string;
  readonly verdict: {
    readonly accepted: boolean;
    readonly errors: readonly Issue[];
    readonly warnings: readonly Issue[];
  };
}

/** Writes a verdict for people: one line, then one for each error and warning. */
export function writeVerdict(out: TextSink, { file, verdict }: NamedVerdict, paint: Paint): void {
  const { accepted, errors, warnings } = verdict;
  const name = escapeText(file);
  const details = [
    ...(errors.length > 0 ? [count(errors.length, 'error')] : []),
    ...(warnings.length > 0 ? [count(warnings.length, 'warning')] : []),
  ].join(', ');
  const result = accepted ? paint('added', 'valid') : paint('error', 'not valid');
  out(`${paint('title', name)}: ${result}${details === '' ? '' : ` (${details})`}\n`);
  const list = (role: 'error' | 'changed', word: string, issues: readonly Issue[]): void => {
    for (const issue of issues) out(`  ${paint(role, word)}  ${formatIssue(issue)}\n`);
  };
  list('error', 'error  ', errors);
  list('changed', 'warning', warnings);
}

/** Writes verdicts as a JSON array of objects with `file`, `accepted`, `errors` and `warnings`. */
export function writeVerdictsJson(out: TextSink, verdicts: readonly NamedVerdict[], indent: string): void {
  writeJsonArray(out, verdicts, indent, ({ file, verdict }) => {
    const inner = `${indent}    `;
    out(`{\n${inner}"file": ${jsonString(file)},\n${inner}"accepted": ${verdict.accepted},\n`);
    out(`${inner}"errors": `);
    writeJsonArray(out, verdict.errors, inner, (issue) => out(jsonIssue(issue)));
    out(`,\n${inner}"warnings": `);
    writeJsonArray(out, verdict.warnings, inner, (issue) => out(jsonIssue(issue)));
    out(`\n${indent}  }`);
  });
}
