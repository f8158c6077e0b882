// SPDX-License-Identifier: Apache-2.0
// libfdt's own answers and bytes, recorded (fixtures/libfdt/README.md), so that they count without gcc and libfdt too.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { decodeOutcomes, decodeScripts, runOurs } from './libfdt-calls.js';
import { capturedKhoRoot, vectors } from './libfdt-vectors.js';

describe('recorded calls', () => {
  it('have the results and leave the buffers that they have and leave in libfdt', () => {
    const scripts = decodeScripts(readFixture('libfdt/calls.bin'));
    const outcomes = decodeOutcomes(scripts, readFixture('libfdt/calls-answers.bin'));
    expect(scripts.length).toBeGreaterThan(200);
    for (const [index, script] of scripts.entries()) {
      const ours = runOurs(script);
      expect(ours.results, `script ${index}`).toEqual(outcomes[index]?.results);
      const equal = Buffer.compare(
        ours.buffer ?? new Uint8Array(0),
        outcomes[index]?.buffer ?? new Uint8Array(0),
      );
      if (ours.buffer !== undefined) expect(equal, `buffer of script ${index}`).toBe(0);
    }
  });

  it.each(Object.keys(vectors))('make %s.dtb', (name) => {
    const script = vectors[name] ?? { size: 0, calls: [] };
    const { results, buffer = new Uint8Array(0) } = runOurs(script);
    const golden = readFixture(`libfdt/${name}.dtb`);
    expect(Math.min(...results)).toBe(0);
    expect(buffer.subarray(0, golden.length)).toEqual(golden);
    expect(openFdt(buffer).header.totalsize).toBe(golden.length);
  });

  it('make the root that Linux 7.3.4 handed over', () => {
    const { buffer } = runOurs(capturedKhoRoot);
    const captured = readFixture('kernel-7.3.4/kho-fdt.dtb');
    expect(buffer?.subarray(0, captured.length)).toEqual(captured);
  });
});

describe('the recorded blobs', () => {
  // Known from fdt-format.md and rfc-2024.md before any of this was written.
  it.each([
    ['kho-root', 152, ['preserved-memory-map', 'compatible']],
    ['kho-root-consumers', 345, ['preserved-memory-map', 'compatible', 'preserved-data', 'blob-size']],
    ['shared-names', 233, ['mem', 'zz', 'compatible', 'iova-start']],
    ['one-reservation', 96, []],
    ['rfc-2024', 583, undefined],
  ])('%s.dtb has %i bytes and the strings %j', (name, size, strings) => {
    const blob = readFixture(`libfdt/${name}.dtb`);
    const { header } = openFdt(blob);
    expect(blob.length).toBe(size);
    if (strings === undefined) return;
    const block = blob.subarray(header.off_dt_strings, header.off_dt_strings + header.size_dt_strings);
    expect(Buffer.from(block).toString('latin1')).toBe(strings.map((name) => `${name}\0`).join(''));
  });

  it('rfc-2024.dtb is the reference blob of the RFC', () => {
    const digest = createHash('sha256').update(readFixture('libfdt/rfc-2024.dtb')).digest('hex');
    expect(digest).toBe('1b79bde30abd31468bcd8225a916c94ce2984c47a34b8c777272d186a0c213e3');
  });
});
