// SPDX-License-Identifier: Apache-2.0

/**
 * How a boot came to its end: `done`, init said all; `reset`, the machine started again without that; `panic`, the kernel
 * stopped; `silence`, nothing more was heard for too long; `flood`, it would not stop talking.
 */
export type GuestEnd = 'done' | 'reset' | 'panic' | 'silence' | 'flood';

/** A boot that is over. */
export interface GuestRun {
  readonly end: GuestEnd;
  /** What the kernel printed. */
  readonly console: string;
  /** What init said. */
  readonly report: string;
  /** Wall-clock time in seconds. */
  readonly seconds: number;
}
