// SPDX-License-Identifier: Apache-2.0
import { KhoError } from '../bytes/issue.js';
import { verifyHandover } from '../kho/verify.js';
import { check } from '../schemas/lang/check.js';
import type { Layout } from '../schemas/lang/type.js';
import { readCore } from './core-pages.js';
import { openWithAreas } from './handover-bench.js';
import type { ExpectedOutcome } from './manifest.js';

/** The codes of all that is wrong with a blob, by its layout; none for a valid one. */
export function codesOf(layout: Layout, blob: Uint8Array): ReadonlySet<string> {
  try {
    return new Set(check(layout, blob).issues.map(({ code }) => code));
  } catch (error) {
    if (error instanceof KhoError) return new Set([error.code]);
    throw error;
  }
}

/** Whether a blob still deserves the verdict that a case is labelled with, for the same reasons. */
export function deserves({ verdict, rules }: ExpectedOutcome, layout: Layout, blob: Uint8Array): boolean {
  const codes = codesOf(layout, blob);
  return verdict === 'valid' ? codes.size === 0 : codes.size > 0 && rules.every((rule) => codes.has(rule));
}

/**
 * Whether a memory image does: by what `kho verify` says of it.
 *
 * @param areas - description of address spaces, as parsed JSON
 */
export function deservesAsImage(
  { verdict, rules }: ExpectedOutcome,
  image: Uint8Array,
  areas: unknown,
): boolean {
  try {
    const core = readCore(image);
    if (core === undefined) return false;
    const { counts, findings } = verifyHandover(openWithAreas(core.memory, areas), { maxPerRule: 1 });
    const isSound = findings.every(({ severity }) => severity === 'note');
    return verdict === 'valid' ? isSound : !isSound && rules.every((rule) => counts.has(rule));
  } catch (error) {
    if (error instanceof KhoError) return false;
    throw error;
  }
}
