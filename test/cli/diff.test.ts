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
});
