// SPDX-License-Identifier: Apache-2.0
// The versions of all formats: on the front page, so that the page of each is one click away, and in the navigation of
// the pages of its family. Read from the index of the generated reference.

const INDEX = 'docs/reference/README.md';
const MARK = '<!-- versions -->';

/**
 * The pages, with the table of versions in place of its mark, and with the family of each version.
 *
 * @throws Error where the index of the reference has no such table
 */
export function withVersions(pages) {
  const index = pages.find(({ source }) => source === INDEX);
  if (index === undefined) return pages;
  const table = /^\|[^\n]*\n\|[-|: ]+\|\n(?:\|[^\n]*\n)+/m.exec(index.markdown)?.[0];
  if (table === undefined) throw new Error(`${INDEX} has no table of versions`);
  const families = new Map();
  for (const row of table.split('\n')) {
    const family = /^\| \[[^\]]*\]\(#([^)]+)\)/.exec(row)?.[1];
    for (const [, name] of row.matchAll(/\]\(([^)#]+\.md)\)/g))
      families.set(`docs/reference/${name}`, family);
  }
  const onFront = table
    .replace(/\]\(#/g, '](reference/README.md#')
    .replace(/\]\(([^)#/]+\.md)\)/g, '](reference/$1)');
  // In the order of the index, right behind it.
  const order = [...families.keys()];
  const place = ({ source }) => order.indexOf(source);
  const versions = pages.filter(({ source }) => families.has(source)).sort((a, b) => place(a) - place(b));
  const others = pages.filter(({ source }) => !families.has(source));
  const ordered = others.flatMap((page) => (page === index ? [page, ...versions] : [page]));
  return ordered.map((page) => ({
    ...page,
    ...(families.has(page.source) ? { family: families.get(page.source) } : {}),
    markdown: page.markdown.replace(MARK, () => onFront),
  }));
}
