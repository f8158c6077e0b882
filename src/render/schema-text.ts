// SPDX-License-Identifier: Apache-2.0
// Layouts for people: lists of versions, tables of fields, and what changed from one version to the next.
import { formatHex } from '../bytes/hex.js';
import { type DescriptionRow, describe } from '../schemas/lang/describe.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { fingerprint } from '../schemas/lang/fingerprint.js';
import { relatedLayouts } from '../schemas/lang/related.js';
import type { Layout } from '../schemas/lang/type.js';
import { releaseText, versionText } from './layout-note.js';
import type { Paint, Role } from './paint.js';
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

/** A layout that a version leads to, with the name that it is called by. */
interface NamedLayout {
  readonly name: string;
  readonly layout: Layout;
}

/** The layout of a version and those that its pointers name, each with a name of its own; '' for the first. */
function layoutsOf({ layout }: Version): readonly NamedLayout[] {
  const seen = new Map<string, number>();
  return relatedLayouts(layout).map((each, index) => {
    const base = each.kind === 'struct' ? each.name : each.kind === 'array' ? 'array' : each.kind;
    const times = (seen.get(base) ?? 0) + 1;
    seen.set(base, times);
    return { name: index === 0 ? '' : times === 1 ? base : `${base} ${times}`, layout: each };
  });
}

/** Rows of a layout; those of what pointers lead to have the name of their struct in front. */
function namedRows({ name, layout }: NamedLayout): readonly DescriptionRow[] {
  if (name === '') return describe(layout);
  return describe(layout).map((row, index) => ({ ...row, path: index === 0 ? name : `${name}.${row.path}` }));
}

/**
 * Writes a version: what it is and where it comes from, then a line for each field, property and node, its own and those
 * of what its pointers lead to.
 */
export function writeSchema(out: TextSink, family: Family, version: Version, paint: Paint): void {
  out(`${paint('title', versionText(version))}  ${paint('note', family.doc)}\n`);
  out(`source       ${version.source}\n`);
  if (version.notes !== undefined) out(`notes        ${version.notes}\n`);
  out(`mismatch     ${MISMATCHES[family.mismatch]}\n`);
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

const MISMATCHES: Readonly<Record<Family['mismatch'], string>> = {
  ignored: 'a kernel that does not know the version ignores it with a warning',
  fresh: 'a kernel that does not know the version allocates afresh',
  'open-fails': 'in a kernel that does not know the version, opening the session fails',
  panic:
    'a kernel that does not know the version panics (Linux 7.2 on; before, the subsystem does not start)',
};

/** All that is said of a field besides its place and type, on one line. */
export function rowDoc({ doc, unit, rules, names, target, optional }: DescriptionRow): string {
  const parts = [
    ...(doc === '' ? [] : [doc.replace(/\.$/, '')]),
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(target === undefined ? [] : [`→ ${target}`]),
    ...rules,
    ...(names.length === 0 ? [] : [names.join(', ')]),
    ...(optional ? ['may be missing'] : []),
  ];
  return parts.join('; ');
}

/** One difference between two layouts. */
export interface SchemaChange {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  /** What of it changed, in words: `size 512 -> 4096`. */
  readonly what: string;
}

/**
 * What changed from one layout to another, field by field, in the order of the newer; what is gone comes last. Fields
 * are the same when their path is.
 */
export function schemaChanges(before: Version, after: Version): readonly SchemaChange[] {
  const old = new Map(allRows(before).map((row) => [row.path, row]));
  const rows = allRows(after);
  const kept = new Set(rows.map(({ path }) => path));
  const changes: SchemaChange[] = [];
  for (const row of rows) {
    const was = old.get(row.path);
    if (was === undefined) {
      changes.push({ path: row.path, kind: 'added', what: summary(row) });
      continue;
    }
    const differences = compareRows(was, row);
    if (differences.length === 0) continue;
    const kind = differences.every(({ moves }) => moves) ? 'moved' : 'changed';
    changes.push({ path: row.path, kind, what: differences.map(({ text }) => text).join('; ') });
  }
  for (const row of old.values())
    if (!kept.has(row.path)) changes.push({ path: row.path, kind: 'removed', what: summary(row) });
  return changes;
}

/** Rows of a version and all that it leads to; the first struct's own name is no part of what changes. */
function allRows(version: Version): readonly DescriptionRow[] {
  return layoutsOf(version).flatMap(namedRows);
}

function compareRows(
  before: DescriptionRow,
  after: DescriptionRow,
): { readonly text: string; readonly moves: boolean }[] {
  const differences: { text: string; moves: boolean }[] = [];
  const compare = (label: string, was: string, is: string, moves = false): void => {
    if (was !== is) differences.push({ text: `${label} ${was || 'none'} -> ${is || 'none'}`, moves });
  };
  const offset = (row: DescriptionRow): string => (row.offset === undefined ? '' : formatHex(row.offset));
  compare('offset', offset(before), offset(after), true);
  compare('size', `${before.size ?? 'open'}`, `${after.size ?? 'open'}`);
  compare('type', before.type, after.type);
  compare('leads to', before.target ?? '', after.target ?? '');
  compare('rules', before.rules.join(', '), after.rules.join(', '));
  compare('names', before.names.join(', '), after.names.join(', '));
  compare('unit', before.unit ?? '', after.unit ?? '');
  compare('may be missing', `${before.optional}`, `${after.optional}`);
  return differences;
}

function summary(row: DescriptionRow): string {
  const place = row.offset === undefined ? '' : ` at ${formatHex(row.offset)}`;
  const size = row.size === undefined ? '' : `, ${row.size} bytes`;
  const doc = rowDoc(row);
  return `${row.type}${place}${size}${doc === '' ? '' : `: ${doc}`}`;
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
