// SPDX-License-Identifier: Apache-2.0
import type { KernelFile } from '../../src/try/index.js';
import { bootWith, makeDescribed } from './boot-described.js';
import { DESCRIBED } from './descriptions.js';
import type { Judged } from './judged.js';

/** What a kernel says that does not like something, and goes on. */
const WARNING = /WARNING: |BUG: |Bad page state|refcount_t/;

/** Gives handovers made from descriptions to a kernel, which should restore all of them. */
export async function* judgeEncoders(kernel: KernelFile, only?: readonly string[]): AsyncGenerator<Judged> {
  for (const { name, what, description, memory } of DESCRIBED) {
    if (only !== undefined && !only.includes(name)) continue;
    const made = makeDescribed(description);
    const result = await bootWith(made.built.memory, kernel, made, { memory });
    yield { name, what, good: result.outcome === 'complete' && !WARNING.test(result.console), result };
  }
}
