// SPDX-License-Identifier: Apache-2.0
// What changed from one declared layout to another.
import { formatHex } from '../bytes/hex.js';
import type { DescriptionRow } from '../schemas/lang/describe.js';
import type { Version } from '../schemas/lang/family.js';
import { layoutsOf, namedRows, rowDoc } from './named-layouts.js';

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
  // What lies in a struct that moved has moved with it.
  const moved = changes.flatMap(({ path, kind }) => (kind === 'moved' ? [`${path}.`] : []));
  return changes.filter(({ path, kind }) => kind !== 'moved' || !moved.some((each) => path.startsWith(each)));
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
