// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../bytes/issue.js';

/**
 * What keeps a handover from being made:
 *
 * - `BAD_DESCRIPTION`: a member of the description has the wrong type or value, or is none
 * - `NO_ROOM`: there is not enough free memory, or a place that was asked for is taken
 * - `LIMIT`: more than the format of that kernel holds
 * - `LOSS`: the other kernel's formats cannot hold all of it
 * - `UNREADABLE`: the handover to start from is damaged, or of a form that cannot be re-encoded
 */
export type BuildErrorCode = 'BAD_DESCRIPTION' | 'NO_ROOM' | 'LIMIT' | 'LOSS' | 'UNREADABLE';

/** Thrown by everything that makes handovers; `path` names the member of the description. */
export class BuildError extends KhoError<BuildErrorCode> {
  declare readonly issue: Issue<BuildErrorCode>;
}

/** Makes the error for a member of a description. */
export function badDescription(path: string, expected: string, found: string): BuildError {
  return new BuildError({
    code: 'BAD_DESCRIPTION',
    message: `expected ${expected}, found ${found}`,
    path: path === '' ? '.' : path,
  });
}
