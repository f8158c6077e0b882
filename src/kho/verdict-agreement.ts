// SPDX-License-Identifier: Apache-2.0
import type { KernelVerdict } from './kernel-verdict.js';
import type { KernelEffect } from './rules/rule.js';

/**
 * How a prediction fares: `agrees`; `unseen`, it says that nothing would tell, and nothing did that was looked at;
 * `disagrees`.
 */
export type Agreement = 'agrees' | 'unseen' | 'disagrees';

type Seen = Pick<KernelVerdict, 'outcome' | 'silent'>;

/** Whether a kernel did what a prediction says. */
export function agreementOf(effect: KernelEffect, seen: Seen): Agreement {
  if (AGREES[effect](seen)) return 'agrees';
  return (effect === 'silent' || effect === 'corrupt') && seen.outcome === 'complete'
    ? 'unseen'
    : 'disagrees';
}

const AGREES: Readonly<Record<KernelEffect, (seen: Seen) => boolean>> = {
  'plain-boot': ({ outcome }) => outcome === 'ignored',
  panic: ({ outcome }) => outcome === 'panic',
  // A kernel that dies before it has a console looks as if it hung.
  oops: ({ outcome }) => outcome === 'panic' || outcome === 'hang',
  hang: ({ outcome }) => outcome === 'hang',
  'open-fails': ({ outcome, silent }) => outcome === 'sessions-lost' && !silent,
  'file-fails': ({ outcome, silent }) => outcome === 'restored-with-errors' && !silent,
  silent: ({ silent }) => silent,
  // Memory that is used twice may show in any way.
  corrupt: ({ outcome }) => outcome !== 'complete',
  none: ({ outcome }) => outcome === 'complete',
};
