// SPDX-License-Identifier: Apache-2.0
import type { Paint, Role } from '../render/paint.js';
import type { TextSink } from '../render/text-sink.js';

/** Text and what it is, which decides its colour. */
export interface TextRun {
  readonly role: Role | '';
  readonly text: string;
}

const ROLES: readonly Role[] = [
  'title',
  'node',
  'property',
  'string',
  'number',
  'note',
  'guide',
  'added',
  'removed',
  'changed',
  'error',
];

// Text of a handover has one character a byte, so that these, for private use, are never part of it. Text from
// elsewhere that has them is shown in another colour, and is still nothing but text.
const FIRST_MARK = 0xe000;
const END_MARK = '\ue0ff';

/** Marks text instead of colouring it, for {@link runsOf}. */
export const markingPaint: Paint = (role, text) =>
  text === '' ? '' : `${String.fromCharCode(FIRST_MARK + ROLES.indexOf(role))}${text}${END_MARK}`;

/** The runs of one line of marked text. Marks inside of marks end with their own text. */
export function runsOf(marked: string): TextRun[] {
  const runs: TextRun[] = [];
  const open: (Role | '')[] = [''];
  let from = 0;
  const end = (at: number): void => {
    if (at > from) runs.push({ role: open.at(-1) ?? '', text: marked.slice(from, at) });
    from = at + 1;
  };
  for (let at = 0; at < marked.length; at++) {
    const code = marked.charCodeAt(at);
    if (code < FIRST_MARK || code > 0xe0ff) continue;
    end(at);
    const role = ROLES[code - FIRST_MARK];
    if (role !== undefined) open.push(role);
    else if (open.length > 1) open.pop();
  }
  end(marked.length);
  return runs;
}

/** The lines that a renderer writes, as runs. */
export function linesOf(write: (out: TextSink) => void): TextRun[][] {
  let text = '';
  write((part) => {
    text += part;
  });
  return text.replace(/\n$/, '').split('\n').map(runsOf);
}

/** What a renderer writes on one line, as runs. */
export function lineOf(write: (out: TextSink) => void): TextRun[] {
  return linesOf(write).flat();
}

/** The text without what it is. */
export function plainText(runs: readonly TextRun[]): string {
  return runs.map(({ text }) => text).join('');
}
