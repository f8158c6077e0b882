// SPDX-License-Identifier: Apache-2.0

/** What a piece of text is, which decides its colour. */
export type Role =
  | 'title'
  | 'node'
  | 'property'
  | 'string'
  | 'number'
  | 'note'
  | 'guide'
  | 'added'
  | 'removed'
  | 'changed'
  | 'error';

/** Gives text that is safe to show the colour of its role. */
export type Paint = (role: Role, text: string) => string;

/** No colour. */
export const plainPaint: Paint = (_role, text) => text;

// The 16 colours that every terminal theme keeps legible; property names stay in the terminal's own colour.
const SGR: Readonly<Record<Role, string>> = {
  title: '1',
  node: '1;36',
  property: '',
  string: '32',
  number: '33',
  note: '2',
  guide: '2',
  added: '32',
  removed: '31',
  changed: '1;33',
  error: '1;31',
};

/** Colour by ANSI escape sequences. */
export const ansiPaint: Paint = (role, text) => {
  const code = SGR[role];
  return code === '' || text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
};
