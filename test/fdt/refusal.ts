// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';
import type { FdtErrorCode } from '../../src/fdt/index.js';

/** What `toThrow` is given to expect an error with `code`. */
export function refusal(code: FdtErrorCode): unknown {
  return expect.objectContaining({ code });
}
