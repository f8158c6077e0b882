// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

describe('the compiled kernel', () => {
  it('is what leaf-kernel.wat says; `node scripts/build-kernel.mjs` makes it so', () => {
    const script = join(root, 'scripts', 'build-kernel.mjs');
    const compiled = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
    expect(readFileSync(join(root, 'src', 'vtd', 'leaf-kernel-bytes.ts'), 'utf8')).toBe(compiled);
  });
});
