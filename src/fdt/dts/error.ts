// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../../bytes/issue.js';
import { decodeLatin1 } from '../../bytes/latin1.js';
import { escapeText } from '../../bytes/printable.js';

/**
 * What can be wrong with a devicetree source:
 *
 * - `SYNTAX`: another token was expected here
 * - `LITERAL`: a malformed number, character or string escape
 * - `RANGE`: a number that does not fit where it stands
 * - `UNSUPPORTED`: a part of the language that is left out on purpose (see `parseDts`)
 * - `REFERENCE`: a label or path that leads to no node
 * - `DUPLICATE_LABEL`, `DUPLICATE_PROPERTY`, `DUPLICATE_NODE`: a second one of a name
 * - `BAD_NAME`: a character that a node or property name must not have
 * - `NAME_PROPERTY`: a `name` property that differs from the node's name
 * - `PHANDLE`: a phandle that is malformed, zero or taken
 * - `LIMIT`: more than can be represented
 */
export type DtsErrorCode =
  | 'SYNTAX'
  | 'LITERAL'
  | 'RANGE'
  | 'UNSUPPORTED'
  | 'REFERENCE'
  | 'DUPLICATE_LABEL'
  | 'DUPLICATE_PROPERTY'
  | 'DUPLICATE_NODE'
  | 'BAD_NAME'
  | 'NAME_PROPERTY'
  | 'PHANDLE'
  | 'LIMIT';

/** What is wrong with a source, and where. */
export interface DtsIssue extends Issue<DtsErrorCode> {
  /** 1 for the first line. */
  readonly line: number;
  /** In bytes, 1 for the first of the line; a tab counts as one. */
  readonly column: number;
  /** What would have been right, where that is one thing. */
  readonly expected?: string | undefined;
  /** What was there. */
  readonly found?: string | undefined;
  /** The text from there to the end of the line, at most 40 bytes, control characters escaped. */
  readonly excerpt: string;
}

/** Thrown for a devicetree source that dtc would reject, and for what {@link DtsErrorCode} calls unsupported. */
export class DtsError extends KhoError<DtsErrorCode> {
  declare readonly issue: DtsIssue;

  constructor(issue: DtsIssue, options?: ErrorOptions) {
    super(issue, options);
  }

  /** 1 for the first line. */
  get line(): number {
    return this.issue.line;
  }

  /** In bytes, 1 for the first of the line. */
  get column(): number {
    return this.issue.column;
  }
}

/** What a {@link DtsError} says beside the place. */
export interface DtsComplaint {
  readonly code: DtsErrorCode;
  readonly message: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

const EXCERPT = 40;
const NEWLINE = 0x0a;

/** An error at byte `offset` of `source`. */
export function dtsErrorAt(source: Uint8Array, offset: number, complaint: DtsComplaint): DtsError {
  let line = 1;
  let start = 0;
  for (let at = source.indexOf(NEWLINE); at >= 0 && at < offset; at = source.indexOf(NEWLINE, at + 1)) {
    line++;
    start = at + 1;
  }
  const newline = source.indexOf(NEWLINE, offset);
  const end = Math.min(newline < 0 ? source.length : newline, offset + EXCERPT);
  const column = offset - start + 1;
  const excerpt = escapeText(decodeLatin1(source, offset, end));
  const near = excerpt === '' ? '' : `, at: ${excerpt}`;
  return new DtsError({
    ...complaint,
    message: `${complaint.message}${near}`,
    path: `${line}:${column}`,
    line,
    column,
    excerpt,
  });
}
