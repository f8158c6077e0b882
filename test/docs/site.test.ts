// SPDX-License-Identifier: Apache-2.0
// The site as files: what a reader finds from the front page; and the look at links that `npm run docs` ends with.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { families } from '../../src/schemas/index.js';

const root = join(import.meta.dirname, '..', '..');
const given = process.env['KHO_SITE'];
const site = join(root, given ?? 'build/site');
if (given === undefined) console.warn('SKIP the site: KHO_SITE does not say where npm run docs has put it');

const pageAt = (url: string): string => readFileSync(join(site, url), 'utf8');

/** The pages that links in the contents of a page lead to, not those in its navigation. */
function linked(url: string): ReadonlySet<string> {
  const main = /<main[\s\S]*<\/main>/.exec(pageAt(url))?.[0] ?? '';
  const targets = [...main.matchAll(/<a [^>]*href="([^"#]+\.html)(?:#[^"]*)?"/g)].map(
    ([, href = '']) => href,
  );
  return new Set(targets.map((href) => posix.join(posix.dirname(url), href)));
}

/** What can be reached from the front page, with the number of clicks. */
function clicks(most: number): ReadonlyMap<string, number> {
  const found = new Map([['index.html', 0]]);
  for (const [url, count] of found) {
    if (count === most) continue;
    for (const target of linked(url)) if (!found.has(target)) found.set(target, count + 1);
  }
  return found;
}

describe.skipIf(given === undefined)('the site', () => {
  it('shows in two clicks the bytes of every version, what changed in it, and which kernels accept it', () => {
    const near = [...clicks(2).keys()].filter((url) => /^reference\/(?!index)/.test(url));
    const titles = new Map(near.map((url) => [/<h1[^>]*>([^<]*)/.exec(pageAt(url))?.[1] ?? '', url]));
    for (const { versions } of families) {
      for (const { key, name = key, variant } of versions) {
        const url = titles.get(variant === undefined ? name : `${name}=${variant}`) ?? '';
        expect(url, name).not.toBe('');
        for (const heading of ['layout', 'what-changed', 'kernels'])
          expect(pageAt(url), url).toContain(`<h2 id="${heading}"`);
      }
    }
  });

  it('has the guide one click away, and a page for each command', () => {
    const near = linked('index.html');
    expect([...near].filter((url) => url.startsWith('guide/')).length).toBe(7);
    const commands = linked('commands/index.html');
    for (const { name } of COMMANDS) expect(commands).toContain(`commands/kho-${name}.html`);
  });

  it('loads nothing that a page opened as a file may not load', () => {
    for (const url of clicks(1).keys()) {
      const page = pageAt(url);
      expect(page).not.toMatch(/<script[^>]*type="module"|\bfetch\(|(?:src|href)="\//);
    }
  });
});

describe('the look at links', () => {
  const folder = join(root, 'build', 'site-links');
  const judge = (html: string): string => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.html'), html);
    writeFileSync(join(folder, 'b.html'), '<h1 id="there">b</h1>');
    const code = `import { deadLinks } from '${join(root, 'scripts', 'site', 'links.mjs')}'; console.log(deadLinks('${folder}').faults.join('\\n'))`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
    }).stdout.trim();
  };

  it('finds files and anchors that are not there, and what is loaded from elsewhere', () => {
    const bad = [
      '<a href="c.html">',
      '<a href="b.html#gone">',
      '<a href="#gone">',
      '<img src="/x.png">',
      '<script src="https://example.org/x.js"></script>',
      '<a href="../a.html">',
    ];
    expect(judge(bad.join('\n')).split('\n')).toEqual([
      'a.html: c.html is not there',
      'a.html: b.html#gone has no such anchor',
      'a.html: #gone has no such anchor',
      'a.html: /x.png is absolute',
      'a.html: <script> loads https://example.org/x.js',
      'a.html: ../a.html is not there',
    ]);
  });

  it('has nothing against what is there', () => {
    expect(judge('<a id="x" href="b.html#there"></a><a href="#x"></a><a href="https://kernel.org">')).toBe(
      '',
    );
  });
});
