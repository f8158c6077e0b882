// SPDX-License-Identifier: Apache-2.0
import { formatHex } from './hex.js';
import { escapeText } from './printable.js';

/**
 * One thing that is wrong with the input: what was expected, what was found, and where.
 *
 * `offset` counts bytes from the start of the blob or file, `path` names a node or field,
 * `address` is a physical address. Each is left out where it means nothing.
 */
export interface Issue<Code extends string = string> {
  readonly code: Code;
  /** One sentence: what was expected and what was found. */
  readonly message: string;
  readonly offset?: number | undefined;
  readonly path?: string | undefined;
  readonly address?: bigint | undefined;
}

/** An issue as one line: `0x1c8 /luo/session: TRUNCATED: need 16 bytes, 4 left`, control characters escaped. */
export function formatIssue(issue: Issue): string {
  const places: string[] = [];
  if (issue.offset !== undefined) places.push(formatHex(issue.offset));
  if (issue.address !== undefined) places.push(`pa ${formatHex(issue.address)}`);
  if (issue.path !== undefined) places.push(issue.path);
  const where = places.length > 0 ? `${places.join(' ')}: ` : '';
  return escapeText(`${where}${issue.code}: ${issue.message}`);
}

/** The base of every error this package throws on bad input; each floor has its own subclass and closed set of codes. */
export class KhoError<Code extends string = string> extends Error {
  /** What was wrong, and where, as data. `message` is the same as one line of text. */
  readonly issue: Issue<Code>;

  constructor(issue: Issue<Code>, options?: ErrorOptions) {
    super(formatIssue(issue), options);
    this.name = new.target.name;
    this.issue = issue;
  }

  /** The closed-set code of what went wrong. */
  get code(): Code {
    return this.issue.code;
  }
}
