// SPDX-License-Identifier: Apache-2.0
// All rules. Adding a rule is one entry in the list of its family.
import { containerRules } from './container.js';
import { contextRules } from './contexts.js';
import { domainRules } from './domains.js';
import { ioasRules } from './ioas.js';
import { luoRules } from './luo.js';
import { memfdRules } from './memfd.js';
import { preservedMapRules } from './preserved-map.js';
import { reachableRules } from './reachable.js';
import { rfcMemRules } from './rfc-mem.js';
import type { Rule } from './rule.js';

/** Every rule, by family. */
export const RULES: readonly Rule[] = Object.freeze([
  ...containerRules,
  ...preservedMapRules,
  ...reachableRules,
  ...ioasRules,
  ...domainRules,
  ...contextRules,
  ...rfcMemRules,
  ...luoRules,
  ...memfdRules,
]);

/** The rule of this id. */
export function ruleOf(id: string): Rule | undefined {
  return RULES.find((rule) => rule.id === id);
}
