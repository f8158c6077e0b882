// SPDX-License-Identifier: Apache-2.0
// The rule reference in docs/verify.md is made from the table of rules (KHO_RECORD=1 makes it anew).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RULES, type Rule, type RuleFamily } from '../../src/kho/index.js';
import { FACTS } from '../../src/kho/rules/facts.js';
import { EFFECT_TEXT } from '../../src/render/verify-text.js';

const path = join(import.meta.dirname, '..', '..', 'docs', 'verify.md');
const MARK = '<!-- rules: made from src/kho/rules by KHO_RECORD=1 npx vitest run test/docs/verify -->\n';

const FAMILIES: Readonly<Record<RuleFamily, string>> = {
  container: 'The root and the blobs',
  'preserved-map': 'The map of preserved memory',
  reachable: 'What is reached is preserved, and what is preserved is reached',
  ioas: 'Address spaces and page tables',
  'rfc-mem': 'The lists of the RFC of 2024',
  luo: 'Sessions, files, memfds',
};

const plain = (text: string): string => text.replaceAll('<', '\\<');

function section({ id, severity, title, why, effect, needs, source }: Rule): string {
  const needed = needs.length === 0 ? '' : ` Needs: ${needs.map((need) => FACTS[need].title).join('; ')}.`;
  return `### ${id}\n\n${plain(title)}. *${severity}*\n\n${plain(why)} Where it does not hold: ${EFFECT_TEXT[effect]}.${needed}\nSource: ${plain(source)}.\n`;
}

const reference = Object.entries(FAMILIES)
  .map(
    ([family, title]) =>
      `## ${title}\n\n${RULES.filter((rule) => rule.family === family)
        .map(section)
        .join('\n')}`,
  )
  .join('\n');

describe('docs/verify.md', () => {
  it('has the rules of the table', () => {
    const [prose = ''] = readFileSync(path, 'utf8').split(MARK);
    const page = `${prose}${MARK}\n${reference}`;
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, page);
    expect(readFileSync(path, 'utf8')).toBe(page);
  });

  it('knows every family', () => {
    expect(RULES.filter(({ family }) => FAMILIES[family] === undefined)).toEqual([]);
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });
});
