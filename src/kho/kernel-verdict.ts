// SPDX-License-Identifier: Apache-2.0
// What a real kernel made of a handover, as observed and not as predicted.

/**
 * What became of a handover, best first: `complete`, all came back as it was; `content-differs`, all came back and
 * something of it is not as it was, or more came back; `restored-with-errors`, files or regions did not come back;
 * `sessions-lost`; `ignored`, the kernel booted as if there were no handover; `panic`; `hang`.
 */
export type VerdictOutcome =
  | 'complete'
  | 'content-differs'
  | 'restored-with-errors'
  | 'sessions-lost'
  | 'ignored'
  | 'panic'
  | 'hang';

/** What kind of thing did not come back as it was. */
export type VerdictLossKind = 'sessions' | 'session' | 'file' | 'finish' | 'region' | 'content' | 'extra';

/** One thing that did not come back, or came back otherwise. */
export interface VerdictLoss {
  readonly kind: VerdictLossKind;
  /** What it is of: `session "vm", file 0x10`; safe to show. */
  readonly what: string;
  /** What was expected and what was found; safe to show. */
  readonly message: string;
  /** Whether the kernel gave no error. */
  readonly silent: boolean;
}

/** How many there should be, and how many came back as they were. */
export interface VerdictCount {
  readonly expected: number;
  readonly restored: number;
}

/** What a kernel made of a handover. */
export interface KernelVerdict {
  readonly outcome: VerdictOutcome;
  /** Whether something was lost and the kernel gave no error for any of it. */
  readonly silent: boolean;
  /** The kernel's last words, for `panic` and `hang`; safe to show. */
  readonly lastWords: readonly string[];
  readonly losses: readonly VerdictLoss[];
  readonly sessions: VerdictCount;
  readonly files: VerdictCount;
  readonly regions: VerdictCount;
  /** Names of the subtrees that the kernel found in the handover; safe to show. */
  readonly subtrees: readonly string[];
  /** Lines of the kernel's log that speak of the handover or of trouble; safe to show. */
  readonly remarks: readonly string[];
  /** Release of the kernel, if it came that far. */
  readonly release: string | undefined;
  /** Wall-clock time of the boot in seconds. */
  readonly seconds: number;
}
