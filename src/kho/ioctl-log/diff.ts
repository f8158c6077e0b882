// SPDX-License-Identifier: Apache-2.0
import { compareStates, type StateDifference } from './compare-states.js';
import type { IoctlLog } from './log.js';
import { type Replayed, replayLog } from './replay.js';

/** Two logs by what they leave behind. */
export interface LogDiff {
  /** None when both leave the same objects, up to ids. */
  readonly differences: readonly StateDifference[];
  /** What replaying each brought to light. */
  readonly left: Replayed;
  readonly right: Replayed;
}

/**
 * Compares the end states of two logs, such as one recorded before a live update with one that was driven after it.
 * Object ids may differ, and addresses of memory that the logs do not name; all else is told where it differs.
 */
export function diffLogs(left: IoctlLog, right: IoctlLog): LogDiff {
  const [before, after] = [replayLog(left), replayLog(right)];
  return { differences: compareStates(before.contexts, after.contexts), left: before, right: after };
}
