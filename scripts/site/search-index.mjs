// SPDX-License-Identifier: Apache-2.0
// The index of the search, as a classic script: a page that was opened as a file may load scripts and nothing else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import MiniSearch from 'minisearch';
import './assets/tokenize.js';
import { root } from './pages.mjs';

const OPTIONS = { fields: ['title', 'names', 'text'], storeFields: ['url', 'title', 'where'] };

/** The sections of a page as entries of the index. */
export function entriesOf(page, sections) {
  return sections.map(({ id, title, names, text, where }) => ({
    url: id === '' ? page.url : `${page.url}#${id}`,
    title,
    where: `${page.group}${title === page.title ? '' : ` · ${where ?? page.title}`}`,
    names: names.join(' '),
    text: text.join(' '),
  }));
}

/** The script that holds the index of some entries. */
export function searchScript(entries) {
  const processTerm = (term) => (term.length > 48 ? null : term.toLowerCase());
  const engine = new MiniSearch({ ...OPTIONS, tokenize: globalThis.KHO_TOKENIZE, processTerm });
  engine.addAll(entries.map((entry, id) => ({ id, ...entry })));
  return `window.KHO_SEARCH = ${JSON.stringify({ options: OPTIONS, index: engine })};\n`;
}

/** The search engine for browsers. */
export const searchEngine = () =>
  readFileSync(join(root, 'node_modules', 'minisearch', 'dist', 'umd', 'index.js'), 'utf8').replace(
    /^\/\/# sourceMappingURL=.*$/m,
    '',
  );
