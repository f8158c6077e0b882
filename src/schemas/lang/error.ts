// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../../bytes/issue.js';

/**
 * What can be wrong with bytes or values of a layout:
 * TRUNCATED, fewer bytes than the layout needs; BAD_LENGTH, another number of bytes than it needs; BAD_VALUE, a value
 * rule is broken; NOT_ZERO, reserved bytes are in use; BAD_COUNT, a count and what it counts differ; MISSING and
 * UNKNOWN, a property or node; BAD_NAME, a node's name; BAD_TYPE, a value to encode has the wrong type; ABSENT, a
 * pointer leads to memory that is not there; LOOP, a pointer leads back; LIMIT, more than the limits allow;
 * NO_LAYOUT, nothing registered fits.
 */
export type SchemaErrorCode =
  | 'TRUNCATED'
  | 'BAD_LENGTH'
  | 'BAD_VALUE'
  | 'NOT_ZERO'
  | 'BAD_COUNT'
  | 'MISSING'
  | 'UNKNOWN'
  | 'BAD_NAME'
  | 'BAD_TYPE'
  | 'ABSENT'
  | 'LOOP'
  | 'LIMIT'
  | 'NO_LAYOUT';

/** One thing wrong, with what was expected and found apart. */
export interface SchemaIssue extends Issue<SchemaErrorCode> {
  readonly expected: string;
  readonly found: string;
}

/** Where something lies: offset in the blob, path of names, and the blob's physical address where it is known. */
export interface Place {
  readonly offset: number;
  readonly path: string;
  /** Physical address of the blob's first byte. */
  readonly base?: bigint | undefined;
}

/** Thrown for bytes that do not fit their layout, and for values that cannot be encoded. */
export class SchemaError extends KhoError<SchemaErrorCode> {
  declare readonly issue: SchemaIssue;
}

/** Makes an issue whose message says what was expected and what was found. */
export function issueAt(place: Place, code: SchemaErrorCode, expected: string, found: string): SchemaIssue {
  const { offset, path, base } = place;
  return {
    code,
    message: `expected ${expected}, found ${found}`,
    expected,
    found,
    offset,
    path: path === '' ? undefined : path,
    address: base === undefined ? undefined : base + BigInt(offset),
  };
}

/** The same as an error to be thrown. */
export function failAt(place: Place, code: SchemaErrorCode, expected: string, found: string): SchemaError {
  return new SchemaError(issueAt(place, code, expected, found));
}
