// SPDX-License-Identifier: Apache-2.0
// The API pages: typedoc's own, under the header of the site, with their symbols in its search.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asset } from './markdown.mjs';
import { root } from './pages.mjs';
import { headerOf, headOf } from './shell.mjs';

const text = (html) =>
  html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();

/** Runs typedoc, which fails where a public symbol has no documentation. */
export function makeApi(out) {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const options = [
    '--emit',
    'docs',
    '--html',
    join(out, 'api'),
    '--readme',
    join(import.meta.dirname, 'api.md'),
    '--name',
    'API',
  ];
  const more = ['--hideGenerator', '--logLevel', 'Warn', '--githubPages', 'false', '--cacheBust', 'false'];
  // Types are checked by npm run types.
  more.push('--skipErrorChecking');
  execFileSync(process.execPath, [typedoc, ...options, ...more], { cwd: root, stdio: 'inherit' });
}

/**
 * Puts the header of the site above typedoc's pages.
 *
 * @returns the entries of the search: a symbol, or a member of one
 */
export function frameApi(out, urls) {
  writeFileSync(join(out, 'assets', 'api.css'), asset('api.css'));
  const entries = [];
  for (const name of readdirSync(join(out, 'api'), { recursive: true })) {
    if (!name.endsWith('.html')) continue;
    const path = join(out, 'api', name);
    const url = `api/${name}`;
    const html = readFileSync(path, 'utf8');
    entries.push(...symbolsOf(html, url));
    const style = `${headOf(url)}\n<link rel="stylesheet" href="${'../'.repeat(url.split('/').length - 1)}assets/api.css">`;
    const framed = (name === 'index.html' ? linkModules(html) : html)
      // The site's search finds symbols too; typedoc's own script asks that the place of its index be there.
      .replace(/<script async src="[^"]*" (id="tsd-search-script")>/, '<script type="text/plain" $1>')
      // In a page that was opened as a file drawings come from the page itself, where icons.js puts them.
      .replace(/(<use href=")[^"#]*(#icon-)/g, '$1$2')
      .replace('</head>', () => `${style}</head>`)
      .replace('<header class="tsd-page-toolbar">', (old) => `${headerOf(url, urls)}${old}`);
    writeFileSync(path, framed);
  }
  return entries;
}

/** The table of sub-paths on the first page leads to their pages. */
const linkModules = (html) =>
  html.replace(
    /<td><code>kho-toolkit\/(\w+)<\/code>/g,
    '<td><a class="word" href="modules/$1.html">kho-toolkit/$1</a>',
  );

function symbolsOf(html, url) {
  const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html);
  if (heading === null || url === 'api/index.html' || url === 'api/hierarchy.html') return [];
  const [kind, ...rest] = text(heading[1]).split(' ');
  const name = (kind === 'Type' ? rest.slice(1) : rest).join(' ').replace(/[<(].*$/, '');
  const module = /^api\/\w+\/(\w+)\./.exec(url)?.[1] ?? name;
  const where = `API · kho-toolkit/${module} · ${kind === 'Type' ? 'type' : kind.toLowerCase()}`;
  const summary = text(/<div class="tsd-comment tsd-typography">([\s\S]*?)<\/div>/.exec(html)?.[1] ?? '');
  const entries = [{ url, title: name, where, names: name, text: summary }];
  for (const [, id, label] of html.matchAll(/<h3 class="tsd-anchor-link" id="([^"]+)">([\s\S]*?)<\/h3>/g)) {
    const member = text(label.replace(/<code class="tsd-tag">[\s\S]*?<\/code>/g, ''));
    if (
      !/^[\w$[\]]+$/.test(member) ||
      kind === 'Module' ||
      /^(constructors|accessors|methods|properties)$/i.test(id)
    )
      continue;
    entries.push({ url: `${url}#${id}`, title: `${name}.${member}`, where, names: member, text: '' });
  }
  return entries;
}
