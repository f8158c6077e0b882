// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz -- --minutes N [--target T] [--seed S] [--runs N] [--jobs N] [--save] [--input FILE]`; see docs/fuzzing.md.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

process.chdir(join(import.meta.dirname, '..'));
const outfile = join('build', 'fuzz', 'main.mjs');
await build({
  entryPoints: ['test/fuzz/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  logLevel: 'warning',
  packages: 'external',
  plugins: [
    {
      name: 'place-of-source',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.ts$/ }, ({ path }) => ({
          // The bundle lies elsewhere than its sources.
          contents: readFileSync(path, 'utf8').replaceAll(
            'import.meta.dirname',
            JSON.stringify(dirname(path)),
          ),
          loader: 'ts',
        })),
    },
  ],
});
const { main } = await import(pathToFileURL(outfile).href);
process.exitCode = await main(process.argv.slice(2));
