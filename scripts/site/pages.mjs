// SPDX-License-Identifier: Apache-2.0
// Which pages the site has, in which order, and where each lies. A page's place in the repository decides its place in
// the site, so that links between Markdown files can be followed in both.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** Groups of the navigation. A page that is not there is left out. */
const GROUPS = [
  { title: 'Start', sources: ['docs/README.md', 'README.md'] },
  {
    title: 'Guide',
    sources: [
      'docs/guide/what-kho-is.md',
      'docs/guide/three-approaches.md',
      'docs/guide/after-a-failed-live-update.md',
      'docs/guide/reviewing-an-abi-change.md',
      'docs/guide/is-this-rollback-safe.md',
      'docs/guide/recording-ioctls.md',
      'docs/guide/findings.md',
    ],
  },
  {
    title: 'Formats',
    sources: [
      'docs/reference/README.md',
      'docs/layouts.md',
      'docs/schema-language.md',
      'docs/json-output.md',
    ],
  },
  {
    title: 'Handovers',
    sources: [
      'docs/verify.md',
      'docs/handover-diff.md',
      'docs/compat.md',
      'docs/migrate.md',
      'docs/build.md',
      'docs/try.md',
      'docs/kernels.md',
      'docs/report.md',
    ],
  },
  {
    title: 'Images, tables, logs',
    sources: [
      'docs/image.md',
      'docs/vtd.md',
      'docs/vtd-walk.md',
      'docs/ioctl-log.md',
      'docs/recording/README.md',
    ],
  },
  {
    title: 'Project',
    sources: [
      'docs/libfdt-differences.md',
      'docs/benchmarks.md',
      'docs/fuzzing.md',
      'docs/mutation-testing.md',
      'docs/fuzz-cases.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'fixtures/README.md',
    ],
  },
];

/** Files elsewhere than under `docs`, by their names in the site. */
const ELSEWHERE = {
  'README.md': 'tour.html',
  'CONTRIBUTING.md': 'contributing.html',
  'CHANGELOG.md': 'changelog.html',
  'fixtures/README.md': 'fixtures.html',
};
const SHORT_TITLES = {
  'docs/README.md': 'Overview',
  'README.md': 'A tour of the commands',
  'docs/reference/README.md': 'Byte layouts',
};

/** Where a page lies in the site, without a leading slash. */
export function urlOf(source) {
  const known = ELSEWHERE[source];
  if (known !== undefined) return known;
  return source
    .replace(/^docs\//, '')
    .replace(/README\.md$/, 'index.md')
    .replace(/\.md$/, '.html');
}

function pageOf(source, group) {
  const markdown = readFileSync(join(root, source), 'utf8');
  const title = /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll('`', '') ?? basename(source);
  return { source, group, url: urlOf(source), markdown, title, short: SHORT_TITLES[source] ?? title };
}

/** Every Markdown file of a folder of `docs`, sorted. */
function markdownIn(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort(new Intl.Collator('en', { numeric: true }).compare);
}

/**
 * All pages, in the order of the navigation; those under `docs` that no group names are in one of their own at its end.
 * Versions of the generated reference are in the navigation only where one of their family is open.
 */
export function readPages() {
  const pages = GROUPS.flatMap(({ title, sources }) =>
    sources.filter((source) => existsSync(join(root, source))).map((source) => pageOf(source, title)),
  );
  const listed = new Set(pages.map(({ source }) => source));
  for (const source of markdownIn('docs/reference')) {
    if (!listed.has(source)) pages.push({ ...pageOf(source, 'Formats'), hidden: true });
    listed.add(source);
  }
  for (const source of markdownIn('docs')) if (!listed.has(source)) pages.push(pageOf(source, 'More'));
  return pages;
}
