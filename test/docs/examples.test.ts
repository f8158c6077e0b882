// SPDX-License-Identifier: Apache-2.0
// The examples in the API documentation are programs: each compiles, with types, and runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'build', 'examples');
const floors = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports).map((path) =>
  path.slice(2),
);

interface Example {
  /** File and number in it. */
  readonly name: string;
  readonly text: string;
}

/** The code of every `@example` of a file. */
function examplesOf(file: string): readonly Example[] {
  const source = readFileSync(join(root, 'src', file), 'utf8');
  const blocks = source.matchAll(/^ *\* @example\n *\* ```ts\n([\s\S]*?)^ *\* ```$/gm);
  return [...blocks].map(([, body = ''], index) => ({
    name: `${file.replace(/[/.]/g, '-')}-${index}`,
    text: body.replace(/^ *\* ?/gm, ''),
  }));
}

const examples = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .flatMap(examplesOf);

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of examples) writeFileSync(join(folder, `${name}.ts`), text);
  await build({
    absWorkingDir: root,
    entryPoints: examples.map(({ name }) => join(folder, `${name}.ts`)),
    alias: Object.fromEntries(
      floors.map((floor) => [`kho-toolkit/${floor}`, join(root, 'src', floor, 'index.ts')]),
    ),
    outdir: join(folder, 'out'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['koffi'],
    logLevel: 'silent',
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('examples in the API documentation', () => {
  it('are there for every sub-path', () => {
    for (const floor of floors)
      expect(examples.filter(({ name }) => name.startsWith(`${floor}-`)).length).toBeGreaterThan(1);
  });

  it.each(examples.map(({ name }) => name))('%s runs', async (name) => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const path = pathToFileURL(join(folder, 'out', `${name}.mjs`)).href;
    await expect(import(path)).resolves.toBeDefined();
  });

  // The type checker takes as long as all the rest; the gate `guide` of .ci/run has it.
  it.skipIf(process.env['KHO_GUIDE'] === undefined)(
    'have the types that they use',
    () => {
      const paths = Object.fromEntries(
        floors.map((floor) => [`kho-toolkit/${floor}`, [join(root, 'src', floor, 'index.ts')]]),
      );
      const compilerOptions = { noEmit: true, paths, noUnusedLocals: false };
      const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
    },
    120_000,
  );
});
