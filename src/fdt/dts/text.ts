// SPDX-License-Identifier: Apache-2.0

/** How a value is written: dtc's three guesses. */
export type DtsValueKind = 'strings' | 'cells' | 'bytes';

/** Writing takes at most this many bytes of text for a byte of value, and {@link VALUE_OVERHEAD} around it. */
export const TEXT_PER_BYTE = 4;
export const VALUE_OVERHEAD = 16;

const HEX_DIGITS: Uint8Array = latin1Bytes('0123456789abcdef');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = 0x20;
const ZERO = 0x30;
const LETTER_X = 0x78;

/** What a byte of a string is written as: 0 not at all, 1 itself, otherwise a backslash and this character. */
const STRING_BYTES: Uint8Array = new Uint8Array(256);
STRING_BYTES.fill(1, 0x20, 0x7f);
STRING_BYTES[QUOTE] = QUOTE;
STRING_BYTES[BACKSLASH] = BACKSLASH;
STRING_BYTES.set(latin1Bytes('abtnvfr'), 0x07);

/** ASCII text as bytes. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * What dtc takes the bytes in `[start, end)`, at least one, for (`guess_value_type` in `treesource.c`, 1.6.1): strings
 * when they end in a NUL, are printable (or one of \a \b \t \n \v \f \r) and at most half NULs; else cells when their
 * number is a multiple of 4.
 */
export function guessValueKind(bytes: Uint8Array, start: number, end: number): DtsValueKind {
  const length = end - start;
  if (bytes[end - 1] === 0) {
    let nuls = 0;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0) nuls++;
      else if (STRING_BYTES[byte] === 0) break;
    }
    if (at === end && nuls <= length - nuls) return 'strings';
  }
  return (length & 3) === 0 ? 'cells' : 'bytes';
}

/**
 * A buffer for source text. The writing methods do not look for room: the caller does, so that it can hand over what
 * is full.
 */
export class DtsText {
  #buffer: Uint8Array<ArrayBuffer>;
  #at = 0;

  /** @param size - of the buffer in bytes */
  constructor(size: number) {
    this.#buffer = new Uint8Array(size);
  }

  /** Whether `length` bytes fit. */
  hasRoom(length: number): boolean {
    return this.#buffer.length - this.#at >= length;
  }

  /** What was written; writing goes on in a new buffer. */
  take(): Uint8Array<ArrayBuffer> {
    const full = this.#buffer.subarray(0, this.#at);
    this.#buffer = new Uint8Array(this.#buffer.length);
    this.#at = 0;
    return full;
  }

  byte(value: number): void {
    this.#buffer[this.#at++] = value;
  }

  /** `count` times the byte `value`. */
  repeat(value: number, count: number): void {
    const buffer = this.#buffer;
    const end = this.#at + count;
    for (let at = this.#at; at < end; at++) buffer[at] = value;
    this.#at = end;
  }

  /** The bytes in `[start, end)` of `source`, a few. */
  copy(source: Uint8Array, start = 0, end: number = source.length): void {
    const buffer = this.#buffer;
    let to = this.#at;
    for (let at = start; at < end; at++) buffer[to++] = source[at] ?? 0;
    this.#at = to;
  }

  /** What stands before the first byte of a value. */
  open(kind: DtsValueKind): void {
    this.byte(kind === 'strings' ? QUOTE : kind === 'cells' ? 0x3c : 0x5b);
  }

  /**
   * The part `[from, to)` of a value that ends at `end`; a part of cells begins and ends with one. What separates it
   * from the next part is written, what closes the value is too.
   */
  part(kind: DtsValueKind, bytes: Uint8Array, from: number, to: number, end: number): void {
    if (kind === 'strings') this.#strings(bytes, from, to, end);
    else if (kind === 'cells') this.#cells(bytes, from, to, end);
    else this.#bytes(bytes, from, to, end);
  }

  #strings(bytes: Uint8Array, from: number, to: number, end: number): void {
    const buffer = this.#buffer;
    let out = this.#at;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      const form = STRING_BYTES[byte] ?? 0;
      if (form === 1) {
        buffer[out++] = byte;
      } else if (byte !== 0) {
        buffer[out++] = BACKSLASH;
        buffer[out++] = form;
      } else {
        buffer[out++] = QUOTE;
        if (at + 1 < end) {
          buffer[out++] = COMMA;
          buffer[out++] = SPACE;
          buffer[out++] = QUOTE;
        }
      }
    }
    this.#at = out;
  }

  #cells(bytes: Uint8Array, from: number, to: number, end: number): void {
    const buffer = this.#buffer;
    let out = this.#at;
    for (let at = from; at < to; at += 4) {
      const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      const cell = (high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      buffer[out++] = ZERO;
      buffer[out++] = LETTER_X;
      // Two digits at least, as dtc has it.
      let shift = Math.max(4, (31 - Math.clz32(cell)) & ~3);
      for (; shift >= 0; shift -= 4) buffer[out++] = HEX_DIGITS[(cell >>> shift) & 15] ?? 0;
      buffer[out++] = at + 4 < end ? SPACE : 0x3e;
    }
    this.#at = out;
  }

  #bytes(bytes: Uint8Array, from: number, to: number, end: number): void {
    const buffer = this.#buffer;
    let out = this.#at;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      buffer[out++] = HEX_DIGITS[byte >> 4] ?? 0;
      buffer[out++] = HEX_DIGITS[byte & 15] ?? 0;
      buffer[out++] = at + 1 < end ? SPACE : 0x5d;
    }
    this.#at = out;
  }
}
