// SPDX-License-Identifier: Apache-2.0
// Compiles tools/try-init/init.c to src/try/init-bytes.ts, which is committed: `kho try` needs no compiler.
// With --print the text goes to stdout instead.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'kho-init-'));
const program = join(folder, 'init');
execFileSync('sh', [join(root, 'tools', 'try-init', 'build.sh'), program], { stdio: 'inherit' });
const bytes = readFileSync(program);
rmSync(folder, { recursive: true });
const lines = [];
for (let at = 0; at < bytes.length; at += 24) lines.push(`  ${[...bytes.subarray(at, at + 24)].join(', ')},`);
const text = [
  '// SPDX-License-Identifier: Apache-2.0',
  '// Compiled from tools/try-init/init.c by scripts/build-init.mjs; do not edit.',
  '',
  '/** The program that runs as /init in the guest: a static ELF for x86-64. */',
  '// biome-ignore format: bytes',
  'export const INIT_BYTES: readonly number[] = [',
  ...lines,
  '];',
  '',
].join('\n');

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(root, 'src', 'try', 'init-bytes.ts'), text);
