// SPDX-License-Identifier: Apache-2.0
// What the command and the thread that fuzzes say to each other.
import type { Finding, LoopState } from './loop.js';

/** In place of an input's length: many that were run are compared with another program, however long it takes. */
export const COMPARING = -1;

/** What a thread is to do. */
export interface Work {
  readonly target: string;
  readonly seed: number;
  readonly runs: number;
  readonly minutes: number | undefined;
  readonly corpus: readonly Uint8Array[];
  /** Whether to make the corpus small in the end. */
  readonly save: boolean;
  /** Inputs begun, bytes of the current one or {@link COMPARING}, and its bytes. */
  readonly shared: SharedArrayBuffer;
}

/** What a thread says. */
export type WorkerReport =
  | { readonly kind: 'finding'; readonly finding: Finding }
  /** `ended`: no more inputs are run, what follows takes its time. */
  | { readonly kind: 'progress' | 'ended'; readonly state: LoopState }
  | {
      readonly kind: 'done';
      readonly state: LoopState;
      readonly corpus: readonly Uint8Array[] | undefined;
    };

/** The work in what a thread was started with. */
export function readWork(data: Work): Work {
  return data;
}
