// SPDX-License-Identifier: Apache-2.0
// Compiles src/vtd/leaf-kernel.wat to src/vtd/leaf-kernel-bytes.ts, which is committed: the sources run as they are.
// With --print the text goes to stdout instead.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import createWabt from 'wabt';

const folder = join(import.meta.dirname, '..', 'src', 'vtd');

const wabt = await createWabt();
const source = readFileSync(join(folder, 'leaf-kernel.wat'), 'utf8');
const parsed = wabt.parseWat('leaf-kernel.wat', source, { simd: true });
const bytes = parsed.toBinary({}).buffer;
parsed.destroy();
const lines = [];
for (let at = 0; at < bytes.length; at += 24) lines.push(`  ${[...bytes.subarray(at, at + 24)].join(', ')},`);
const text = [
  '// SPDX-License-Identifier: Apache-2.0',
  '// Compiled from leaf-kernel.wat by scripts/build-kernel.mjs; do not edit.',
  '',
  '/** The WebAssembly module of leaf-kernel.wat. */',
  '// biome-ignore format: bytes',
  'export const LEAF_KERNEL_BYTES: readonly number[] = [',
  ...lines,
  '];',
  '',
].join('\n');

if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(folder, 'leaf-kernel-bytes.ts'), text);
