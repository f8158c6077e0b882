// SPDX-License-Identifier: Apache-2.0
import type { ByteBuffer } from '../../bytes/byte-buffer.js';
import { type DtsComplaint, dtsErrorAt } from './error.js';

/** The characters that follow a backslash and stand for a control character. */
const CONTROL_ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }).map(([letter, code]) => [
    letter.charCodeAt(0),
    code,
  ]),
);

const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** The value of a hexadecimal digit, -1 for any other byte. */
export function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Space, tab, newline, vertical tab, form feed, carriage return. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * Appends the bytes that the text in `[start, end)` of a string or character literal stands for, as dtc reads it
 * (`get_escape_char` in `util.c`): octal escapes of one to three digits, of which eight bits count, hexadecimal ones of
 * one or two, any other character for itself. dtc reads two-character hexadecimal escapes with `strtol`, so that a
 * blank or a sign before one digit is part of them.
 *
 * @throws DtsError LITERAL for `\x` without a digit
 */
export function appendUnescaped(source: Uint8Array, start: number, end: number, out: ByteBuffer): void {
  let at = start;
  while (at < end) {
    const byte = source[at++] ?? 0;
    if (byte !== BACKSLASH) {
      out.appendByte(byte);
      continue;
    }
    // In a character literal the closing quote itself may be what is escaped.
    const letter = source[at++] ?? 0;
    if (letter >= ZERO && letter <= 0x37) {
      let value = letter - ZERO;
      for (let digits = 1; digits < 3; digits++, at++) {
        const digit = (source[at] ?? 0) - ZERO;
        if (digit < 0 || digit > 7) break;
        value = value * 8 + digit;
      }
      out.appendByte(value & 0xff);
    } else if (letter === 0x78) {
      const first = source[at] ?? 0;
      const high = hexDigit(first);
      const low = hexDigit(source[at + 1] ?? 0);
      const isSigned = first === 0x2b || first === 0x2d;
      if (high >= 0) {
        out.appendByte(low >= 0 ? high * 16 + low : high);
        at += low >= 0 ? 2 : 1;
      } else if ((isSigned || isSpace(first)) && low >= 0) {
        out.appendByte((first === 0x2d ? -low : low) & 0xff);
        at += 2;
      } else {
        const message = 'expected a hexadecimal digit after \\x';
        throw dtsErrorAt(source, at - 2, { code: 'LITERAL', message, expected: 'a hexadecimal digit' });
      }
    } else {
      out.appendByte(CONTROL_ESCAPES.get(letter) ?? letter);
    }
  }
}

const TOO_LARGE: DtsComplaint = {
  code: 'RANGE',
  message: 'expected an integer below 2^64',
  expected: 'an integer below 2^64',
};

/**
 * The value of an integer literal in `[start, end)`: decimal, octal with a leading 0, or hexadecimal with a leading 0x,
 * followed by nothing, U, L, UL, LL or ULL. The form has been checked by the lexer, except for octal digits.
 *
 * @returns a number when it is exact, otherwise a bigint
 * @throws DtsError LITERAL for the digits 8 and 9 in an octal number; RANGE for 2^64 and above
 */
export function integerValue(source: Uint8Array, start: number, end: number): number | bigint {
  let base = 10;
  let at = start;
  if (source[at] === ZERO && end - at > 1) {
    const isHex = ((source[at + 1] ?? 0) | 0x20) === 0x78;
    base = isHex ? 16 : 8;
    at += isHex ? 2 : 1;
  }
  let value = 0;
  let large: bigint | undefined;
  for (; at < end; at++) {
    const digit = hexDigit(source[at] ?? 0);
    if (digit < 0) break;
    if (digit >= base) {
      const message = 'expected an octal digit in a number that begins with 0';
      throw dtsErrorAt(source, start, { code: 'LITERAL', message, expected: 'an octal digit' });
    }
    if (large !== undefined) {
      large = large * BigInt(base) + BigInt(digit);
      if (large > 0xffff_ffff_ffff_ffffn) throw dtsErrorAt(source, start, TOO_LARGE);
    } else if (value >= 0x1_0000_0000_0000) {
      large = BigInt(value) * BigInt(base) + BigInt(digit);
    } else {
      value = value * base + digit;
    }
  }
  return large ?? value;
}
