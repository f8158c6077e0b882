// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bootRom } from '../../src/try/boot-rom.js';

const root = join(import.meta.dirname, '..', '..');
const hasAs = spawnSync('as', ['--version']).status === 0 && spawnSync('objcopy', ['--version']).status === 0;
if (!hasAs) console.warn('SKIP boot ROM: binutils is not installed');

it.skipIf(!hasAs).each([
  [0x14c0_0000, 0x1568_2000],
  [0xbfe0_0000, 0x0123_4000],
])('the ROM is what GNU as makes of the same instructions: %#x, %#x', (entry, bootParams) => {
  const folder = join(root, 'build', 'oracle');
  mkdirSync(folder, { recursive: true });
  const object = join(folder, `boot-rom-${process.pid}.o`);
  const symbols = [`entry=${entry}`, `bootParams=${bootParams}`].flatMap((each) => ['--defsym', each]);
  execFileSync('as', ['--32', ...symbols, '-o', object, join(root, 'test', 'oracle', 'boot-rom.s')]);
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', object, `${object}.bin`]);
  const assembled = readFileSync(`${object}.bin`);
  expect(assembled).toHaveLength(65536);
  expect(Buffer.from(bootRom(entry, bootParams)).equals(assembled)).toBe(true);
});
