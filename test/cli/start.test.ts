// SPDX-License-Identifier: Apache-2.0
// The program starts from V8's code cache; it must start as well where the cache is missing or not for this Node.
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, program, root } from './kho.js';

const folder = newFolder();
const cache = join(folder, 'kho-main.cache');
for (const name of ['kho.js', 'kho-main.js', 'kho-main.cache', 'package.json']) {
  copyFileSync(join(dirname(program), name), join(folder, name));
}

function dump(): string {
  const blob = join(root, 'fixtures', 'kernel-7.3.4', 'kho-fdt.dtb');
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, 'kho.js'), 'dump', blob], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('starting', () => {
  it('gives the same with the code cache, without it, and with one that V8 refuses', () => {
    const withCache = dump();
    expect(withCache).toContain('preserved-memory-map');
    for (const other of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from('x'.repeat(4096))]) {
      writeFileSync(cache, other);
      expect(dump()).toBe(withCache);
    }
    rmSync(cache);
    expect(dump()).toBe(withCache);
  });
});
