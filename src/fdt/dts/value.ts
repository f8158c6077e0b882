// SPDX-License-Identifier: Apache-2.0
import { ByteBuffer } from '../../bytes/byte-buffer.js';
import { formatHex } from '../../bytes/hex.js';
import { dtsErrorAt } from './error.js';
import { readExpression } from './expression.js';
import type { DtsLexer } from './lex.js';
import type { SourceMarker, SourceValue } from './source.js';
import {
  TOKEN_BITS,
  TOKEN_BYTE,
  TOKEN_CHARACTER,
  TOKEN_INCBIN,
  TOKEN_INTEGER,
  TOKEN_LABEL,
  TOKEN_LABEL_REFERENCE,
  TOKEN_PATH_REFERENCE,
  TOKEN_STRING,
} from './token.js';

const LESS = 0x3c;
const GREATER = 0x3e;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_PARENTHESIS = 0x28;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/**
 * Reads an integer, a character or an expression in parentheses.
 *
 * @returns an unsigned 64-bit number; `undefined` when something else comes, nothing being read then
 */
export function readInteger(lexer: DtsLexer): number | bigint | undefined {
  const { kind, value } = lexer;
  if (kind === OPEN_PARENTHESIS) return readExpression(lexer);
  if (kind !== TOKEN_INTEGER && kind !== TOKEN_CHARACTER) return undefined;
  lexer.next();
  return value;
}

const NO_MARKERS: readonly SourceMarker[] = [];
/** Values up to this size share buffers of {@link SHARED_BUFFER} bytes: a buffer of its own costs more than a value. */
const SHARED_VALUE = 1024;
const SHARED_BUFFER = 64 * 1024;

/** Memory that is used again for each value of a source, and the buffers that values stay in. */
export class ValueMemory {
  readonly scratch: ByteBuffer = new ByteBuffer(4096);
  #shared = new Uint8Array(0);
  #used = 0;

  /** A copy of `bytes` that stays. */
  keep(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > SHARED_VALUE) return bytes.slice();
    if (this.#used + length > this.#shared.length) {
      this.#shared = new Uint8Array(SHARED_BUFFER);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    for (let index = 0; index < length; index++) this.#shared[start + index] = bytes[index] ?? 0;
    return this.#shared.subarray(start, start + length);
  }
}

/**
 * Reads what stands between the `=` and the `;` of a property.
 *
 * @throws DtsError SYNTAX, LITERAL, RANGE; UNSUPPORTED for `/incbin/`
 */
export function readValue(lexer: DtsLexer, memory: ValueMemory): SourceValue {
  const { scratch } = memory;
  scratch.clear();
  const reader = new ValueReader(lexer, scratch);
  reader.read();
  return { bytes: memory.keep(scratch.bytes), markers: reader.markers ?? NO_MARKERS };
}

class ValueReader {
  /** `undefined` while there are none, as mostly. */
  markers: SourceMarker[] | undefined;
  readonly #lexer: DtsLexer;
  readonly #bytes: ByteBuffer;

  constructor(lexer: DtsLexer, bytes: ByteBuffer) {
    this.#lexer = lexer;
    this.#bytes = bytes;
  }

  read(): void {
    const lexer = this.#lexer;
    while (true) {
      this.#readLabels();
      this.#readPart();
      this.#readLabels();
      if (!lexer.accept(COMMA)) return;
    }
  }

  #readPart(): void {
    const lexer = this.#lexer;
    switch (lexer.kind) {
      case TOKEN_STRING:
        lexer.appendString(this.#bytes);
        this.#bytes.appendByte(0);
        lexer.next();
        return;
      case LESS:
      case TOKEN_BITS:
        this.#readArray(this.#readBits());
        return;
      case OPEN_BRACKET:
        this.#readByteString();
        return;
      case TOKEN_LABEL_REFERENCE:
      case TOKEN_PATH_REFERENCE:
        this.#mark('path');
        return;
      case TOKEN_INCBIN:
        throw lexer.error({ code: 'UNSUPPORTED', message: '/incbin/ is not supported', found: '/incbin/' });
      default:
        throw this.#unexpected('a value: a string, "<", "[", /bits/ or a reference');
    }
  }

  #readLabels(): void {
    while (this.#lexer.kind === TOKEN_LABEL) this.#mark('label');
  }

  #mark(kind: SourceMarker['kind']): void {
    const lexer = this.#lexer;
    this.markers ??= [];
    this.markers.push({ kind, offset: this.#bytes.length, text: lexer.text(), at: lexer.start });
    lexer.next();
  }

  /** `/bits/ 8`, if it is there, up to the `<`. */
  #readBits(): number {
    const lexer = this.#lexer;
    if (!lexer.accept(TOKEN_BITS)) return 32;
    if (lexer.kind !== TOKEN_INTEGER) throw this.#unexpected('a number of bits');
    const bits = Number(lexer.value);
    if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) {
      const message = `/bits/: expected 8, 16, 32 or 64, found ${lexer.value}`;
      throw lexer.error({ code: 'RANGE', message, expected: '8, 16, 32 or 64' });
    }
    lexer.next();
    return bits;
  }

  #readArray(bits: number): void {
    const lexer = this.#lexer;
    if (!lexer.accept(LESS)) throw this.#unexpected('"<"');
    while (!lexer.accept(GREATER)) {
      const { start } = lexer;
      const value = readInteger(lexer);
      if (value !== undefined) {
        this.#appendInteger(value, bits, start);
      } else if (lexer.kind === TOKEN_LABEL) {
        this.#mark('label');
      } else if (lexer.kind === TOKEN_LABEL_REFERENCE || lexer.kind === TOKEN_PATH_REFERENCE) {
        if (bits !== 32) {
          throw this.#unexpected(`a number, since references take 32 bits and these elements have ${bits}`);
        }
        this.#mark('phandle');
        this.#bytes.appendUint32(0xffffffff);
      } else {
        throw this.#unexpected('a number, a reference or ">"');
      }
    }
  }

  /** Appends `value`, whose bits above the element's must be all zeros or (a negative number) all ones. */
  #appendInteger(value: number | bigint, bits: number, at: number): void {
    const bytes = this.#bytes;
    if (bits === 64) {
      bytes.appendUint64(BigInt(value));
      return;
    }
    const mask = 2 ** bits - 1;
    let low = Number(value);
    if (value > mask) {
      const wide = BigInt(value);
      if ((wide | BigInt(mask)) !== ALL_ONES) {
        const expected = `a number of ${bits} bits`;
        const message = `expected ${expected}, found ${formatHex(value)}`;
        throw dtsErrorAt(this.#lexer.source, at, { code: 'RANGE', message, expected });
      }
      low = Number(BigInt.asUintN(bits, wide));
    }
    if (bits === 32) bytes.appendUint32(low);
    else if (bits === 16) bytes.appendUint16(low);
    else bytes.appendByte(low);
  }

  #readByteString(): void {
    const lexer = this.#lexer;
    lexer.next();
    while (!lexer.accept(CLOSE_BRACKET)) {
      if (lexer.kind === TOKEN_LABEL) {
        this.#mark('label');
      } else if (lexer.kind === TOKEN_BYTE) {
        this.#bytes.appendByte(Number(lexer.value));
        lexer.next();
      } else {
        throw this.#unexpected('two hexadecimal digits or "]"');
      }
    }
  }

  #unexpected(expected: string): Error {
    return this.#lexer.unexpected(expected);
  }
}
