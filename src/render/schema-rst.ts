// SPDX-License-Identifier: Apache-2.0
// Layouts as reStructuredText, for kernel documentation: one list table a version, rows as `describe` gives them.
import { formatHex } from '../bytes/hex.js';
import { describe } from '../schemas/lang/describe.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { releaseText } from './layout-note.js';
import { rowDoc } from './named-layouts.js';
import type { TextSink } from './text-sink.js';

/** Writes a version as a section with a table of its fields. */
export function writeSchemaRst(out: TextSink, family: Family, version: Version): void {
  const title = versionName(version);
  out(`.. SPDX-License-Identifier: Apache-2.0\n\n${title}\n${'='.repeat(title.length)}\n\n`);
  out(`${escapeRst(family.doc)} ${escapeRst(releaseText(version))}.\n\n`);
  out(`:Source: ${escapeRst(version.source)}\n`);
  if (version.notes !== undefined) out(`:Notes: ${escapeRst(version.notes)}\n`);
  out('\n.. list-table::\n   :header-rows: 1\n\n');
  writeRow(out, ['Offset', 'Size', 'Type', 'Name', 'Description']);
  for (const row of describe(version.layout)) {
    const offset = row.offset === undefined ? '' : formatHex(row.offset);
    const size = row.size === undefined ? '' : `${row.size}`;
    writeRow(out, [offset, size, literal(row.type), literal(row.path), escapeRst(rowDoc(row))]);
  }
}

function writeRow(out: TextSink, cells: readonly string[]): void {
  cells.forEach((text, index) => {
    out(`${index === 0 ? '   * -' : '     -'}${text === '' ? '' : ` ${text}`}\n`);
  });
}

const literal = (text: string): string => `\`\`${text}\`\``;

/** Text in which nothing is markup. */
function escapeRst(text: string): string {
  return text.replace(/[\\*`|_]/g, '\\$&');
}
