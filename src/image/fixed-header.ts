// SPDX-License-Identifier: Apache-2.0
import { Parser } from 'binary-parser/dist/binary_parser.js';
import type { ByteSource } from './byte-source.js';
import { ImageError } from './error.js';

const WIDTHS = { uint8: 1, uint16: 2, uint32: 4, int32: 4, uint64: 8, int64: 8 } as const;

type FieldType = keyof typeof WIDTHS;

/** Fields by name: byte offset in the header, and type. In ascending order of offset. */
export type HeaderFields = Readonly<Record<string, readonly [offset: number, type: FieldType]>>;

/** What reading a header of such fields gives: bigint for 64-bit fields, number for the rest. */
export type HeaderValues<Fields extends HeaderFields> = {
  readonly [Name in keyof Fields]: Fields[Name][1] extends 'uint64' | 'int64' ? bigint : number;
};

/** A header of fixed layout, declared as data and decoded by a binary-parser `Parser` generated from it. */
export class FixedHeader<const Fields extends HeaderFields> {
  readonly name: string;
  readonly size: number;
  readonly #parser: Parser;

  /**
   * @param name how errors call it
   * @param size bytes that must be there
   */
  constructor(name: string, size: number, endian: 'little' | 'big', fields: Fields) {
    this.name = name;
    this.size = size;
    const parser = new Parser().endianness(endian);
    let at = 0;
    for (const [field, [offset, type]] of Object.entries(fields)) {
      if (offset > at) parser.seek(offset - at);
      parser[type](field);
      at = offset + WIDTHS[type];
    }
    this.#parser = parser;
  }

  /** @throws ImageError TRUNCATED with the header's name when the file ends within it */
  read(source: ByteSource, offset: number): HeaderValues<Fields> {
    if (offset + this.size > source.size) {
      throw new ImageError({
        code: 'TRUNCATED',
        message: `${this.name}: need ${this.size} bytes, ${Math.max(0, source.size - offset)} left`,
        offset,
      });
    }
    // Parser.parse is declared `any`; the fields it was made from above are those of the return type.
    const values: HeaderValues<Fields> = this.#parser.parse(source.view(offset, this.size));
    return values;
  }
}

/**
 * A 64-bit header field that must be a position or length in `source`, as a number.
 *
 * @throws ImageError BAD_HEADER when it is beyond any file
 */
export function fileOffset(value: bigint, what: string, headerOffset: number): number {
  if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new ImageError({
    code: 'BAD_HEADER',
    message: `${what} is ${value}, which no file can have`,
    offset: headerOffset,
  });
}
