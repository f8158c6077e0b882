// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpioArchive } from '../../src/try/cpio.js';
import { INIT_BYTES } from '../../src/try/init-bytes.js';

const root = join(import.meta.dirname, '..', '..');
/** What the committed program was compiled with; others make other code of the same source. */
const COMPILER = '12.2.0';
const version = spawnSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).stdout?.trim();
if (version !== COMPILER)
  console.warn(`SKIP init: gcc ${COMPILER} is not installed, found ${version ?? 'none'}`);

describe('the guest’s init', () => {
  it('is small, static, and for x86-64', () => {
    const bytes = Uint8Array.from(INIT_BYTES);
    expect(bytes.length).toBeLessThan(64 << 10);
    expect([...bytes.subarray(0, 5)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2]);
    const view = new DataView(bytes.buffer);
    expect([view.getUint16(16, true), view.getUint16(18, true)]).toEqual([2, 62]);
    const segments = Array.from({ length: view.getUint16(56, true) }, (_, index) =>
      view.getUint32(Number(view.getBigUint64(32, true)) + 56 * index, true),
    );
    // No PT_INTERP: nothing else is needed to run it.
    expect(segments).not.toContain(3);
  });

  it.skipIf(version !== COMPILER)(
    'is what its source says; `node scripts/build-init.mjs` makes it so',
    () => {
      const script = join(root, 'scripts', 'build-init.mjs');
      const compiled = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
      expect(readFileSync(join(root, 'src', 'try', 'init-bytes.ts'), 'utf8')).toBe(compiled);
    },
  );
});

describe('an archive', () => {
  it('is byte for byte what usr/gen_init_cpio of Linux 7.3.4 makes', () => {
    const made = cpioArchive([
      { name: 'dev', mode: 0o40755 },
      { name: 'dev/console', mode: 0o20600, device: [5, 1] },
      { name: 'init', mode: 0o100755, bytes: new TextEncoder().encode('#!/bin/sh\n') },
      { name: 'plan', mode: 0o100644, bytes: new TextEncoder().encode('session 61\nfile 0\n') },
    ]);
    const golden = readFileSync(join(root, 'fixtures', 'try', 'small.cpio'));
    expect(golden.length).toBeGreaterThan(500);
    expect(Buffer.from(made).equals(golden.subarray(0, made.length))).toBe(true);
    // What follows is padding of the whole file, which archives in memory do without.
    expect(golden.subarray(made.length).every((byte) => byte === 0)).toBe(true);
  });
});
