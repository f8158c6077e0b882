// SPDX-License-Identifier: Apache-2.0
// npm run docs: the site in build/site, of guide, pages, reference, commands and API. It works as files, without a server.
// Options: --out FOLDER; --no-api leaves the API out, which takes most of the time.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { frameApi, makeApi } from './api.mjs';
import { commandPages } from './commands.mjs';
import { deadLinks } from './links.mjs';
import { asset, renderMarkdown } from './markdown.mjs';
import { readPages, root } from './pages.mjs';
import { entriesOf, searchEngine, searchScript } from './search-index.mjs';
import { pageHtml } from './shell.mjs';
import { withVersions } from './versions.mjs';

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'build/site' }, api: { type: 'boolean', default: true } },
  allowNegative: true,
});
const out = resolve(root, values.out);
rmSync(out, { recursive: true, force: true });

function write(url, text) {
  mkdirSync(dirname(join(out, url)), { recursive: true });
  writeFileSync(join(out, url), text);
}

const pages = withVersions([...readPages(), ...(await commandPages())]);
const site = {
  out,
  urls: new Map(pages.map(({ source, url }) => [source, url])),
  titles: new Map(pages.map(({ source, title }) => [source, title])),
};
const urls = new Set(pages.map(({ url }) => url));
if (values.api) urls.add('api/index.html');

const entries = [];
for (const page of pages) {
  const { html, headings, sections } = renderMarkdown(page, site);
  write(page.url, pageHtml(page, html, headings, pages, urls));
  entries.push(...entriesOf(page, sections));
}
for (const name of ['site.css', 'site.js', 'tokenize.js']) write(`assets/${name}`, asset(name));
write('assets/minisearch.js', searchEngine());
if (values.api) {
  makeApi(out);
  entries.push(...frameApi(out, urls));
}
const script = searchScript(entries);
write('assets/search-index.js', script);

const { pages: count, faults } = deadLinks(out);
for (const fault of faults) console.error(fault);
console.log(
  `${values.out}: ${count} pages, ${entries.length} entries in the search (${Math.round(script.length / 1024)} KiB), ${faults.length} dead links`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
