// SPDX-License-Identifier: Apache-2.0
import { ByteBuffer } from '../../bytes/byte-buffer.js';
import { decodeLatin1 } from '../../bytes/latin1.js';
import { escapeText } from '../../bytes/printable.js';
import { type DtsComplaint, type DtsError, dtsErrorAt } from './error.js';
import { appendUnescaped, hexDigit, integerValue } from './literal.js';
import {
  blankEnd,
  characterEnd,
  classOf,
  DIGIT,
  identifierEnd,
  integerEnd,
  LETTER,
  NAME_CHARACTER,
  stringEnd,
} from './scan.js';
import {
  KEYWORDS,
  OPERATORS,
  TOKEN_BITS,
  TOKEN_BYTE,
  TOKEN_CHARACTER,
  TOKEN_DELETE_NODE,
  TOKEN_DELETE_PROPERTY,
  TOKEN_DTS_V1,
  TOKEN_END,
  TOKEN_INTEGER,
  TOKEN_LABEL,
  TOKEN_LABEL_REFERENCE,
  TOKEN_MEMRESERVE,
  TOKEN_NAME,
  TOKEN_OMIT_IF_NO_REF,
  TOKEN_PATH_REFERENCE,
  TOKEN_STRING,
} from './token.js';

/** What a name or a number means depends on what came before, as in dtc's lexer. */
type State = 'plain' | 'name' | 'bytes';

/** Of a token this many bytes are shown in an error. */
const LONGEST_SHOWN = 20;

/** The tokens of a devicetree source, one at a time, in linear time (`dtc-lexer.l` of dtc 1.6.1). */
export class DtsLexer {
  /** The source, for errors and for the text of tokens. */
  readonly source: Uint8Array;
  /** Kind of the current token. */
  kind: number = TOKEN_END;
  /** Offset of its first byte. */
  start = 0;
  /** Offset after its last byte. */
  end = 0;
  /** TOKEN_INTEGER, TOKEN_CHARACTER, TOKEN_BYTE: its value. */
  value: number | bigint = 0;
  #state: State = 'plain';
  /** Whether an integer can come now: not before the version line. */
  #begun = false;
  /** No label begins before this offset: a long byte string must not be searched for a colon at each byte. */
  #noLabelBefore = 0;

  constructor(source: Uint8Array) {
    this.source = source;
    this.next();
  }

  /**
   * Moves to the next token.
   *
   * @throws DtsError SYNTAX for a comment or string without an end, LITERAL and RANGE for a malformed literal
   */
  next(): void {
    const at = blankEnd(this.source, this.end);
    const { source } = this;
    this.start = at;
    this.end = at + 1;
    const byte = source[at];
    if (byte === undefined) {
      this.end = at;
      this.kind = TOKEN_END;
      return;
    }
    const kind = classOf(byte);
    if (this.#state === 'name') {
      if ((kind & NAME_CHARACTER) !== 0) {
        this.#name(at);
        return;
      }
      if (byte === 0x5c && (classOf(source[at + 1]) & NAME_CHARACTER) !== 0) {
        this.#name(at + 1);
        return;
      }
    } else {
      if ((kind & LETTER) !== 0 && this.#label(at)) return;
      if (this.#state === 'bytes') {
        if (this.#byte(at)) return;
      } else if ((kind & DIGIT) !== 0 && this.#begun) {
        this.#integer(at);
        return;
      }
    }
    this.#punctuation(byte, at);
  }

  /** Moves on when the current token is of `kind`; says whether it was. */
  accept(kind: number): boolean {
    if (this.kind !== kind) return false;
    this.next();
    return true;
  }

  /** The name in a TOKEN_NAME, TOKEN_LABEL or reference (the path of a path reference), one character a byte. */
  text(): string {
    const { source, kind } = this;
    let from = this.start;
    let to = this.end;
    if (kind === TOKEN_LABEL) to--;
    else if (kind === TOKEN_LABEL_REFERENCE) from++;
    else if (kind === TOKEN_PATH_REFERENCE) {
      from += 2;
      to--;
    } else if (source[from] === 0x5c) from++;
    let text = '';
    for (let at = from; at < to; at++) text += String.fromCharCode(source[at] ?? 0);
    return text;
  }

  /** TOKEN_STRING: appends its bytes, escapes resolved, without a NUL. */
  appendString(out: ByteBuffer): void {
    appendUnescaped(this.source, this.start + 1, this.end - 1, out);
  }

  /** An error at the current token. */
  error(complaint: DtsComplaint): DtsError {
    return dtsErrorAt(this.source, this.start, complaint);
  }

  /** A SYNTAX error at the current token. */
  unexpected(expected: string): DtsError {
    const { source, start, end } = this;
    const text = escapeText(decodeLatin1(source, start, Math.min(end, start + LONGEST_SHOWN)));
    const shown = `"${text}${end > start + LONGEST_SHOWN ? '…' : ''}"`;
    const found = start === source.length ? 'the end of the source' : shown;
    return this.error({ code: 'SYNTAX', message: `expected ${expected}, found ${found}`, expected, found });
  }

  /** A run of name characters, which is a label when it looks like one and a colon follows. */
  #name(from: number): void {
    const { source } = this;
    let at = from;
    let common = LETTER | DIGIT;
    while (true) {
      const kind = classOf(source[at]);
      if ((kind & NAME_CHARACTER) === 0) break;
      if ((kind & (LETTER | DIGIT)) === 0) common = 0;
      at++;
    }
    const isLabel =
      common !== 0 && source[at] === 0x3a && from === this.start && (classOf(source[from]) & LETTER) !== 0;
    this.end = isLabel ? at + 1 : at;
    this.kind = isLabel ? TOKEN_LABEL : TOKEN_NAME;
    if (!isLabel) this.#state = 'plain';
  }

  #label(from: number): boolean {
    if (from < this.#noLabelBefore) return false;
    const at = identifierEnd(this.source, from);
    if (this.source[at] !== 0x3a) {
      this.#noLabelBefore = at;
      return false;
    }
    this.end = at + 1;
    this.kind = TOKEN_LABEL;
    return true;
  }

  #byte(at: number): boolean {
    const high = hexDigit(this.source[at] ?? 0);
    const low = hexDigit(this.source[at + 1] ?? 0);
    if (high < 0 || low < 0) return false;
    this.end = at + 2;
    this.kind = TOKEN_BYTE;
    this.value = high * 16 + low;
    return true;
  }

