// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CrashReportScanner } from '../../src/fuzz/crash-report.js';

/** The report in an output that comes in pieces of `size` characters. */
function reportIn(text: string, size = 7): string | undefined {
  const scanner = new CrashReportScanner();
  for (let at = 0; at < text.length; at += size) scanner.push(text.slice(at, at + size));
  scanner.end();
  return scanner.report;
}

describe('CrashReportScanner', () => {
  // Lines as gcc 12's sanitizers, glibc 2.36, rustc, go, CPython and Linux print them.
  it.each([
    [
      '==7==ERROR: AddressSanitizer: SEGV on unknown address 0x7 (pc 0x5)\nSUMMARY: AddressSanitizer: SEGV /a/b/restore.c:150 in restore_domain\n',
      'AddressSanitizer: SEGV restore.c:150 in restore_domain',
    ],
    [
      '==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60200',
      'AddressSanitizer: heap-use-after-free',
    ],
    ['SUMMARY: AddressSanitizer: 80 byte(s) leaked in 2 allocation(s).', 'AddressSanitizer: memory leaked.'],
    ['/src/a.c:12:9: runtime error: index 9 out of bounds', 'undefined behaviour at a.c:12'],
    [
      '[    1.25] BUG: KASAN: slab-out-of-bounds in luo_restore+0x1c/0x80',
      'KASAN: slab-out-of-bounds in luo_restore',
    ],
    ['[    1.25] kernel BUG at mm/memblock.c:77!', 'kernel BUG at memblock.c:77'],
    ['[    1.2] Kernel panic - not syncing: no root', 'Kernel panic - not syncing: no root'],
    ["thread 'main' panicked at src/main.rs:4:5:", 'panic at main.rs:4'],
    ['panic: runtime error: index out of range', 'panic: runtime error: index out of range'],
    ["a: a.c:3: main: Assertion `x > 0' failed.", "Assertion `x > 0' failed"],
    ['double free or corruption (out)', 'heap: double free or corruption (out)'],
    ['*** stack smashing detected ***: terminated', 'stack smashing detected'],
    ['no bug here: refused', undefined],
  ])('reads %j', (line, expected) => {
    expect(reportIn(`before\n${line}\nafter`)).toBe(expected);
    expect(reportIn(line, 1)).toBe(expected);
  });

  it('finds a report behind any amount of output, and looks no further into endless lines', () => {
    const noise = 'x'.repeat(100_000);
    expect(reportIn(`${noise}\n${noise}\npanic: late\n`, 4096)).toBe('panic: late');
    expect(reportIn(`${noise} BUG: KASAN: a in b`, 4096)).toBeUndefined();
  });
});
