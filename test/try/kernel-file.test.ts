// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TryError } from '../../src/try/error.js';
import { readKernelFile } from '../../src/try/kernel-file.js';
import { runSeed } from '../random.js';
import { kernelBytes } from './kernel-bytes.js';

const real = process.env['KHO_KERNEL'];

describe('a bzImage', () => {
  it.skipIf(real === undefined)('that is real says what it needs', () => {
    const kernel = readKernelFile(readFileSync(real ?? ''));
    expect(kernel.release).toMatch(/^[67]\.\d+/);
    expect(kernel.alignment).toBe(0x200000);
    expect(kernel.initSize).toBeGreaterThan(kernel.protectedMode.length);
    // arch/x86/boot/compressed/head_64.S begins with cld; cli.
    expect([...kernel.protectedMode.subarray(0, 2)]).toEqual([0xfc, 0xfa]);
  });

  it('is loaded from behind its setup sectors', () => {
    const kernel = readKernelFile(kernelBytes());
    expect(kernel).toMatchObject({ release: '7.3.4 (made up) #1', initSize: 16 << 20, commandLine: 2047 });
    expect(kernel.protectedMode).toHaveLength(0x3000 - 5 * 512);
  });

  it.each([
    ['too short', new Uint8Array(100), /100 bytes/],
    ['something else', new Uint8Array(4096), /no setup header/],
    ['too old', kernelBytes({ version: 0x020a }), /2\.10/],
    ['bound to one place', kernelBytes({ relocatable: false }), /CONFIG_RELOCATABLE/],
    ['aligned to nothing', kernelBytes({ alignment: 0x3000 }), /power of two/],
  ])('that is %s is refused', (_, bytes, message) => {
    expect(() => readKernelFile(bytes)).toThrow(message);
  });

  it('with any bytes is read or refused', () => {
    const holds = fc.property(
      fc.array(fc.tuple(fc.nat(0x3ff), fc.nat(255)), { maxLength: 20 }),
      fc.nat(0x3000),
      (changes, length) => {
        const bytes = kernelBytes().subarray(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          readKernelFile(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(TryError);
        }
      },
    );
    fc.assert(holds, { seed: runSeed });
  });
});