  #integer(from: number): void {
    this.end = integerEnd(this.source, from);
    this.kind = TOKEN_INTEGER;
    this.value = integerValue(this.source, from, this.end);
  }

  #punctuation(byte: number, at: number): void {
    const next = this.source[at + 1];
    this.kind = byte;
    switch (byte) {
      case 0x22:
        this.#string(at);
        return;
      case 0x27:
        this.#character(at);
        return;
      case 0x2f:
        this.#keyword(at);
        return;
      case 0x26:
        if (this.#reference(at)) return;
        break;
      case 0x5b:
        this.#state = 'bytes';
        break;
      case 0x5d:
        if (this.#state === 'bytes') this.#state = 'plain';
        break;
      case 0x7b:
      case 0x3b:
        this.#state = 'name';
        break;
    }
    if (next === undefined || next < 0x26 || next > 0x7c) return;
    const operator = OPERATORS.get(String.fromCharCode(byte, next));
    if (operator === undefined) return;
    this.kind = operator;
    this.end = at + 2;
  }

  #string(from: number): void {
    this.end = stringEnd(this.source, from);
    this.kind = TOKEN_STRING;
  }

  #character(from: number): void {
    const { source } = this;
    const end = characterEnd(source, from);
    const bytes = new ByteBuffer();
    appendUnescaped(source, from + 1, end - 1, bytes);
    if (bytes.length !== 1) {
      const message = `expected one character between the quotes, found ${bytes.length}`;
      throw dtsErrorAt(source, from, { code: 'LITERAL', message, expected: 'one character' });
    }
    this.end = end;
    this.kind = TOKEN_CHARACTER;
    this.value = bytes.bytes[0] ?? 0;
  }

  #reference(at: number): boolean {
    const { source } = this;
    if ((classOf(source[at + 1]) & LETTER) !== 0) {
      this.end = identifierEnd(this.source, at + 1);
      this.kind = TOKEN_LABEL_REFERENCE;
      return true;
    }
    if (source[at + 1] !== 0x7b || source[at + 2] !== 0x2f) return false;
    let end = at + 3;
    while (source[end] === 0x2f || (classOf(source[end]) & NAME_CHARACTER) !== 0) end++;
    if (source[end] !== 0x7d) return false;
    this.end = end + 1;
    this.kind = TOKEN_PATH_REFERENCE;
    return true;
  }

  #keyword(at: number): void {
    for (const [word, kind] of KEYWORDS) {
      if (!this.#startsWith(word, at)) continue;
      this.kind = kind;
      this.end = at + word.length;
      if (kind === TOKEN_DTS_V1) this.#begun = true;
      if (kind === TOKEN_DTS_V1 || kind === TOKEN_MEMRESERVE || kind === TOKEN_BITS) this.#state = 'plain';
      else if (
        kind === TOKEN_DELETE_NODE ||
        kind === TOKEN_DELETE_PROPERTY ||
        kind === TOKEN_OMIT_IF_NO_REF
      ) {
        this.#state = 'name';
      }
      return;
    }
  }

  #startsWith(word: string, at: number): boolean {
    for (let index = 0; index < word.length; index++) {
      if (this.source[at + index] !== word.charCodeAt(index)) return false;
    }
    return true;
  }
}
