// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import type { IntegerRules } from './type.js';

/** The rules for an integer, each in words. */
export function ruleTexts({ min, max, multipleOf, mask, oneOf }: IntegerRules): string[] {
  const texts: string[] = [];
  if (min !== undefined) texts.push(`at least ${min}`);
  if (max !== undefined) texts.push(`at most ${max}`);
  if (multipleOf !== undefined) texts.push(`a multiple of ${formatHex(multipleOf)}`);
  if (mask !== undefined) texts.push(mask === 0n ? 'zero' : `no bits but ${formatHex(mask)}`);
  if (oneOf !== undefined) texts.push(oneOf.length === 1 ? `${oneOf[0]}` : `one of ${oneOf.join(', ')}`);
  return texts;
}

/** The rules that `value` breaks, each in words. */
export function brokenRules(rules: IntegerRules, value: bigint): string[] {
  const { min, max, multipleOf, mask, oneOf } = rules;
  const broken: string[] = [];
  if (min !== undefined && value < min) broken.push(...ruleTexts({ min }));
  if (max !== undefined && value > max) broken.push(...ruleTexts({ max }));
  if (multipleOf !== undefined && value % multipleOf !== 0n) broken.push(...ruleTexts({ multipleOf }));
  if (mask !== undefined && (value & ~mask) !== 0n) broken.push(...ruleTexts({ mask }));
  if (oneOf !== undefined && !oneOf.includes(value)) broken.push(...ruleTexts({ oneOf }));
  return broken;
}
