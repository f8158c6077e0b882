// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import type { Paint, Role } from './paint.js';
import type { TextSink } from './text-sink.js';

/** One cell of a table. Its text is escaped where it is written. */
export interface Cell {
  readonly text: string;
  readonly role: Role;
}

/** Writes rows with cells in columns, two spaces between; what stands last in a row is not padded. A row of no cells is an empty line. */
export function writeTable(
  out: TextSink,
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  indent: string,
): void {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach(({ text }, index) => {
      widths[index] = Math.max(widths[index] ?? 0, escapeText(text).length);
    });
  for (const row of rows) {
    const last = row.findLastIndex(({ text }) => text !== '');
    const cells = row.slice(0, last + 1).map(({ text, role }, index) => {
      const shown = escapeText(text);
      return `${paint(role, shown)}${index === last ? '' : ' '.repeat((widths[index] ?? 0) - shown.length)}`;
    });
    out(cells.length === 0 ? '\n' : `${indent}${cells.join('  ')}\n`);
  }
}
