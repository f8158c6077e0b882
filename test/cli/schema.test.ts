// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { families, versionName } from '../../src/schemas/index.js';
import { runSeed } from '../random.js';
import { fileOf, kho, root } from './kho.js';

const hasGcc = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasGcc) console.warn('SKIP headers of kho schema: gcc is not installed');

describe('kho schema list', () => {
  it('lists every version once, in columns', () => {
    const { stdout, code } = kho(['schema', 'list']);
    expect(code).toBe(0);
    const names = families.flatMap(({ versions }) => versions.map(versionName));
    const lines = stdout.split('\n').slice(0, -1);
    const column = Math.max(...families.map(({ name }) => name.length)) + 2;
    expect(lines.map((line) => line.slice(column).split(' ')[0])).toEqual(names);
    const { families: listed } = JSON.parse(kho(['schema', 'list', '--json']).stdout);
    expect(listed).toHaveLength(families.length);
  });
});

describe('kho schema show', () => {
  it('shows a struct, and what its pointers lead to', () => {
    const { stdout } = kho(['schema', 'show', 'kexec-metadata-v1']);
    expect(stdout).toContain(`offset  size  type                       name
0x0     73    struct kho_kexec_metadata  kho_kexec_metadata  Which kernel handed over, and how often that has happened
0x0     4     u32                        version             version of this struct; 1
0x4     65    char[65]                   previous_release    release of the kernel that handed over; ended by a NUL
0x45    4     u32                        kexec_count         handovers since the last cold boot; at least 1
`);
    expect(kho(['schema', 'show', 'luo-v5']).stdout).toContain('luo_file_block.files[].token');
  });

  it('takes a family of one version, and names the layouts of a string of several', () => {
    expect(kho(['schema', 'show', 'memblock']).stdout).toContain('memblock-v1 (Linux 6.16 on)');
    const { code, stderr } = kho(['schema', 'show', 'kho-v1']);
    expect(code).toBe(2);
    expect(stderr).toContain('kho-v1 names several layouts: kho-v1=tree, kho-v1=A, kho-v1=B');
    expect(kho(['schema', 'show', 'luo-v6']).stderr).toContain('did you mean "luo-v');
  });

  // A fourth of them each time; the reference has a page of each.
  it('shows every version in every form that it has', () => {
    for (const [index, name] of families.flatMap(({ versions }) => versions.map(versionName)).entries()) {
      if ((index + runSeed) % 4 !== 0) continue;
      const format = ['text', 'json', 'rst', 'md', 'svg'][index % 5] ?? 'text';
      const { code, stdout, stderr } = kho(['schema', 'show', name, '--format', format]);
      expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      if (format === 'json') expect(JSON.parse(stdout)).toMatchObject({ kind: 'schema', name });
    }
  });

  it.skipIf(!hasGcc)('makes headers that gcc agrees with', () => {
    const { stdout } = kho(['schema', 'show', 'luo-v5', '--format', 'c']);
    expect(stdout).toContain('_Static_assert(sizeof(struct luo_ser) == 32');
    const source = fileOf('header.c', stdout);
    expect(() => execFileSync('gcc', ['-fsyntax-only', source], { stdio: 'pipe' })).not.toThrow();
  });

  it('makes dt-schema of device trees only', () => {
    expect(kho(['schema', 'show', 'kho-v4', '--format', 'dt-schema']).stdout).toContain(
      'preserved-memory-map:',
    );
    expect(kho(['schema', 'show', 'luo-v5', '--format', 'yaml']).stderr).toContain('is a struct');
  });

  it('prints the page of the reference but for its example, and the index', () => {
    const { stdout } = kho(['schema', 'show', 'luo-v5', '--format', 'md']);
    const page = readFileSync(join(root, 'docs', 'reference', 'luo-v5.md'), 'utf8');
    expect(page.startsWith(`${stdout.trimEnd()}\n\n## Example\n`)).toBe(true);
    const index = readFileSync(join(root, 'docs', 'reference', 'README.md'), 'utf8');
    expect(kho(['schema', 'list', '--format', 'md']).stdout).toBe(index);
    expect(kho(['schema', 'list', '--format', 'svg']).stderr).toContain('prints text, json, md, rst');
  });

  it('makes a table of reStructuredText', () => {
    const { stdout } = kho(['schema', 'show', 'kho-v4', '--format', 'rst']);
    expect(stdout).toContain('\nkho-v4\n======\n');
    expect(stdout).toContain('     - ``/<subtrees>/blob-size``\n     - size of the blob; in bytes\n');
  });
});

describe('kho schema diff', () => {
  it('says what changed from memfd-v1 to memfd-v2', () => {
    const { stdout, code } = kho(['schema', 'diff', 'memfd', 'v1', 'v2']);
    expect(code).toBe(1);
    expect(stdout).toBe(`--- memfd-v1 (Linux 6.19 to 7.0)
+++ memfd-v2 (Linux 7.1 on)
~ memfd_luo_ser  size 40 -> 48
+ seals          u32 at 0x10, 4 bytes: seals of the file; no bits but 0x3f; SEAL 0x1, SHRINK 0x2, GROW 0x4, WRITE 0x8, FUTURE_WRITE 0x10, EXEC 0x20
+ flags          u32 at 0x14, 4 bytes: none are defined; zero
> nr_folios      offset 0x10 -> 0x18
> folios         offset 0x18 -> 0x20
`);
  });

  it('finds what differs behind pointers', () => {
    const { stdout } = kho(['schema', 'diff', 'kho-v1=A', 'kho-v1=B']);
    expect(stdout).toContain('~ kho_mem_phys_bits.preserve         size 512 -> 4096');
  });

  it('says when nothing does', () => {
    const same = kho(['schema', 'diff', 'memfd-v2', 'memfd-v2']);
    expect(same).toEqual({ code: 0, stdout: 'memfd-v2 and memfd-v2 have the same layout.\n', stderr: '' });
  });

  it('prints JSON, and helps with names', () => {
    const document = JSON.parse(kho(['schema', 'diff', 'kho-root', 'v3', 'v4', '--json']).stdout);
    expect(document).toMatchObject({ before: 'kho-v3', after: 'kho-v4', changes: [{ path: '/compatible' }] });
    expect(kho(['schema', 'diff', 'memfd', 'v1', 'v9']).stderr).toContain(
      'memfd has no version "v9"; there are',
    );
  });
});
