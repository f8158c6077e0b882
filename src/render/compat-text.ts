// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import type { CompatEffect, CompatOutcome, CompatVerdict } from '../kho/compat.js';
import type { CompatSide } from '../kho/compat-side.js';
import type { Paint, Role } from './paint.js';
import { writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

/** What becomes of a part, in words, and how bad that is. */
export const COMPAT_EFFECTS: Readonly<Record<CompatEffect, readonly [Role, string]>> = {
  restored: ['added', 'restored'],
  unclaimed: ['changed', 'not read, stays reserved'],
  ignored: ['changed', 'ignored with a warning'],
  fresh: ['removed', 'allocated afresh'],
  'open-fails': ['removed', 'open fails'],
  'start-fails': ['removed', 'subsystem does not start'],
  panic: ['error', 'PANIC'],
  'plain-boot': ['error', 'plain boot, nothing reserved'],
  misread: ['error', '☠ misread'],
};

const VERDICTS: Readonly<Record<CompatVerdict, readonly [Role, string]>> = {
  restored: ['added', 'everything would be restored'],
  unclaimed: ['changed', 'something would not be read'],
  refused: ['removed', 'something would be refused'],
  'plain-boot': ['error', 'plain boot: everything would be lost'],
  misread: ['error', 'it would be MISREAD'],
};

/** Writes a prediction for people: the verdict, a line for each part, and what to know of the sides. */
export function writeCompat(
  out: TextSink,
  from: CompatSide,
  to: CompatSide,
  outcomes: readonly CompatOutcome[],
  verdict: CompatVerdict,
  paint: Paint,
): void {
  const [role, text] = VERDICTS[verdict];
  out(`${paint('title', `${escapeText(from.name)} -> ${escapeText(to.name)}`)}  ${paint(role, text)}\n\n`);
  const inferred = new Set(from.inferred);
  const rows = outcomes.map((outcome) => {
    const [effectRole, effect] = COMPAT_EFFECTS[outcome.effect];
    const written = `${outcome.written}${inferred.has(outcome.written) ? ' (inferred)' : ''}`;
    return [
      { text: outcome.where, role: 'node' as const },
      { text: written, role: 'string' as const },
      { text: effect, role: effectRole },
      { text: outcome.why, role: 'note' as const },
    ];
  });
  writeTable(out, rows, paint, '  ');
  const sources = new Set(
    outcomes.flatMap(({ effect, sources: each }) => (effect === 'restored' ? [] : each)),
  );
  if (sources.size > 0) out('\n');
  for (const source of sources) out(`  ${paint('note', `source: ${escapeText(source)}`)}\n`);
  for (const side of [from, to])
    for (const note of side.notes)
      out(`  ${paint('note', `${escapeText(side.name)}: ${escapeText(note)}`)}\n`);
}

/** The marks of the matrix. */
export const MATRIX_MARKS: Readonly<Record<CompatVerdict, string>> = {
  restored: '✔',
  unclaimed: '✔°',
  refused: 'K',
  'plain-boot': '✖',
  misread: '☠',
};

/** Writes what each kernel makes of what each one hands over, and what the marks mean. */
export function writeMatrix(
  out: TextSink,
  names: readonly string[],
  verdict: (from: number, to: number) => CompatVerdict,
  paint: Paint,
): void {
  const head = ['from \\ to', ...names].map((text) => ({ text, role: 'title' as const }));
  const rows = names.map((name, from) => [
    { text: name, role: 'title' as const },
    ...names.map((_, to) => {
      const found = verdict(from, to);
      return { text: MATRIX_MARKS[found], role: VERDICTS[found][0] };
    }),
  ]);
  writeTable(out, [head, ...rows], paint, '');
  out(`
✔  restored   ✔° something is not read: its memory stays reserved, nobody claims it
K  the root is taken, something above it is refused: see kho compat FROM TO
✖  the root is refused: plain boot, nothing stays reserved   ☠  taken for something that it is not
A name stands for the releases from it up to the next. Below the diagonal is rollback.
`);
}
