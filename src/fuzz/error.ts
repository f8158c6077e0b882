// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../bytes/issue.js';

/**
 * What keeps cases from being made: UNKNOWN_SCHEMA, no layout or kernel has this name; UNSUPPORTED, no whole handover can
 * be made with it; UNKNOWN_OPERATOR, no operator or family of operators has this name; BAD_REPRO, the text does not say
 * how a case was made, or another version made it; NOTHING_APPLIES, there is nothing that the operators could change.
 */
export type FuzzErrorCode =
  | 'UNKNOWN_SCHEMA'
  | 'UNSUPPORTED'
  | 'UNKNOWN_OPERATOR'
  | 'BAD_REPRO'
  | 'NOTHING_APPLIES';

/** Thrown by everything that makes cases. */
export class FuzzError extends KhoError<FuzzErrorCode> {
  declare readonly issue: Issue<FuzzErrorCode>;
}

/** Makes one. */
export function fuzzError(code: FuzzErrorCode, message: string): FuzzError {
  return new FuzzError({ code, message });
}
