// SPDX-License-Identifier: Apache-2.0
// Declaring scalars, strings and runs of bytes.
import type {
  BitPart,
  BitsType,
  BytesType,
  CharsType,
  IntegerRules,
  IntegerType,
  PointerTarget,
  PointerType,
  ReservedType,
  TextType,
} from './type.js';

/** What may be said about an integer where it is declared. */
export interface IntegerOptions extends IntegerRules {
  readonly doc?: string;
  readonly unit?: string;
  /** true for a cell of a device tree; default false, native byte order. */
  readonly bigEndian?: boolean;
  readonly flags?: Readonly<Record<string, bigint>>;
  readonly names?: Readonly<Record<string, bigint>>;
}

function rulesOf(options: IntegerRules): IntegerRules {
  const { min, max, multipleOf, mask, oneOf } = options;
  return Object.freeze({ min, max, multipleOf, mask, oneOf });
}

function integer(bits: 8 | 16 | 32 | 64, signed: boolean, options: IntegerOptions): IntegerType<never> {
  const { doc, unit, flags, names, bigEndian = false } = options;
  return Object.freeze({
    kind: 'integer',
    bits,
    signed,
    bigEndian,
    doc,
    unit,
    flags,
    names,
    rules: rulesOf(options),
  });
}

/** Declares a `u8`. */
export const u8 = (options: IntegerOptions = {}): IntegerType<number> => integer(8, false, options);
/** Declares a `u16` of native byte order. */
export const u16 = (options: IntegerOptions = {}): IntegerType<number> => integer(16, false, options);
/** Declares a `u32` of native byte order. */
export const u32 = (options: IntegerOptions = {}): IntegerType<number> => integer(32, false, options);
/** Declares a `u64` of native byte order. */
export const u64 = (options: IntegerOptions = {}): IntegerType<bigint> => integer(64, false, options);
/** Declares an `int` (32 bits) of native byte order. */
export const s32 = (options: IntegerOptions = {}): IntegerType<number> => integer(32, true, options);

/** What may be said about a pointer where it is declared. */
export interface PointerOptions {
  readonly doc?: string;
  /** Whether 0 is allowed and means that there is nothing; default true. */
  readonly nullable?: boolean;
  /** Alignment in bytes that the address must have. */
  readonly align?: number;
  /** true for two cells of a device tree; default false, native byte order. */
  readonly bigEndian?: boolean;
  /** Names of low bits that are set in the address without being part of it. */
  readonly flags?: Readonly<Record<string, bigint>>;
}

/** Declares a physical address that leads to `target`. */
export function pointer(target: PointerTarget, options: PointerOptions = {}): PointerType {
  const { doc, nullable = true, align, flags, bigEndian = false } = options;
  const rules = rulesOf({
    multipleOf: align === undefined ? undefined : BigInt(align),
    min: nullable ? undefined : 1n,
  });
  return Object.freeze({
    kind: 'pointer',
    bits: 64,
    bigEndian,
    target: Object.freeze(target),
    nullable,
    flags,
    doc,
    rules,
  });
}

/** Declares the pointer of a linked list to the next instance of the struct it is in; 0 ends the list. */
export const link = (options: PointerOptions = {}): PointerType => pointer({ to: 'self' }, options);

/** What may be said about a bit field where it is declared. */
export interface BitPartOptions extends IntegerRules {
  readonly doc?: string;
  readonly flags?: Readonly<Record<string, bigint>>;
}

/** Declares one bit field of `width` bits. */
export function part<W extends number>(
  width: W,
  options: BitPartOptions = {},
): BitPart & { readonly width: W } {
  const { doc, flags } = options;
  return Object.freeze({ width, doc, flags, rules: rulesOf(options) });
}

/** Widths above 53 bits, whose values are bigint. */
type Wide = 54 | 55 | 56 | 57 | 58 | 59 | 60 | 61 | 62 | 63 | 64;

/**
 * Declares bit fields in one integer of native byte order, lowest bits first.
 *
 * @throws TypeError when the widths do not add up to `bits`
 */
export function bits<const P extends Readonly<Record<string, BitPart>>>(
  size: 8 | 16 | 32 | 64,
  parts: P,
  doc?: string,
): BitsType<{ readonly [K in keyof P]: P[K]['width'] extends Wide ? bigint : number }> {
  const total = Object.values(parts).reduce((sum, { width }) => sum + width, 0);
  if (total !== size) throw new TypeError(`bit fields of ${total} bits in an integer of ${size}`);
  return Object.freeze({ kind: 'bits', bits: size, parts: Object.freeze(parts), doc });
}

/** What may be said about a character array where it is declared. */
export interface CharsOptions {
  readonly doc?: string;
  /** Whether at least one NUL must follow the text; default true. */
  readonly terminated?: boolean;
  readonly nonEmpty?: boolean;
  readonly constant?: string;
}

/** Declares `char[length]`, padded with NULs. */
export function chars(length: number, options: CharsOptions = {}): CharsType {
  const { doc, terminated = true, nonEmpty = false, constant } = options;
  return Object.freeze({ kind: 'chars', length, terminated, nonEmpty, constant, doc });
}

/** Declares a NUL-terminated string that takes a whole FDT property. */
export function text(options: { readonly doc?: string; readonly includes?: string } = {}): TextType {
  const { doc, includes } = options;
  return Object.freeze({ kind: 'text', doc, includes });
}

/** Declares bytes without a meaning of their own, or all that are left. */
export function bytes(length: number | 'rest', doc?: string): BytesType {
  return Object.freeze({ kind: 'bytes', length, doc });
}

/** Declares reserved bytes or padding, which must be zero. */
export function reserved(length: number | 'rest', doc?: string): ReservedType {
  return Object.freeze({ kind: 'reserved', length, mustBeZero: true, doc });
}

/** Declares bytes that nobody reads, whatever is in them: what is left of a page. */
export function unused(length: number | 'rest', doc?: string): ReservedType {
  return Object.freeze({ kind: 'reserved', length, mustBeZero: false, doc });
}
