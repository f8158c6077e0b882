// SPDX-License-Identifier: Apache-2.0
import type { Handover } from '../handover.js';
import type { HandoverIssue } from '../handover-issue.js';
import type { KernelEffect, Tell } from './rule.js';

/** What the kernel does about an issue; `undefined` for what it does where the rule does not hold. */
export type EffectOf = (issue: HandoverIssue) => KernelEffect | undefined;

/** Tells what was found wrong while the handover was read, as far as it is a rule's. */
export function tellIssues(issues: Iterable<HandoverIssue>, tell: Tell, effectOf?: EffectOf): void {
  for (const issue of issues) {
    const { message, path, address, otherAddress } = issue;
    const effect = effectOf?.(issue);
    tell(message, { path, address, other: otherAddress }, effect === undefined ? {} : { effect });
  }
}

/** A rule's check that tells the issues which `isOwn` picks. */
export function issuesThat(
  isOwn: (issue: HandoverIssue, handover: Handover) => boolean,
  effectOf?: EffectOf,
): (handover: Handover, tell: Tell) => void {
  return (handover, tell) =>
    tellIssues(
      handover.issues.filter((issue) => isOwn(issue, handover)),
      tell,
      effectOf,
    );
}

/** Whether an issue is of a consumer's blob itself, not of what it leads to. */
export function isOfBlob({ part, consumer, path }: HandoverIssue): boolean {
  return part === 'consumer' && path === `/${consumer}`;
}

/** Whether a path leads to what a file of a session keeps. */
export function isFilePath(path: string): boolean {
  return /\.files(?:#\d+)?(?:\.files)?\[\d+\]\.data(?:[./]|$)/.test(path);
}

/** Whether an issue is of what a file of a session keeps. */
export function isOfFile({ part, consumer, path = '' }: HandoverIssue): boolean {
  return part === 'consumer' && consumer === 'LUO' && isFilePath(path);
}
