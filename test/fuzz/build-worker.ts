// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { instrument } from './instrument.js';

const root = process.cwd();
const src = join(root, 'src');
/** Not in one piece, since the command itself is bundled and has this replaced, too. */
const DIRNAME = ['import', 'meta', 'dirname'].join('.');
/** Counters: src has some ten thousand branches. */
const ROOM = 1 << 15;

/**
 * Bundles the thread with a counter in every branch of src.
 *
 * @param folder - where to put it
 * @returns its path
 */
export async function buildWorker(folder: string): Promise<string> {
  // Counters are numbered by path, so that they are the same in every build.
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(`cli${sep}`))
    .sort();
  const sources = new Map<string, string>();
  let next = 0;
  for (const name of files) {
    const source = readFileSync(join(src, name), 'utf8');
    const done = instrument(name, source, next, 'KHO_FUZZ_HITS');
    sources.set(name, done.code);
    next = done.next;
  }
  if (next > ROOM) throw new Error(`${next} branches, room for ${ROOM}`);
  const outfile = join(folder, 'worker.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/fuzz/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    logLevel: 'warning',
    banner: { js: `const KHO_FUZZ_HITS = new Uint8Array(${ROOM});` },
    external: ['koffi'],
    plugins: [
      {
        name: 'counters',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = sources.get(relative(src, path)) ?? readFileSync(path, 'utf8');
            // The bundle lies elsewhere than its sources.
            return {
              contents: contents.replaceAll(DIRNAME, JSON.stringify(dirname(path))),
              loader: 'ts',
            };
          }),
      },
    ],
  });
  return outfile;
}
