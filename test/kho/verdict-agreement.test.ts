// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { VerdictOutcome } from '../../src/kho/index.js';
import type { KernelEffect } from '../../src/kho/rules/rule.js';
import { type Agreement, agreementOf } from '../../src/kho/verdict-agreement.js';

/** What was seen in real boots of damaged handovers (docs/kernel-findings.md), and what had been predicted. */
const SEEN: readonly (readonly [KernelEffect, VerdictOutcome, boolean, Agreement])[] = [
  ['plain-boot', 'ignored', false, 'agrees'],
  ['panic', 'panic', false, 'agrees'],
  ['oops', 'panic', false, 'agrees'],
  ['hang', 'hang', false, 'agrees'],
  ['hang', 'panic', false, 'disagrees'],
  ['oops', 'hang', false, 'agrees'],
  ['panic', 'complete', false, 'disagrees'],
  ['open-fails', 'sessions-lost', false, 'agrees'],
  ['open-fails', 'sessions-lost', true, 'disagrees'],
  ['file-fails', 'restored-with-errors', false, 'agrees'],
  ['file-fails', 'restored-with-errors', true, 'disagrees'],
  ['file-fails', 'complete', false, 'disagrees'],
  ['silent', 'sessions-lost', true, 'agrees'],
  ['silent', 'content-differs', true, 'agrees'],
  ['silent', 'complete', false, 'unseen'],
  ['silent', 'panic', false, 'disagrees'],
  ['corrupt', 'content-differs', true, 'agrees'],
  ['corrupt', 'panic', false, 'agrees'],
  ['corrupt', 'complete', false, 'unseen'],
  ['none', 'complete', false, 'agrees'],
  ['none', 'panic', false, 'disagrees'],
];

it.each(SEEN)('%s predicted, %s seen (silent: %s): %s', (effect, outcome, silent, agreement) => {
  expect(agreementOf(effect, { outcome, silent })).toBe(agreement);
});
