// SPDX-License-Identifier: Apache-2.0
// The snippets of docs/schema-language.md run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

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
