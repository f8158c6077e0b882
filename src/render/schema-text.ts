// SPDX-License-Identifier: Apache-2.0
// Layouts on a terminal: lists of versions, tables of fields, and what changed from one version to the next.
import { formatHex } from '../bytes/hex.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { fingerprint } from '../schemas/lang/fingerprint.js';
import { MISMATCH_TEXT, releaseText, versionText } from './layout-note.js';
import { layoutsOf, namedRows, rowDoc } from './named-layouts.js';
import type { Paint, Role } from './paint.js';
import type { SchemaChange } from './schema-changes.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

const cell = (role: Role, text: string): Cell => ({ role, text });

/** Writes all families with their versions, one line a version. */
export function writeSchemaList(out: TextSink, families: readonly Family[], paint: Paint): void {
  const rows = families.flatMap((family) =>
    family.versions.map((version, index) => [
      cell('title', index === 0 ? family.name : ''),
      cell('string', versionName(version)),
      cell('number', releaseText(version)),
      cell('note', index === 0 ? family.doc : ''),
    ]),
  );
  writeTable(out, rows, paint, '');
}

/**
 * Writes a version: what it is and where it comes from, then a line for each field, property and node, its own and those
 * of what its pointers lead to.
 */
export function writeSchema(out: TextSink, family: Family, version: Version, paint: Paint): void {
  out(`${paint('title', versionText(version))}  ${paint('note', family.doc)}\n`);
  out(`source       ${version.source}\n`);
  if (version.notes !== undefined) out(`notes        ${version.notes}\n`);
  out(`mismatch     ${MISMATCH_TEXT[family.mismatch]}\n`);
  out(`fingerprint  ${fingerprint(version.layout)}\n\n`);
  const head = ['offset', 'size', 'type', 'name', ''].map((text) => cell('title', text));
  const rows = layoutsOf(version).flatMap((each, index) => [
    // What a pointer leads to stands apart.
    ...(index === 0 ? [] : [[]]),
    ...namedRows(each).map((row) => [
      cell('guide', row.offset === undefined ? '' : formatHex(row.offset)),
      cell('number', row.size === undefined ? '' : `${row.size}`),
      cell('property', row.type),
      cell(row.type === 'node' ? 'node' : 'string', row.path),
      cell('note', rowDoc(row)),
    ]),
  ]);
  writeTable(out, [head, ...rows], paint, '');
}

/** Writes differences of two versions for people. */
export function writeSchemaDiff(
  out: TextSink,
  before: Version,
  after: Version,
  changes: readonly SchemaChange[],
  paint: Paint,
): void {
  if (changes.length === 0) {
    out(`${versionName(before)} and ${versionName(after)} have the same layout.\n`);
    return;
  }
  out(`${paint('removed', `--- ${versionText(before)}`)}\n${paint('added', `+++ ${versionText(after)}`)}\n`);
  const roles = { added: 'added', removed: 'removed', changed: 'changed', moved: 'note' } as const;
  const signs = { added: '+', removed: '-', changed: '~', moved: '>' } as const;
  const rows = changes.map(({ path, kind, what }) => [
    cell(roles[kind], `${signs[kind]} ${path}`),
    cell('note', what),
  ]);
  writeTable(out, rows, paint, '');
}
