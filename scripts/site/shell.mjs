// SPDX-License-Identifier: Apache-2.0
// What all pages have around their contents: header with search, navigation, list of sections, previous and next.
import { escapeHtml, relativeUrl } from './markdown.mjs';

const TOP_LINKS = [
  ['Guide', 'guide/what-kho-is.html'],
  ['Byte layouts', 'reference/index.html'],
  ['Commands', 'commands/index.html'],
  ['API', 'api/index.html'],
];

const baseOf = (url) => '../'.repeat(url.split('/').length - 1);

/** What goes into the `<head>` of each page, those of the API included. Sets the theme before the first paint. */
export function headOf(url) {
  const base = baseOf(url);
  return `<link rel="stylesheet" href="${base}assets/site.css">
<script src="${base}assets/tokenize.js"></script>
<script src="${base}assets/site.js" data-base="${base}"></script>`;
}

/** The header of each page. Places that the site lacks are left out. */
export function headerOf(url, urls) {
  const links = TOP_LINKS.filter(([, target]) => urls.has(target)).map(([text, target]) => {
    const current = url.split('/')[0] === target.split('/')[0] ? ' aria-current="true"' : '';
    return `<a href="${relativeUrl(url, target)}"${current}>${text}</a>`;
  });
  return `<header class="site-header">
<a class="brand" href="${relativeUrl(url, 'index.html')}">kho-toolkit</a>
<nav class="top-links" aria-label="Parts">${links.join('')}</nav>
<div class="search" role="search"><input type="search" placeholder="Search  ( / )" aria-label="Search" role="combobox" aria-expanded="false" aria-controls="search-results" autocomplete="off" spellcheck="false">
<ul class="search-results" id="search-results" role="listbox" hidden></ul></div>
<button type="button" title="Light, dark, or as the system says">Auto</button>
</header>`;
}

/** Pages of a family, as versions of one format, are shown where one of them is open. */
function navigation(page, pages) {
  const groups = new Map();
  for (const each of pages) {
    if (each.hidden && (page.family === undefined || each.family !== page.family)) continue;
    groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  }
  const parts = [...groups].map(([title, members]) => {
    const items = members.map((each) => {
      const current = each.url === page.url ? ' aria-current="page"' : '';
      const deeper = each.hidden ? ' class="deeper"' : '';
      return `<li${deeper}><a href="${relativeUrl(page.url, each.url)}"${current}>${escapeHtml(each.short)}</a></li>`;
    });
    return `<section><h2>${title}</h2><ul>\n${items.join('\n')}\n</ul></section>`;
  });
  return `<details class="site-nav" open><summary>All pages</summary><nav aria-label="Pages">${parts.join('\n')}</nav></details>`;
}

function contents(headings) {
  const shown = headings.filter(({ level }) => level === 2 || level === 3);
  if (shown.length < 2) return '<aside class="toc"></aside>';
  const deep = shown.length <= 40;
  const items = shown
    .filter(({ level }) => deep || level === 2)
    .map(({ level, id, text }) => {
      return `<li${level === 3 ? ' class="deeper"' : ''}><a href="#${id}">${escapeHtml(text)}</a></li>`;
    });
  return `<aside class="toc"><h2>On this page</h2><ul>\n${items.join('\n')}\n</ul></aside>`;
}

function pager(page, pages) {
  const shown = pages.filter(({ hidden }) => !hidden);
  const index = shown.findIndex(({ url }) => url === page.url);
  if (index === -1) return '';
  const link = (each, before, after) =>
    each === undefined
      ? '<span></span>'
      : `<a href="${relativeUrl(page.url, each.url)}">${before}${escapeHtml(each.short)}${after}</a>`;
  return `<nav class="pager" aria-label="Previous and next">${link(shown[index - 1], '← ', '')}${link(shown[index + 1], '', ' →')}</nav>`;
}

/** A whole page. */
export function pageHtml(page, body, headings, pages, urls) {
  const title = page.url === 'index.html' ? 'kho-toolkit' : `${page.title} · kho-toolkit`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
${headOf(page.url)}
</head>
<body class="site-body">
${headerOf(page.url, urls)}
<div class="columns">
${navigation(page, pages)}
<main class="content">
${body}${pager(page, pages)}
</main>
${contents(headings)}
</div>
</body>
</html>
`;
}
