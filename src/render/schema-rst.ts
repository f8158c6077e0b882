// SPDX-License-Identifier: Apache-2.0
// Layouts as reStructuredText, for kernel documentation: a document a version, a table for each struct or tree.
import { formatHex } from '../bytes/hex.js';
import { rulesFor } from '../kho/rules/concerns.js';
import { cTypeName } from '../schemas/lang/c-type.js';
import { describe } from '../schemas/lang/describe.js';
import { type Family, versionName } from '../schemas/lang/family.js';
import type { Layout } from '../schemas/lang/type.js';
import type { KnownVersion } from '../schemas/registry.js';
import { MISMATCH_TEXT, releaseText } from './layout-note.js';
import { layoutsOf, namedRows, rowDoc } from './named-layouts.js';
import { referenceName } from './reference-name.js';
import type { TextSink } from './text-sink.js';

const LICENCE = '.. SPDX-License-Identifier: Apache-2.0\n\n';

/** Writes a version as a document: what it is, a section with a table for each struct or tree, the rules of `kho verify`. */
export function writeSchemaRst(out: TextSink, { family, version }: KnownVersion): void {
  out(LICENCE);
  writeTitle(out, versionName(version), '=');
  out(`${escapeRst(family.doc)} ${escapeRst(releaseText(version))}.\n\n`);
  out(`:Source: ${escapeRst(version.source)}\n`);
  out(`:Unknown versions: ${escapeRst(MISMATCH_TEXT[family.mismatch])}\n`);
  if (version.notes !== undefined) out(`:Notes: ${escapeRst(version.notes)}\n`);
  for (const each of layoutsOf(version)) {
    const { layout, name } = each;
    out('\n');
    writeTitle(out, sectionTitle(layout, name), '-');
    out('.. list-table::\n   :header-rows: 1\n\n');
    const place = layout.kind === 'node' ? [] : ['Offset'];
    writeRow(out, [...place, 'Size', 'Type', 'Name', 'Description']);
    for (const row of layout.kind === 'array' ? namedRows(each) : describe(layout)) {
      const offset = layout.kind === 'node' ? [] : [row.offset === undefined ? '' : formatHex(row.offset)];
      const size = row.size === undefined ? '' : `${row.size}`;
      writeRow(out, [...offset, size, literal(row.type), literal(row.path), escapeRst(rowDoc(row))]);
    }
  }
  const rules = rulesFor(family, version);
  if (rules.length === 0) return;
  out('\n');
  writeTitle(out, 'Rules for a whole handover', '-');
  for (const { id, title } of rules) out(`- ${literal(id)}: ${escapeRst(title)}.\n`);
}

/** Writes the document that leads to those of all versions. */
export function writeSchemaIndexRst(out: TextSink, families: readonly Family[]): void {
  out(LICENCE);
  writeTitle(out, 'Layouts of kexec handover', '=');
  for (const [index, { name, doc, versions }] of families.entries()) {
    if (index > 0) out('\n');
    writeTitle(out, name, '-');
    out(`${escapeRst(doc)}\n\n.. toctree::\n   :maxdepth: 1\n\n`);
    for (const version of versions) out(`   ${referenceName(version)}\n`);
  }
}

function sectionTitle(layout: Layout, name: string): string {
  if (layout.kind === 'node') return 'The tree';
  return layout.kind === 'array'
    ? `Array of ${cTypeName(layout.of)}`
    : name === ''
      ? cTypeName(layout)
      : `struct ${name}`;
}

function writeTitle(out: TextSink, text: string, line: '=' | '-'): void {
  const title = escapeRst(text);
  out(`${title}\n${line.repeat(title.length)}\n\n`);
}

function writeRow(out: TextSink, cells: readonly string[]): void {
  cells.forEach((text, index) => {
    out(`${index === 0 ? '   * -' : '     -'}${text === '' ? '' : ` ${text}`}\n`);
  });
}

const literal = (text: string): string => `\`\`${text}\`\``;

/** Text in which nothing is markup. */
function escapeRst(text: string): string {
  return text.replace(/[\\*`|_<>]/g, '\\$&');
}
