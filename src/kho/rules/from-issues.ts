// SPDX-License-Identifier: Apache-2.0
import type { Handover } from '../handover.js';
import type { HandoverIssue } from '../handover-issue.js';
import type { Tell } from './rule.js';

/** Tells what was found wrong while the handover was read, as far as it is a rule's. */
export function tellIssues(issues: Iterable<HandoverIssue>, tell: Tell): void {
  for (const { message, path, address, otherAddress } of issues)
    tell(message, { path, address, other: otherAddress });
}

/** A rule's check that tells the issues which `isOwn` picks. */
export function issuesThat(
  isOwn: (issue: HandoverIssue, handover: Handover) => boolean,
): (handover: Handover, tell: Tell) => void {
  return (handover, tell) =>
    tellIssues(
      handover.issues.filter((issue) => isOwn(issue, handover)),
      tell,
    );
}

/** Whether an issue is of a consumer's blob itself, not of what it leads to. */
export function isOfBlob({ part, consumer, path }: HandoverIssue): boolean {
  return part === 'consumer' && path === `/${consumer}`;
}

/** Whether an issue is of what a file of a session keeps. */
export function isOfFile({ part, consumer, path = '' }: HandoverIssue): boolean {
  return (
    part === 'consumer' &&
    consumer === 'LUO' &&
    /\.files(?:#\d+)?(?:\.files)?\[\d+\]\.data(?:[./]|$)/.test(path)
  );
}
