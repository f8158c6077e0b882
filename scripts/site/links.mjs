// SPDX-License-Identifier: Apache-2.0
// Every link of the site leads somewhere: to a file that is there, and to an anchor that it has. Nothing is loaded from
// elsewhere.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

const unescapeHtml = (text) =>
  text
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');

/** What a page links to and loads, and the anchors that it has. */
export function linksOf(html) {
  const bare = html.replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, (whole) =>
    whole.slice(0, whole.indexOf('>') + 1),
  );
  const ids = new Set();
  const links = [];
  for (const [tag] of bare.matchAll(/<[a-zA-Z][^>]*>/g)) {
    for (const [, name, value] of tag.matchAll(/\s(href|src|id|name)="([^"]*)"/g)) {
      if (name === 'id' || name === 'name') ids.add(unescapeHtml(value));
      else links.push({ element: /^<([a-zA-Z]+)/.exec(tag)?.[1] ?? '', target: unescapeHtml(value) });
    }
  }
  return { ids, links };
}

/**
 * Looks at all pages of a folder.
 *
 * @returns one line for each link that leads nowhere, and each thing that would be loaded from elsewhere
 */
export function deadLinks(folder) {
  const pages = new Map();
  for (const name of readdirSync(folder, { recursive: true })) {
    if (name.endsWith('.html')) pages.set(name, linksOf(readFileSync(join(folder, name), 'utf8')));
  }
  const faults = [];
  for (const [name, { links }] of pages) {
    for (const { element, target } of links) {
      if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) {
        if (element !== 'a') faults.push(`${name}: <${element}> loads ${target}`);
        continue;
      }
      if (target.startsWith('/')) {
        faults.push(`${name}: ${target} is absolute`);
        continue;
      }
      // Drawings that a script puts into the page.
      if (element === 'use') continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? name : posix.join(posix.dirname(name), decodeURIComponent(path));
      const there = existsSync(join(folder, file)) && statSync(join(folder, file)).isFile();
      if (file.startsWith('..') || !there) faults.push(`${name}: ${target} is not there`);
      else if (anchor && pages.has(file) && !pages.get(file).ids.has(decodeURIComponent(anchor)))
        faults.push(`${name}: ${target} has no such anchor`);
    }
  }
  return { pages: pages.size, faults: [...new Set(faults)] };
}
