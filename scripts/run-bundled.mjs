// SPDX-License-Identifier: Apache-2.0
// Runs a program of the tests, which is TypeScript: bundles it into build/NAME and calls its `main` with the arguments.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** @param name - of the folder in test whose main.ts it is */
export async function runBundled(name) {
  process.chdir(join(import.meta.dirname, '..'));
  const outfile = join('build', name, 'main.mjs');
  await build({
    entryPoints: [join('test', name, 'main.ts')],
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
}
