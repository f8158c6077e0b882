// SPDX-License-Identifier: Apache-2.0
// Builds dist: the library as modules with types by tsc, the program `kho` as one file by esbuild, with V8's code cache,
// and its man pages.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeManPages } from './manual.mjs';

const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const onlyCli = process.argv.includes('--only-cli');

// yargs brings a build for places without Node's file system. It starts in half the time: no locale files to look for,
// no process.stdout to set up (measured: 1.31x the time of bare node, against 1.52x). It asks for its two helpers by
// URL; they come from node_modules here.
const yargsWithoutFiles = {
  name: 'yargs-without-files',
  setup({ onResolve }) {
    const replace = (filter, path) => onResolve({ filter }, () => ({ path: join(modules, path) }));
    replace(/^yargs$/, 'yargs/browser.mjs');
    replace(/^https:\/\/unpkg\.com\/cliui@/, 'cliui/index.mjs');
    replace(/^https:\/\/unpkg\.com\/yargs-parser@/, 'yargs-parser/browser.js');
  },
};

if (!onlyCli) {
  rmSync(dist, { recursive: true, force: true });
  execFileSync(process.execPath, [join(root, 'scripts', 'build-kernel.mjs')], { stdio: 'inherit' });
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
}

const cli = join(dist, 'cli');
mkdirSync(cli, { recursive: true });
const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // CommonJS starts faster than a module, and a third less text compiles faster.
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  // Native code, optional: required from node_modules if it is there.
  external: ['koffi'],
};
// What `kho report` puts into a page: one script, which is the page and its worker, and one style sheet. The licence of
// what is bundled goes where the script goes.
const reportFolder = join(dist, 'report');
const browser = { target: ['chrome110', 'firefox115', 'safari16.4'], minify: true, legalComments: 'none' };
const page = await build({
  ...browser,
  absWorkingDir: root,
  bundle: true,
  format: 'iife',
  charset: 'ascii',
  // It compiles parsers at run time, which the page's policy forbids.
  alias: { 'binary-parser/dist/binary_parser.js': './src/report/page/field-parser.ts' },
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryPoints: ['src/report/page/main.tsx'],
  outfile: join(reportFolder, 'report.js'),
  metafile: true,
  write: false,
});
const pageNotices = notices('report.js', Object.keys(page.metafile.inputs));
mkdirSync(reportFolder, { recursive: true });
for (const { path, text } of page.outputFiles)
  writeFileSync(
    path,
    `/*\n${pageNotices.replaceAll('*/', '* /').replaceAll('<', '(').replaceAll('>', ')')}*/\n${text}`,
  );
await build({
  ...browser,
  absWorkingDir: root,
  entryPoints: ['src/report/page/report.css'],
  outfile: join(reportFolder, 'report.css'),
});
// What the threads of a walk run.
await build({
  ...options,
  entryPoints: ['src/cli/walk-worker.ts'],
  outfile: join(cli, 'walk-worker.js'),
  define: { 'import.meta.dirname': '__dirname' },
});
const { metafile } = await build({
  ...options,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(cli, 'kho-main.js'),
  // start.cjs compiles the file by itself, so it has to be what Node would have wrapped around it.
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
  define: { KHO_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  plugins: [yargsWithoutFiles],
  metafile: true,
});
copyFileSync(join(root, 'src', 'cli', 'start.cjs'), join(cli, 'kho.js'));
chmodSync(join(cli, 'kho.js'), 0o755);
// The package is ESM; this folder is not.
writeFileSync(join(cli, 'package.json'), '{ "type": "commonjs" }\n');
await writeManPages();
writeFileSync(join(cli, 'THIRD-PARTY-NOTICES.txt'), notices('kho-main.js', Object.keys(metafile.inputs)));
// The code cache holds what one run of the most used command had compiled (measured: 1.6x the time of bare node
// without it, 1.25x with it).
const warmUp = ['dump', join(root, 'fixtures', 'demo', 'out', 'fdt')];
const maker = join(root, 'scripts', 'make-code-cache.cjs');
execFileSync(process.execPath, [maker, cli, ...warmUp], { stdio: ['ignore', 'ignore', 'inherit'] });

/** The licences of the packages that the bundle holds parts of. */
function notices(bundle, inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
    if (name !== undefined) packages.add(name);
  }
  const texts = [...packages].sort().map((name) => {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    if (file === undefined) throw new Error(`${name} is in the bundle and has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  return `${bundle} holds parts of these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
