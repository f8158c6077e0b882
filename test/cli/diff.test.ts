// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasDtc } from '../oracle/oracle.js';
import { fileOf, kho, newFolder, root } from './kho.js';

const A = 'fixtures/demo/out';
const B = 'fixtures/demo/edited';

describe('kho diff', () => {
  it('shows what changed between two folders, blob by blob', () => {
    expect(kho(['diff', A, B])).toEqual({
      code: 1,
      stderr: '',
      stdout: `--- ${A}
+++ ${B}

fdt
- /kexec-metadata  node
    - blob-size               0x49 (73 bytes)
    - preserved-data          0x4bd000
/memblock
  ~ blob-size               0x126 (294 bytes) -> 0x172 (370 bytes)

sub_fdts/memblock
+ /trace1  node
    + size                    0x100000 (1 MiB)
    + start                   0x1d800000
    + compatible              "reserve-mem-v1"
/trace0
  ~ size                    0x400000 (4 MiB) -> 0x800000 (8 MiB)

sub_fdts/kexec-metadata
- blob  73 bytes, only in the first folder
`,
    });
  });

  it('tells changed bytes of a packed struct and changed scratch', () => {
    const folder = newFolder();
    cpSync(join(root, A), folder, { recursive: true });
    const luo = readFileSync(join(root, A, 'sub_fdts/LUO'));
    luo[8] = 2;
    writeFileSync(join(folder, 'sub_fdts/LUO'), luo);
    writeFileSync(join(folder, 'scratch_len'), '0x6000000\n0x1000000\n0x4000000\n');
    const { code, stdout } = kho(['diff', A, folder]);
    expect(code).toBe(1);
    expect(stdout).toContain('- region  0x14c00000 - 0x17bfffff (48 MiB)\n');
    expect(stdout).toContain('+ region  0x14c00000 - 0x18bfffff (64 MiB)\n');
    expect(stdout).toContain('sub_fdts/LUO\n~ bytes  32 bytes, first difference at 0x8\n');
  });

  it('is silent and exits with 0 for the same', () => {
    expect(kho(['diff', `${A}/fdt`, `${A}/fdt`])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(kho(['diff', A, A])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.skipIf(!hasDtc())('does not count a different encoding of the same tree, and says so when asked', () => {
    const other = fileOf(
      'v16',
      execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', '-V', '16', join(root, A, 'fdt')]),
    );
    expect(kho(['diff', `${A}/fdt`, other])).toEqual({ code: 0, stdout: '', stderr: '' });
    const { code, stdout } = kho(['diff', `${A}/fdt`, other, '--verbose']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The trees are the same\.\nThe encoding differs: .*version 17 -> 16.*\.\n$/);
    expect(JSON.parse(kho(['diff', `${A}/fdt`, other, '--json']).stdout)).toEqual({
      schemaVersion: 1,
      kind: 'diff',
      changes: [],
      same: true,
      encodingDiffers: true,
    });
  });

  it('prints JSON', () => {
    const { code, stdout } = kho(['diff', `${A}/fdt`, '-', '--json'], {
      input: readFileSync(join(root, B, 'fdt')),
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      kind: 'diff',
      changes: [
        { kind: 'node-removed', path: '/kexec-metadata', occurrence: 1 },
        {
          kind: 'property-changed',
          path: '/memblock',
          property: 'blob-size',
          occurrence: 1,
          before: '2601000000000000',
          after: '7201000000000000',
        },
      ],
      same: false,
      encodingDiffers: true,
    });
  });

  it('exits with 2, not 1, when a file is missing or damaged', () => {
    expect(kho(['diff', `${A}/fdt`, '/nonexistent'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'kho: /nonexistent: ENOENT: no such file or directory\n',
    });
    expect(kho(['diff', `${A}/scratch_len`, `${A}/fdt`]).code).toBe(2);
    expect(kho(['diff', A, `${A}/fdt`]).code).toBe(2);
    expect(kho(['diff', '-', '-']).code).toBe(2);
  });

  const CORE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
  const [LEGACY, SCALABLE] = ['legacy', 'scalable'].map(
    (mode) => `fixtures/kernel-7.3.4/vtd-${mode}.trimmed.elf`,
  );

  it('compares the handovers in two memory images', () => {
    const bytes = readFileSync(join(root, CORE));
    const release = bytes.indexOf('7.3.4\0', 0, 'latin1');
    bytes.write('7.3.5', release, 'latin1');
    const other = fileOf('other.elf', bytes);
    expect(kho(['diff', CORE, other])).toEqual({
      code: 1,
      stderr: '',
      stdout: `--- ${CORE}
+++ ${other}

kernel
  ~ release  "7.3.4" -> "7.3.5"

not compared: 4103 pages of 6 files and regions, which not both images hold
`,
    });
    const { code, stdout } = kho(['diff', CORE, other, '--json', '--fdt', '0x4b7000']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      kind: 'handover-diff',
      changes: [
        { part: 'kernel', kind: 'changed', of: [], field: 'release', before: '7.3.4', after: '7.3.5' },
      ],
      notes: [{ kind: 'unknown', text: expect.stringContaining('4103 pages') }],
      same: false,
    });
  });

  it('finds that a handover means the same in the formats of another release, both ways', () => {
    const folder = newFolder();
    const [older, back] = [join(folder, 'older.elf'), join(folder, 'back.elf')];
    expect(kho(['migrate', CORE, '--to', '7.1', '-o', older]).code).toBe(0);
    const { code, stdout } = kho(['diff', CORE, older, '--verbose']);
    expect(code).toBe(0);
    expect(stdout).toContain('They mean the same.\nencoded otherwise: the root: kho-v4 -> kho-v3\n');
    expect(kho(['migrate', older, '--to', '7.3', '-o', back]).code).toBe(0);
    expect(kho(['diff', older, back]).code).toBe(0);
    expect(kho(['diff', CORE, back]).code).toBe(0);
  });

  it('compares page tables and whole VT-d units of two images without a handover', () => {
    expect(kho(['diff', LEGACY ?? '', SCALABLE ?? '', '--root', '0x71d000,0x71e400'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    // Tables of devices 00:04.0 and 00:05.0.
    const { code, stdout } = kho(['diff', LEGACY ?? '', SCALABLE ?? '', '--pgd', '0x696d000,0x6982000']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^page table\n {2}[-+~] 0x/m);
    expect(stdout).toMatch(/^ {2}- 0x1000 \(4 KiB\) +rw 0x15d8000$/m);
  });

  it('refuses what makes no sense with images', () => {
    for (const [args, says] of [
      [[CORE, `${A}/fdt`], 'one input is a memory image and the other is not'],
      [[`${A}/fdt`, `${A}/fdt`, '--pgd', '0x1000'], '--fdt, --root and --pgd go with memory images'],
      [[CORE, CORE, '--pgd', '0x1001'], '--pgd: expected a multiple of 4096'],
      [[CORE, CORE, '--root', '0x1000', '--pgd', '0x1000'], 'choose one'],
      [[CORE, CORE, '--levels', '4'], '--levels and --first-stage go with --pgd'],
      [[CORE, CORE, '--pgd', '1,2,3'], 'expected one address or two'],
      [[LEGACY ?? '', LEGACY ?? ''], 'expected a root FDT'],
    ] as const) {
      const { code, stdout, stderr } = kho(['diff', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(says);
    }
  });
});
