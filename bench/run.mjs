// SPDX-License-Identifier: Apache-2.0
// Builds the package and runs every benchmark, or those named on the command line: npm run bench -- fdt; `kho` stands for `kho-diff`, too
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const wanted = process.argv.slice(2);
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bench.mjs'));
const isWanted = (name) => wanted.some((word) => name === `${word}.bench.mjs` || name.startsWith(`${word}-`));
const chosen = files.filter((name) => wanted.length === 0 || isWanted(name));
if (chosen.length === 0) throw new Error(`no such benchmark; there are: ${files.join(', ')}`);

const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
run(join(import.meta.dirname, '..', 'scripts', 'build.mjs'));
for (const name of chosen.sort()) run(join(import.meta.dirname, name));
