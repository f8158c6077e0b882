// SPDX-License-Identifier: Apache-2.0
// Plain CommonMark with tables.
import { escapeText } from '../bytes/printable.js';

/** Text in which nothing is markup, for a line or the cell of a table. */
export function markdownText(text: string): string {
  return escapeText(text).replace(/[\\`*_[\]<>|#&]/g, '\\$&');
}

/** Text as code, for a line or the cell of a table; '' for nothing. */
export function markdownCode(text: string): string {
  if (text === '') return '';
  const clean = escapeText(text).replace(/\|/g, '\\|');
  return clean.includes('`') ? `\`\` ${clean} \`\`` : `\`${clean}\``;
}

/** A table; its cells are Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Text as a block of code in which nothing is markup. */
export function markdownBlock(text: string, language = 'text'): string {
  return `\`\`\`${language}\n${text.replace(/^```/gm, ' ```').replace(/\n?$/, '\n')}\`\`\``;
}
