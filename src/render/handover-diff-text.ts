// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText, quoteName } from '../bytes/printable.js';
import type { ComparedValue } from '../kho/compared-value.js';
import type { DiffNote, HandoverChange } from '../kho/handover-change.js';
import { permissionText } from '../vtd/extents.js';
import { MAPPING } from '../vtd/paging-format.js';
import type { Paint, Role } from './paint.js';
import { formatRange, formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

const SIGNS: Readonly<Record<HandoverChange['kind'], { readonly sign: string; readonly role: Role }>> = {
  added: { sign: '+', role: 'added' },
  removed: { sign: '-', role: 'removed' },
  changed: { sign: '~', role: 'changed' },
};
/** What each kind of note is about. */
export const NOTE_WORDS: Readonly<Record<DiffNote['kind'], string>> = {
  encoding: 'encoded otherwise',
  placement: 'lies elsewhere',
  unknown: 'not compared',
};

/** Writes differences between handovers for people, those of one thing together: `+` added, `-` removed, `~` changed. */
export function writeHandoverDiff(out: TextSink, changes: readonly HandoverChange[], paint: Paint): void {
  let group = '';
  let rows: Cell[][] = [];
  const flush = (): void => {
    if (rows.length === 0) return;
    out(`\n${paint('title', group)}\n`);
    writeTable(out, rows, paint, '  ');
    rows = [];
  };
  for (const change of changes) {
    const next = changeGroup(change);
    if (next !== group) flush();
    group = next;
    rows.push(rowOf(change));
  }
  flush();
}

/** Writes what was left out of a comparison, a line each. */
export function writeDiffNotes(out: TextSink, notes: readonly DiffNote[], paint: Paint): void {
  for (const { kind, text } of notes) out(`${paint('note', `${NOTE_WORDS[kind]}: ${text}`)}\n`);
}

/** The title that a change stands below, safe to show. */
export function changeGroup({ part, of }: HandoverChange): string {
  const name = quoteName(of[0] ?? '');
  switch (part) {
    case 'kernel':
      return 'kernel';
    case 'consumer':
      return 'consumers';
    case 'region':
      return 'reserved memory';
    case 'session':
      return 'sessions';
    case 'file':
      return `session ${name}`;
    case 'flb':
      return 'objects bound to files';
    case 'preserved':
      return 'preserved memory';
    case 'ioas':
      return 'I/O address spaces';
    case 'domain':
      return 'domains';
    case 'unit':
      return 'hardware units';
    case 'area':
    case 'device':
    case 'mapping':
      return name;
  }
}

function rowOf({ part, kind, of, field, before, after }: HandoverChange): Cell[] {
  const { sign, role } = SIGNS[kind];
  const label = `${sign} ${changeLabel(part, of, field)}`;
  const named = part === 'kernel' ? '' : field;
  const cells: Cell[] = [{ text: label, role }];
  if (named !== '') cells.push({ text: named, role: 'property' });
  cells.push({ text: valuesText(kind, field, before, after), role: kind === 'changed' ? 'property' : role });
  if (part === 'preserved')
    cells.push({ text: of[0] === '' ? 'nothing leads there' : (of[0] ?? ''), role: 'note' });
  return cells;
}

/** What a change is about within its group, not escaped; '' where the values say it. */
export function changeLabel(part: HandoverChange['part'], of: readonly string[], field: string): string {
  switch (part) {
    case 'kernel':
      return field;
    case 'file':
      return `file ${of[1] ?? ''}`;
    case 'area':
      return `area ${of[1] ?? ''}`;
    case 'device':
      return `device ${of[1] ?? ''}`;
    case 'mapping':
      return `${of[1] ?? ''} (${formatSize(BigInt(of[2] ?? '0'))})`;
    case 'preserved':
      return '';
    default:
      return quoteName(of[0] ?? '');
  }
}

function valuesText(
  kind: HandoverChange['kind'],
  field: string,
  before: ComparedValue | undefined,
  after: ComparedValue | undefined,
): string {
  const [first, second] = [before, after].map((value) =>
    value === undefined ? 'none' : comparedText(value),
  );
  if (kind === 'added' || field === 'contents') return second ?? '';
  return kind === 'removed' ? (first ?? '') : `${first} -> ${second}`;
}

/** A compared value for people, not escaped. */
export function comparedText(value: ComparedValue): string {
  switch (value.kind) {
    case 'text':
      return `"${value.text}"`;
    case 'words':
      return value.text;
    case 'number':
      return `${value.value}`;
    case 'hex':
      return formatHex(value.value);
    case 'size':
      return formatSize(value.value);
    case 'range':
      return formatRange(value.address, value.size);
    case 'mapping': {
      const flags = mappingFlags(value.bits);
      return [permissionText(value.bits), formatHex(value.phys), ...flags].join(' ');
    }
  }
}

const SHOWN: readonly (readonly [name: string, bit: number])[] = Object.entries(MAPPING)
  .filter(([name]) => name !== 'READ' && name !== 'WRITE')
  .map(([name, bit]) => [name.toLowerCase().replace('_', '-'), bit]);

/** Names of the bits of a mapping besides read and write. */
export function mappingFlags(bits: number): string[] {
  return SHOWN.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}

/** The lines above differences: what is compared with what. */
export function writeDiffTitle(out: TextSink, a: string, b: string, paint: Paint): void {
  out(`${paint('removed', `--- ${escapeText(a)}`)}\n${paint('added', `+++ ${escapeText(b)}`)}\n`);
}
