// SPDX-License-Identifier: Apache-2.0
// docs/layouts.md is made from the registry (KHO_RECORD=1 makes it anew), and the snippets of docs/schema-language.md run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import {
  type Family,
  families,
  fingerprint,
  relatedLayouts,
  sizeOf,
  type Version,
  versionName,
} from '../../src/schemas/index.js';

const root = join(import.meta.dirname, '..', '..');
const path = join(root, 'docs', 'layouts.md');

const KEYS = {
  compatible: 'property `compatible` of the root node',
  chars: 'a string in the struct',
  u32: 'a number in the struct',
  name: 'a string beside the pointer',
  implied: 'what leads there',
} as const;
const EFFECTS = {
  ignored: 'ignored',
  fresh: 'ignored, made afresh',
  'open-fails': 'opening it fails',
  panic: 'panic',
} as const;

function releases({ status, first, last }: Version): string {
  if (status === 'unreleased') return 'none, between releases';
  if (status === 'list') return 'none, mailing list';
  if (status === 'rfc') return 'none, RFC';
  if (status === 'proposed') return 'none, proposed here';
  return `${first} to ${last ?? 'now'}`;
}

function form({ layout }: Version): string {
  if (layout.kind === 'node') return 'FDT';
  const size = sizeOf(layout);
  return size === undefined ? 'struct' : `${size} bytes`;
}

function structs({ layout }: Version): string {
  const names = relatedLayouts(layout).flatMap((each) =>
    each.kind === 'struct' ? [`\`${each.name}\``] : [],
  );
  return names.join(', ');
}

function section(family: Family): string {
  const { name, doc, key, mismatch, versions } = family;
  const rows = versions.map((version) => {
    const cells = [
      `\`${versionName(version)}\``,
      releases(version),
      form(version),
      structs(version),
      `\`${fingerprint(version.layout)}\``,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const sources = versions.map(({ source, notes, ...version }) => {
    return `- \`${versionName({ source, notes, ...version })}\`: ${source.replaceAll('<', '\\<')}${notes === undefined ? '' : `. ${notes}`}`;
  });
  return [
    `## ${name}`,
    '',
    `${doc} The version is told by ${KEYS[key.by]}; of one that it does not know a kernel says: ${EFFECTS[mismatch]}.`,
    '',
    '| version | kernels that write it | form | structs | fingerprint |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...sources,
    '',
  ].join('\n');
}

const versions = families.reduce((sum, family) => sum + family.versions.length, 0);
const page = `# Layouts

Made from the registry (\`src/schemas/registry.ts\`): ${families.length} families, ${versions} versions.

${families.map(section).join('\n')}`;

describe('docs/layouts.md', () => {
  it('is what the registry says', () => {
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, page);
    expect(readFileSync(path, 'utf8')).toBe(page);
  });
});

describe('docs/schema-language.md', () => {
  const text = readFileSync(join(root, 'docs', 'schema-language.md'), 'utf8');
  const snippets = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  const build = join(root, 'build', 'snippets');

  it('has snippets', () => {
    expect(snippets.length).toBeGreaterThan(1);
  });

  it.each(snippets.map((snippet, index) => [index, snippet] as const))(
    'has a snippet %i that runs',
    (index, snippet) => {
      mkdirSync(build, { recursive: true });
      const outfile = join(build, `schema-language-${index}.mjs`);
      buildSync({
        stdin: { contents: snippet, loader: 'ts', resolveDir: root },
        alias: { 'kho-toolkit/schemas': join(root, 'src', 'schemas', 'index.ts') },
        bundle: true,
        format: 'esm',
        platform: 'neutral',
        outfile,
      });
      expect(() => execFileSync(process.execPath, [outfile], { stdio: 'pipe' })).not.toThrow();
    },
  );
});
