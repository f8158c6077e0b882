// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder, root } from './kho.js';

const CORE = 'fixtures/image/core.elf';
const GUEST = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
const PARTS = [1, 2, 3].map((part) => `fixtures/image/kho-luo.part${part}.kdump`);

const json = (args: readonly string[]): unknown => JSON.parse(kho(['image', ...args, '--json']).stdout);

describe('kho image info', () => {
  it('tells format, machine, ranges, holes and page counts', () => {
    const { code, stdout, stderr } = kho(['image', 'info', 'fixtures/image/core.E-d1.elf']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^fixtures\/image\/core\.E-d1\.elf\n {2}format +elf-core\n {2}machine +x86_64\n/);
    expect(stdout).toMatch(/pages +44 \(176 KiB\)\n {2}excluded pages +4 \(16 KiB\)\n/);
    expect(stdout).toContain('    0x4b6000 - 0x4bdfff (32 KiB)\n    0x4be000 - 0x66ffff (~1.69 MiB) hole\n');
    expect(stdout).toContain('    0x6b3000 - 0x6b3fff (4 KiB) excluded\n');
    const short = kho(['image', 'info', CORE, '--ranges', '2']).stdout;
    expect(short).toContain('… (--ranges N shows more)');
  });

  it('prints JSON with addresses as strings', () => {
    expect(json(['info', 'fixtures/image/core.lzo.flat', '--ranges', '1'])).toMatchObject({
      schemaVersion: 1,
      kind: 'image-info',
      image: {
        format: 'kdump',
        flattened: true,
        machine: null,
        io: 'read',
        facts: { compression: 'lzo', 'block size': 4096 },
        pages: { present: 48, excluded: 0 },
        ranges: [{ start: '0x200000', end: '0x202000', state: 'present' }],
        more: true,
      },
    });
  });

  it('takes the files of a split set, and addresses of raw files', () => {
    expect(json(['info', ...PARTS])).toMatchObject({ image: { pages: { present: 370 } } });
    const missing = kho(['image', 'info', PARTS[0] ?? '', PARTS[2] ?? '']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('a file of the split set is missing');
    const raw = fileOf('guest.raw', new Uint8Array(3 * 4096));
    expect(json(['info', raw, '--base', '0x1000', '--hole', '8K:4G'])).toMatchObject({
      image: {
        ranges: [
          { start: '0x1000', end: '0x2000' },
          { start: '0x100002000', end: '0x100004000' },
        ],
      },
    });
  });

  it('says how the file is read, and why, with --verbose', () => {
    const { stderr } = kho(['image', 'info', CORE, '--io', 'read', '--verbose']);
    expect(stderr).toBe(`kho: ${CORE}: elf-core image, read\n`);
  });

  it.each([
    [['image', 'info', 'fixtures/demo/missing'], 'cannot open: ENOENT'],
    [['image', 'info', 'fixtures'], 'expected a regular file, found a directory'],
    [['image', 'info', CORE, '--base', '0x1000'], 'base and hole are for raw images'],
    [['image', 'info', CORE, '--base', '4x'], '--base: expected an address'],
    [['image', 'info', CORE, '--hole', '2G'], '--hole: expected START:LENGTH'],
    [['image', 'info', CORE, '--pages', '0'], 'go with kho image trim'],
    [['image', 'look', CORE], 'invalid values: Argument: action'],
    [['image', 'trim', CORE], 'needs --out FILE'],
  ])('refuses %j in one line', (args, text) => {
    const { code, stdout, stderr } = kho(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr.split('\n').length).toBe(2);
  });

  it('refuses a truncated file, or uses what there is with --clip', () => {
    const bytes = readFileSync(join(root, CORE));
    const file = fileOf('cut.elf', bytes.subarray(0, bytes.length - 5000));
    const refused = kho(['image', 'info', file]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('TRUNCATED');
    const clipped = kho(['image', 'info', file, '--clip']);
    expect(clipped.code).toBe(0);
    expect(clipped.stdout).toContain('note: truncated');
  });
});

describe('kho image find', () => {
  it.each([GUEST, 'fixtures/image/core.zstd.kdump'])('finds the handover in %s', (file) => {
    expect(kho(['image', 'find', file])).toEqual({
      code: 0,
      stdout: '0x4b7000: device tree kho-v4 (345 bytes)\n0x67e000: device tree memblock-v1 (294 bytes)\n',
      stderr: '',
    });
    expect(json(['find', file])).toMatchObject({
      kind: 'image-find',
      fdts: [{ address: '0x4b7000', size: 345, compatible: ['kho-v4'] }, { address: '0x67e000' }],
      setupData: [],
      otherFdts: 0,
    });
  });

  it('exits 1 where there is none', () => {
    const file = fileOf('empty.raw', new Uint8Array(4 * 4096));
    expect(kho(['image', 'find', file])).toEqual({
      code: 1,
      stdout: '',
      stderr: `kho: ${file}: no handover found\n`,
    });
  });

  it('looks through all of a file that takes many reads', () => {
    const blob = readFileSync(join(root, 'fixtures/kernel-7.3.4/kho-fdt.dtb'));
    const file = fileOf('large.raw', blob);
    truncateSync(file, 64 * 2 ** 20);
    appendFileSync(file, Buffer.concat([blob, Buffer.alloc(4096 - blob.length)]));
    expect(kho(['image', 'find', file, '--base', '0x1000'])).toEqual({
      code: 0,
      stdout: [0x1000, 0x1000 + 64 * 2 ** 20]
        .map((address) => `0x${address.toString(16)}: device tree kho-v4 (345 bytes)\n`)
        .join(''),
      stderr: '',
    });
  });
});

describe('kho image trim', () => {
  const hasReadelf = spawnSync('readelf', ['--version'], { stdio: 'ignore' }).status === 0;

  it('writes the chosen pages as a core that kho and readelf read', () => {
    const folder = newFolder();
    const out = join(folder, 'small.elf');
    const list = join(folder, 'list');
    writeFileSync(list, '0x4b7000 0x67e000:4096\n0x4b7008:8');
    for (const pages of ['0x4b7000,0x67e010', `@${list}`]) {
      expect(kho(['image', 'trim', 'fixtures/image/core.snappy.kdump', '-o', out, '--pages', pages])).toEqual(
        {
          code: 0,
          stdout: `${out}: 2 pages, 12 KiB\n`,
          stderr: '',
        },
      );
      expect(json(['info', out])).toMatchObject({
        image: {
          format: 'elf-core',
          ranges: [
            { start: '0x4b7000', end: '0x4b8000' },
            { start: '0x67e000', end: '0x67f000' },
          ],
        },
      });
      expect(kho(['image', 'find', out]).stdout).toContain('0x4b7000: device tree kho-v4');
    }
    if (!hasReadelf) return;
    const run = spawnSync('readelf', ['-lnW', out], { encoding: 'utf8' });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/LOAD +0x001000 0x0*4b7000 0x0*4b7000 0x001000/);
    expect(run.stdout).toContain('QEMU');
  });

  it('exits 1 and says so when wanted pages are missing', () => {
    const out = join(newFolder(), 'small.elf');
    const run = kho(['image', 'trim', CORE, '-o', out, '--pages', '0x4bd000:8K', '--json']);
    expect(run.code).toBe(1);
    expect(run.stderr).toBe(`kho: ${CORE}: 1 wanted page not in the image, the first at 0x4be000\n`);
    expect(JSON.parse(run.stdout)).toMatchObject({ kind: 'image-trim', pages: 1, absent: 1, excluded: 0 });
    const nothing = kho(['image', 'trim', CORE, '-o', out, '--pages', '0']);
    expect({ code: nothing.code, stdout: nothing.stdout }).toEqual({ code: 2, stdout: '' });
    expect(nothing.stderr).toContain('ABSENT');
  });

  it('writes what the handover is read from when nothing else is said', () => {
    const capture = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
    const out = join(newFolder(), 'small.elf');
    expect(kho(['image', 'trim', capture, '-o', out])).toMatchObject({ code: 0, stderr: '' });
    expect(kho(['diff', capture, out, '--placement']).code).toBe(0);
    const [before, after] = [capture, out].map((file) => kho(['verify', file]).stdout.replace(file, ''));
    expect(after).toBe(before);
  });

  it('writes the tables of a VT-d unit, with or without a handover', () => {
    const guest = 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf';
    const out = join(newFolder(), 'small.elf');
    expect(kho(['image', 'trim', guest, '-o', out, '--root', '0x71d000'])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(kho(['diff', guest, out, '--root', '0x71d000'])).toEqual({ code: 0, stdout: '', stderr: '' });
    const none = kho(['image', 'trim', guest, '-o', out]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('expected a root FDT');
  });

  it('does not overwrite the image', () => {
    const file = fileOf('core.elf', readFileSync(join(root, CORE)));
    const { code, stderr } = kho(['image', 'trim', file, '-o', file, '--pages', '0x4b7000']);
    expect(code).toBe(2);
    expect(stderr).toContain('is the image');
  });
});
