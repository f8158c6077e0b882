// SPDX-License-Identifier: Apache-2.0
// The dark colours stand twice in a style sheet, for a system that is dark and for a reader who chose so: CSS cannot share
// them, and colours of the canvas are read from these properties, so that light-dark() would not do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it.each([
  [
    'src/report/page/report.css',
    ':root:not([data-theme="light"], [data-print])',
    ':root[data-theme="dark"]:not([data-print])',
  ],
  ['scripts/site/assets/site.css', ':root:not([data-theme="light"])', ':root[data-theme="dark"]'],
])('the dark colours of %s are the same, found or chosen', (file, found, chosen) => {
  const css = readFileSync(join(root, file), 'utf8');
  const colours = (selector: string): string[] => {
    const start = css.indexOf(`${selector} {`);
    const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
    return body.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  };
  expect(colours(found).length).toBeGreaterThan(5);
  expect(colours(chosen)).toEqual(colours(found));
});
