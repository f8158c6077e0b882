// SPDX-License-Identifier: Apache-2.0
// What the README and other pages show is what happens: its commands are run and their output compared, its snippets compiled and run.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const build = join(root, 'build', 'readme');
mkdirSync(build, { recursive: true });

const environment = {
  ...process.env,
  PATH: `${build}:${process.env['PATH']}`,
  NO_COLOR: '1',
  COLUMNS: '120',
};
writeFileSync(
  join(build, 'kho'),
  `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli/kho.js')}" "$@"\n`,
);
chmodSync(join(build, 'kho'), 0o755);

/** The bodies of a page's code blocks in `language`. */
const blocks = (language: string, page: string): string[] =>
  [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');

/** What a person sees who types the command at a prompt. */
function show(command: string): string {
  const { stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  });
  return `$ ${command}\n${stdout}${stderr}`;
}

/** The README and the pages of `docs` that have code blocks of a language. */
const pagesWith = (language: string): string[] =>
  ['docs', 'docs/guide']
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((name) => name.endsWith('.md'))
    .filter((name) => blocks(language, readFileSync(join(root, name), 'utf8')).length > 0)
    .concat('README.md');

/** Pages of docs run many commands: a gate of its own in .ci/run. */
const isLeftOut = (file: string): boolean =>
  file.startsWith('docs/') &&
  process.env['KHO_GUIDE'] === undefined &&
  process.env['KHO_RECORD'] === undefined;
if (isLeftOut('docs/')) console.warn('SKIP commands of docs: KHO_GUIDE is not set');

describe.each(pagesWith('console').filter((file) => !isLeftOut(file)))('%s', (file) => {
  const page = readFileSync(join(root, file), 'utf8');
  const consoles = blocks('console', page);

  it('has commands with output', () => {
    expect(consoles.length).toBeGreaterThan(0);
    if (process.env['KHO_RECORD'] === undefined) return;
    const shown = page.replace(/^```console\n\$ (.*)\n[\s\S]*?^```$/gm, (_, command: string) => {
      return `\`\`\`console\n${show(command)}\`\`\``;
    });
    writeFileSync(join(root, file), shown);
  });

  it.each(consoles.map((block) => [block.split('\n')[0] ?? '', block]))(
    'shows what happens: %s',
    (prompt, block) => {
      expect(show(prompt.replace(/^\$ /, ''))).toBe(block);
    },
  );
});

describe.each(pagesWith('ts'))('%s', (file) => {
  const page = readFileSync(join(root, file), 'utf8');
  it.each(blocks('ts', page).map((snippet, index) => [index, snippet]))(
    'has a snippet %i that runs',
    (index, snippet) => {
      const path = join(build, `${file.replaceAll('/', '-')}-${index}.mjs`);
      writeFileSync(path, transformSync(snippet, { loader: 'ts', format: 'esm' }).code);
      expect(() => execFileSync(process.execPath, [path], { cwd: root, stdio: 'pipe' })).not.toThrow();
    },
  );
});
