// SPDX-License-Identifier: Apache-2.0
import { KhoError } from '../bytes/issue.js';

/**
 * What keeps a table from being looked at:
 *
 * - `BAD_ARGUMENT`: a number of levels, address or device that cannot be
 * - `NOT_THERE`: a table or entry that is asked for is not present, or not in the image
 * - `BAD_TABLE`: an entry on the way holds a reserved value
 * - `TOO_MANY`: more mappings than a result can hold
 */
export type WalkErrorCode = 'BAD_ARGUMENT' | 'NOT_THERE' | 'BAD_TABLE' | 'TOO_MANY';

/** Thrown where there is nothing to go on with; what is wrong further down comes as findings. */
export class WalkError extends KhoError<WalkErrorCode> {}
