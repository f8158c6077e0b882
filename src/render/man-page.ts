// SPDX-License-Identifier: Apache-2.0
// A manual page as roff, with the macros of man(7), which groff and mandoc both know.
import { entryNotes, type ManualEntry, type ManualPage, sentence } from './manual.js';

/** What has a meaning of its own to roff, or that typesetting would change. */
const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** Where a page is from. */
export interface ManOrigin {
  /** Year, month, day: `2026-11-23`. */
  readonly date: string;
  /** Name and version of the program. */
  readonly source: string;
}

/**
 * Text that roff shows as it is: no character of it is taken for a request, an escape or a typographic sign. Line breaks
 * become spaces.
 */
export function roffText(text: string): string {
  const escaped = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\'"`^~-]/g, (each) => SPECIAL[each] ?? each)
    .replace(
      /[^\x20-\x7e]/gu,
      (each) => `\\[u${(each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}

/** A manual page as roff. */
export function manPage(page: ManualPage, { date, source }: ManOrigin): string {
  const { name, command, synopsis, summary, description, positionals, options, seeAlso } = page;
  const lines = [
    '.\\" Made from the command declarations in src/cli/commands.',
    `.TH "${roffText(name.toUpperCase())}" 1 "${date}" "${roffText(source)}" "User Commands"`,
    '.SH NAME',
    `${roffText(name)} \\- ${roffText(summary)}`,
    '.SH SYNOPSIS',
    `.B ${roffText(command)}`,
    ...(synopsis === '' ? [] : [roffText(synopsis)]),
    '.SH DESCRIPTION',
    description.map(roffText).join('\n.PP\n'),
    ...section('COMMANDS', page.commands, ([word, what]) => [
      `.B ${roffText(word)}`,
      roffText(sentence(what)),
    ]),
    ...section('ARGUMENTS', positionals, entryLines),
    ...section('OPTIONS', options, entryLines),
    ...section('EXIT STATUS', page.exitCodes, ([code, what]) => [`.B ${code}`, roffText(sentence(what))]),
    ...section('ENVIRONMENT', page.environment, ([word, what]) => [
      `.B ${roffText(word)}`,
      roffText(sentence(what)),
    ]),
    ...section('FILES', page.files, ([path, what]) => [`.I ${roffText(path)}`, roffText(sentence(what))]),
    ...section('EXAMPLES', page.examples, ([line, what]) => [
      `.B ${roffText(line)}`,
      roffText(sentence(what)),
    ]),
  ];
  if (seeAlso.length > 0) {
    lines.push('.SH SEE ALSO');
    seeAlso.forEach((each, index) => {
      lines.push(`.BR ${roffText(each)} (1)${index < seeAlso.length - 1 ? ',' : ''}`);
    });
  }
  return `${lines.join('\n')}\n`;
}

function section<T>(title: string, entries: readonly T[], lines: (entry: T) => readonly string[]): string[] {
  return entries.length === 0
    ? []
    : [`.SH ${title}`, ...entries.flatMap((entry) => ['.TP', ...lines(entry)])];
}

function entryLines(entry: ManualEntry): readonly string[] {
  const value = entry.value === undefined ? '' : ` \\fI${roffText(entry.value)}\\fR`;
  const names = entry.names.map((name) => `\\fB${roffText(name)}\\fR`).join(', ');
  const text = [sentence(entry.text), ...entryNotes(entry)].map(roffText).join('\n');
  return [`${names}${value}`, text];
}
