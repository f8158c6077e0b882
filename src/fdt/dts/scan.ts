// SPDX-License-Identifier: Apache-2.0
import { type DtsComplaint, dtsErrorAt } from './error.js';
import { hexDigit } from './literal.js';

const SPACE = 1;
/** a to z, A to Z and _ */
export const LETTER = 2;
/** 0 to 9 */
export const DIGIT = 4;
/** What node and property names are made of. */
export const NAME_CHARACTER = 8;

/** What each byte can be part of. */
const CLASS: Uint8Array = new Uint8Array(256);
for (const character of ' \t\n\v\f\r') CLASS[character.charCodeAt(0)] = SPACE;
for (let code = 0; code < 26; code++) {
  CLASS[0x41 + code] = LETTER | NAME_CHARACTER;
  CLASS[0x61 + code] = LETTER | NAME_CHARACTER;
}
for (let code = 0x30; code < 0x3a; code++) CLASS[code] = DIGIT | NAME_CHARACTER;
for (const character of ',.+*#?@-') CLASS[character.charCodeAt(0)] = NAME_CHARACTER;
CLASS[0x5f] = LETTER | NAME_CHARACTER;

/** The classes of a byte, as bits: {@link LETTER}, {@link DIGIT}, {@link NAME_CHARACTER}; 0 for none and at the end. */
export function classOf(byte: number | undefined): number {
  return byte === undefined ? 0 : (CLASS[byte] ?? 0);
}

/** `# 1 "file" 2` and `#line 1 "file"`: what a C preprocessor leaves behind. */
const LINE_MARKER = /^#(line)?[ \t]+[0-9]+[ \t]+"([^\\"]|\\.)*"([ \t]+[0-9]+)*/;
/** Longer markers than this, and those with a newline in the file name, are not looked for. */
const LINE_MARKER_LIMIT = 4096;

/**
 * The offset of the first byte from `from` on that is no blank, comment or line marker.
 *
 * @throws DtsError SYNTAX for a comment without an end
 */
export function blankEnd(source: Uint8Array, from: number): number {
  let at = from;
  while (true) {
    const byte = source[at];
    if ((classOf(byte) & SPACE) !== 0) {
      at++;
    } else if (byte === 0x2f && source[at + 1] === 0x2a) {
      let star = source.indexOf(0x2a, at + 2);
      while (star >= 0 && source[star + 1] !== 0x2f) star = source.indexOf(0x2a, star + 1);
      if (star < 0) throw dtsErrorAt(source, at, missing('*/', 'end of the comment'));
      at = star + 2;
    } else if (byte === 0x2f && source[at + 1] === 0x2f) {
      const newline = source.indexOf(0x0a, at);
      if (newline < 0) throw dtsErrorAt(source, at, missing('a newline', 'end of the comment'));
      at = newline + 1;
    } else if (byte === 0x23 && (at === 0 || source[at - 1] === 0x0a)) {
      const length = lineMarkerLength(source, at);
      if (length === 0) return at;
      at += length;
    } else {
      return at;
    }
  }
}

function lineMarkerLength(source: Uint8Array, at: number): number {
  let text = '';
  for (let index = at; index < at + LINE_MARKER_LIMIT; index++) {
    const byte = source[index];
    if (byte === undefined || byte === 0x0a) break;
    text += String.fromCharCode(byte);
  }
  return LINE_MARKER.exec(text)?.[0].length ?? 0;
}

/** The offset after the letters and digits at `from`. */
export function identifierEnd(source: Uint8Array, from: number): number {
  let at = from;
  while ((classOf(source[at]) & (LETTER | DIGIT)) !== 0) at++;
  return at;
}

/** The offset after the integer literal at `from`, with a suffix of U, L, UL, LL or ULL. */
export function integerEnd(source: Uint8Array, from: number): number {
  let at = from;
  const isHex = source[at] === 0x30 && ((source[at + 1] ?? 0) | 0x20) === 0x78;
  if (isHex && hexDigit(source[at + 2] ?? 0) >= 0) {
    at += 3;
    while (hexDigit(source[at] ?? 0) >= 0) at++;
  } else {
    while ((classOf(source[at]) & DIGIT) !== 0) at++;
  }
  if (source[at] === 0x55) at++;
  if (source[at] === 0x4c) at += source[at + 1] === 0x4c ? 2 : 1;
  return at;
}

/**
 * The offset after the string whose opening quote is at `from`. A backslash takes the next byte with it, which must
 * not be a newline.
 *
 * @throws DtsError SYNTAX when it has no end
 */
export function stringEnd(source: Uint8Array, from: number): number {
  let at = from + 1;
  while (source[at] !== 0x22) {
    if (source[at] === 0x5c) at += source[at + 1] === 0x0a ? source.length : 1;
    if (++at >= source.length) throw dtsErrorAt(source, from, missing('"', 'end of the string'));
  }
  return at + 1;
}

/**
 * The offset after the character literal whose opening quote is at `from`. As in dtc a quote after a backslash ends it
 * only when no later quote does.
 *
 * @throws DtsError SYNTAX when it has no end
 */
export function characterEnd(source: Uint8Array, from: number): number {
  let end = -1;
  for (let at = source.indexOf(0x27, from + 1); at >= 0; at = source.indexOf(0x27, at + 1)) {
    end = at;
    if (source[at - 1] !== 0x5c) break;
  }
  if (end < 0) throw dtsErrorAt(source, from, missing("'", 'end of the character literal'));
  return end + 1;
}

function missing(expected: string, what: string): DtsComplaint {
  return { code: 'SYNTAX', message: `expected ${expected}, found no ${what}`, expected };
}
