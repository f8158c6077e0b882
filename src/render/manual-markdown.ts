// SPDX-License-Identifier: Apache-2.0
// A manual page as Markdown, for the site.
import { entryNotes, type ManualEntry, type ManualPage, sentence } from './manual.js';

/** Text that Markdown shows as it is. */
const plain = (text: string): string => text.replace(/[\\`*_<>[\]|#]/g, '\\$&');

/**
 * A manual page as Markdown.
 *
 * @param page - the page
 * @param link - where the page of another name lies, relative to this one
 */
export function manualMarkdown(page: ManualPage, link: (name: string) => string): string {
  const { command, synopsis, summary, description, positionals, options, seeAlso } = page;
  const parts = [
    `# ${command}`,
    sentence(plain(summary)),
    `\`\`\`sh\n${`${command} ${synopsis}`.trim()}\n\`\`\``,
    ...description.slice(1).map(plain),
    ...section(
      'Commands',
      page.commands.map(([name, what]) => `| [${name}](${link(name)}) | ${plain(what)} |`),
    ),
    ...section('Examples', page.examples.map(row)),
    ...section('Arguments', positionals.map(entryRow)),
    ...section('Options', options.map(entryRow)),
    ...section('Exit status', page.exitCodes.map(row)),
    ...section('Environment', page.environment.map(row)),
    ...section('Files', page.files.map(row)),
  ];
  if (seeAlso.length > 0)
    parts.push('## See also', seeAlso.map((name) => `[${name}](${link(name)})`).join(', '));
  return `${parts.join('\n\n')}\n`;
}

/** A table without a heading of its own, below a heading; nothing where there are no rows. */
function section(title: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [`## ${title}`, `| | |\n|---|---|\n${rows.join('\n')}`];
}

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function row([left, right]: readonly [string, string]): string {
  return `| ${code(left)} | ${plain(right)} |`;
}

function entryRow(entry: ManualEntry): string {
  const value = entry.value === undefined ? '' : ` ${entry.value}`;
  const names = entry.names.map((name) => code(`${name}${value}`)).join(', ');
  return `| ${names} | ${[sentence(entry.text), ...entryNotes(entry)].map(plain).join(' ')} |`;
}
