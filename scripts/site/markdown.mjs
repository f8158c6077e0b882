// SPDX-License-Identifier: Apache-2.0
// Markdown to HTML: headings with anchors, links between files turned into links between pages, sections for the search.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import MarkdownIt from 'markdown-it';
import { root } from './pages.mjs';

const SHOWN_BY_BROWSERS = new Set(['.svg', '.png', '.jpg', '.html', '.txt', '.json', '.jsonl']);

/** An anchor as GitHub makes it of a heading. */
function slug(text) {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

export const escapeHtml = (text) =>
  text.replace(/[&<>"]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]);

/** The way from one page to a path in the site. */
export const relativeUrl = (from, to) => posix.relative(posix.dirname(from), to) || posix.basename(to);

/**
 * Makes the body of a page.
 *
 * @param page - a page of `readPages`
 * @param site - `out`, the folder of the site; `urls`, the places of all pages by their sources; `titles` likewise
 * @returns `html`, `headings` (level, id, text) and `sections` (id, title, names, text) for the search
 * @throws Error for a link to a file that is not there
 */
export function renderMarkdown(page, site) {
  const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });
  const headings = [];
  const sections = [];
  const slugs = new Map();
  const tokens = markdown.parse(page.markdown, {});

  const uniqueSlug = (text) => {
    const base = slug(text);
    const count = slugs.get(base) ?? 0;
    slugs.set(base, count + 1);
    return count === 0 ? base : `${base}-${count}`;
  };
  const plain = (token) =>
    (token.children ?? [])
      .map((child) => (child.type === 'softbreak' ? ' ' : child.content))
      .join('')
      .trim();

  let section = { id: '', title: page.title, names: [], text: [] };
  const flush = () => {
    if (section.text.length > 0 || section.names.length > 0) sections.push(section);
  };
  tokens.forEach((token, index) => {
    if (token.type === 'heading_open') {
      const text = plain(tokens[index + 1]);
      const id = uniqueSlug(text);
      token.attrSet('id', id);
      const level = Number(token.tag.slice(1));
      headings.push({ level, id, text });
      flush();
      section = { id: level === 1 ? '' : id, title: text, names: [], text: [] };
    } else if (token.type === 'inline') {
      section.text.push(plain(token));
      for (const child of token.children ?? [])
        if (child.type === 'code_inline') section.names.push(child.content);
      rewriteLinks(token.children ?? [], page, site);
    } else if (token.type === 'fence' && token.info.startsWith('console')) {
      section.text.push(token.content.split('\n')[0]);
    }
  });
  flush();
  if (page.family !== undefined && page.family !== 'manual')
    sections.push(...fieldsOf(tokens, page, uniqueSlug, plain));

  const { rules } = markdown.renderer;
  rules.heading_close = (list, index) => {
    const open = list[index - 2];
    const id = open.attrGet('id');
    const self =
      open.tag === 'h1' ? '' : ` <a class="self" href="#${id}" aria-label="Link to this section">#</a>`;
    return `${self}</${open.tag}>\n`;
  };
  rules.table_open = () => '<div class="table"><table>\n';
  rules.table_close = () => '</table></div>\n';
  // Long paths may break behind a slash or a dot, so that tables fit.
  rules.code_inline = (list, index) =>
    `<code>${escapeHtml(list[index].content).replace(/(?<=[^\s/.])([/.])(?=\S)/g, '$1<wbr>')}</code>`;
  rules.fence = (list, index) => {
    const { content, info } = list[index];
    const body = escapeHtml(content);
    const shown = info.startsWith('console')
      ? body.replace(/^(\$ .*)$/gm, '<span class="prompt">$1</span>')
      : body;
    return `<pre tabindex="0"><code>${shown}</code></pre>\n`;
  };
  return { html: markdown.renderer.render(tokens, markdown.options, {}), headings, sections };
}

/** The fields that the tables of a layout have, each with an anchor at its row. */
function fieldsOf(tokens, page, uniqueSlug, plain) {
  const fields = [];
  let heading = '';
  let columns = [];
  let row;
  let cells = [];
  tokens.forEach((token, index) => {
    if (token.type === 'heading_open') heading = plain(tokens[index + 1]);
    else if (token.type === 'thead_open') columns = [];
    else if (token.type === 'th_open') columns.push(plain(tokens[index + 1]));
    else if (token.type === 'tr_open') [row, cells] = [token, []];
    else if (token.type === 'td_open') cells.push(plain(tokens[index + 1]));
    else if (token.type === 'tr_close' && cells.length > 0 && columns.includes('meaning')) {
      const name = cells[columns.indexOf('name')] ?? '';
      const own = name.split(/[./]/).at(-1) || name;
      const id = uniqueSlug(`${heading} ${name.replaceAll(/[./]/g, ' ')}`);
      row.attrSet('id', id);
      const where = `${page.title} · ${heading}${own === name ? '' : ` · ${name}`}`;
      fields.push({ id, title: own, names: [name], text: [cells[columns.indexOf('meaning')] ?? ''], where });
    }
  });
  return fields;
}

function rewriteLinks(children, page, site) {
  children.forEach((child, index) => {
    if (child.type === 'image') showImage(child, page, site);
    if (child.type !== 'link_open') return;
    const href = child.attrGet('href');
    child.attrSet('href', targetOf(href, page, site));
    const label = children[index + 1];
    if (label?.type === 'text' && !label.content.includes(' ')) child.attrJoin('class', 'word');
    // The name of a file says nothing where the page has a title.
    if (label?.type === 'text' && label.content.endsWith('.md')) {
      label.content = site.titles.get(sourceOf(href, page)) ?? label.content;
    }
  });
}

/** A drawing becomes a part of the page: then it has the colours of the page, and says more when pointed at. */
function showImage(child, page, site) {
  const source = sourceOf(child.attrGet('src'), page);
  if (source.endsWith('.svg')) {
    child.type = 'html_inline';
    child.content = readFileSync(join(root, source), 'utf8').replace(/<\?xml[^>]*>\s*/, '');
  } else child.attrSet('src', targetOf(child.attrGet('src'), page, site));
}

const isExternal = (href) => /^[a-z][a-z0-9+.-]*:/i.test(href);
const sourceOf = (href, page) =>
  posix.normalize(posix.join(posix.dirname(page.source), decodeURI(href.replace(/#.*$/, ''))));

function targetOf(href, page, site) {
  if (isExternal(href) || href.startsWith('#')) return href;
  const anchor = /#.*$/.exec(href)?.[0] ?? '';
  const source = sourceOf(href, page);
  const url = site.urls.get(source) ?? site.urls.get(posix.join(source, 'README.md'));
  if (url !== undefined) return relativeUrl(page.url, url) + anchor;
  const path = join(root, source);
  if (!existsSync(path)) throw new Error(`${page.source}: a link leads to ${source}, which is not there`);
  const shown = SHOWN_BY_BROWSERS.has(extname(source)) ? source : `${source}.txt`;
  const place = source.startsWith('docs/') ? shown.replace(/^docs\//, '') : `files/${shown}`;
  mkdirSync(dirname(join(site.out, place)), { recursive: true });
  copyFileSync(path, join(site.out, place));
  return relativeUrl(page.url, place) + anchor;
}

/** The text of a file of `assets`. */
export const asset = (name) => readFileSync(join(import.meta.dirname, 'assets', name), 'utf8');
