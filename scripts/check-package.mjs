// SPDX-License-Identifier: Apache-2.0
// Is the package what users will get? publint and arethetypeswrong look at it; then the tarball is installed into an
// empty folder, its `kho` is run, and every export is imported there, at run time and by the type checker.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'kho-package-'));
const run = (cwd, command, ...args) =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

try {
  const [{ filename, size, files }] = JSON.parse(
    run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  const tarball = join(folder, filename);
  console.log(`${filename}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
  run(root, 'npx', 'publint', '--strict', tarball);
  run(root, 'npx', 'attw', tarball, '--profile', 'esm-only');

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', tarball);
  const version = run(folder, 'npx', 'kho', '--version').trim();
  if (version !== manifest.version)
    throw new Error(`kho --version: expected ${manifest.version}, found "${version}"`);
  const demo = run(folder, 'npx', 'kho', 'demo');
  if (!demo.includes('kho-v4')) throw new Error('kho demo shows no kho-v4 root');

  const viewer = run(folder, 'npx', 'kho', 'report', '--viewer', '-o', '-');
  if (!viewer.includes('Content-Security-Policy') || viewer.length < 100_000)
    throw new Error('kho report makes no page: is dist/report in the package?');

  const paths = Object.keys(manifest.exports).map((path) => path.replace('.', manifest.name));
  const lines = paths.map(
    (path, index) =>
      `import * as floor${index} from '${path}';\nif (Object.keys(floor${index}).length === 0) throw new Error('${path} exports nothing');`,
  );
  writeFileSync(join(folder, 'exports.mjs'), lines.join('\n'));
  run(folder, process.execPath, 'exports.mjs');
  writeFileSync(join(folder, 'exports.ts'), lines.join('\n'));
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2023', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['exports.ts'] }));
  run(folder, join(root, 'node_modules', '.bin', 'tsc'), '-p', folder);
  console.log(`installed into an empty folder: kho ${version}, ${paths.join(', ')} import and type-check`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
