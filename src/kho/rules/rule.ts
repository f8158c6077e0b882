// SPDX-License-Identifier: Apache-2.0
import type { Handover } from '../handover.js';
import type { FactName, Facts } from './facts.js';

/** How bad a finding is: `error`, state is lost or the next kernel fails; `warning`, it may be; `note`, worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

/**
 * What the next kernel does, from Linux 7.2 and 7.3 that were given damaged handovers: `plain-boot`, it ignores the
 * handover; `panic`, and `oops`, it does not come up; `hang`, neither; `open-fails`, /dev/liveupdate cannot be opened and
 * all sessions are lost; `file-fails`, one file cannot be retrieved; `silent`, something is lost or wrong and nothing says
 * so; `corrupt`, memory is used again while somebody relies on it; `none`, it goes on as if nothing were.
 */
export type KernelEffect =
  | 'plain-boot'
  | 'panic'
  | 'oops'
  | 'hang'
  | 'open-fails'
  | 'file-fails'
  | 'silent'
  | 'corrupt'
  | 'none';

/** Where a finding is. */
export interface FindingPlace {
  /** Names and positions of fields that lead there. */
  readonly path?: string | undefined;
  /** Physical address of what is wrong. */
  readonly address?: bigint | undefined;
  /** Physical address of the other thing, where two disagree: what points there, or what lies there already. */
  readonly other?: bigint | undefined;
}

/** A rule that fired. */
export interface Finding {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: Severity;
  /** One sentence: what was expected and what was found. Text from the handover in it is not escaped. */
  readonly message: string;
  readonly at: FindingPlace;
  /** What the next kernel does. */
  readonly effect: KernelEffect;
}

/** Tells a finding. */
export type Tell = (
  message: string,
  at: FindingPlace,
  differing?: { readonly severity?: Severity; readonly effect?: KernelEffect },
) => void;

/** The families of rules. */
export type RuleFamily = 'container' | 'reachable' | 'preserved-map' | 'ioas' | 'rfc-mem' | 'luo';

/** A rule: what must hold of a handover. It sees the handover and its reach, never bytes. */
export interface Rule {
  /** Short and stable: what users write to choose or leave out a rule. */
  readonly id: string;
  readonly family: RuleFamily;
  /** Of a finding, unless the finding says otherwise. */
  readonly severity: Severity;
  /** What must hold, as a statement. */
  readonly title: string;
  /** Why it matters, a sentence or two. */
  readonly why: string;
  /** Kernel file and release, or reference, that the rule is taken from. */
  readonly source: string;
  /** What the next kernel does where it does not hold, unless the finding says otherwise. */
  readonly effect: KernelEffect;
  /** What must be known or sound for the rule to make sense; else it is passed over, and that is told. */
  readonly needs: readonly FactName[];
  /** Tells every place where the rule does not hold. */
  readonly check: (handover: Handover, tell: Tell, facts: Facts) => void;
}
