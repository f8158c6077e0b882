// SPDX-License-Identifier: Apache-2.0
// The manual, from the command declarations: as a module for the site, and as man pages in dist/man.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** What src/cli/manual.ts exports. */
export async function loadManual() {
  // Not below a folder whose package.json says that it is CommonJS.
  const outfile = join(root, 'build', 'manual', 'manual.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/manual.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: ['koffi', 'yargs'],
    define: { KHO_VERSION: '""' },
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile).href);
}

/** Writes `kho.1` and a page for each command; dated by SOURCE_DATE_EPOCH, else today. */
export async function writeManPages() {
  const { manPage, manualPages } = await loadManual();
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const seconds = process.env.SOURCE_DATE_EPOCH;
  const date = (seconds === undefined ? new Date() : new Date(Number(seconds) * 1000))
    .toISOString()
    .slice(0, 10);
  const folder = join(root, 'dist', 'man');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const page of await manualPages()) {
    writeFileSync(join(folder, `${page.name}.1`), manPage(page, { date, source: `${name} ${version}` }));
  }
}
