// SPDX-License-Identifier: Apache-2.0
import type { TryResult } from '../../src/try/index.js';

/** One boot, and whether the kernel did what it should. */
export interface Judged {
  readonly name: string;
  readonly what: string;
  readonly good: boolean;
  readonly result: TryResult;
}
