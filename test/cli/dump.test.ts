// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import { hasDtc } from '../oracle/oracle.js';
import { fileOf, kho, khoAsync, newFolder, root } from './kho.js';

const FOLDER = 'fixtures/demo/out';
const BLOB = `${FOLDER}/fdt`;
const bytes = readFileSync(join(root, BLOB));

describe('kho dump of a blob from a real kernel', () => {
  it('shows a tree with native u64 as numbers', () => {
    expect(kho(['dump', BLOB])).toEqual({ code: 0, stderr: '', stdout: TREE });
  });

  it('takes stdin', () => {
    const run = kho(['dump', '-'], { input: bytes });
    expect(run).toEqual({ code: 0, stderr: '', stdout: TREE.replace(BLOB, 'stdin') });
  });

  it('explains every byte as hex, and the bytes are those of the blob', () => {
    const { stdout, code } = kho(['dump', BLOB, '--format', 'hex']);
    expect(code).toBe(0);
    const hex = [...stdout.matchAll(/^[0-9a-f]{8} {2}((?:[0-9a-f]{2} )*[0-9a-f]{2}) +\|/gm)].map(
      (row) => row[1],
    );
    expect(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex').equals(bytes)).toBe(true);
    expect(stdout).toContain('|...Y|              totalsize 0x159 (345)\n');
    expect(stdout).toContain('|.`K.....|            value of preserved-memory-map 0x4b6000 little-endian\n');
  });

  it.skipIf(!hasDtc())('prints a source that dtc makes the same bytes of as of the blob', () => {
    const { stdout } = kho(['dump', BLOB, '--format', 'dts']);
    const ofSource = execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb'], { input: stdout });
    const ofBlob = execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dtb', join(root, BLOB)]);
    expect(ofSource.equals(ofBlob)).toBe(true);
  });

  it('prints JSON with u64 as hex strings', () => {
    const short = kho(['dump', BLOB, '--json']);
    expect(short).toEqual(kho(['dump', BLOB, '--format', 'json']));
    const document: unknown = JSON.parse(short.stdout);
    expect(document).toMatchObject({
      schemaVersion: 1,
      kind: 'fdt',
      header: { totalsize: 345, version: 17 },
      root: {
        properties: [
          { name: 'compatible', value: '6b686f2d763400', strings: ['kho-v4'] },
          { name: 'preserved-memory-map', value: '00604b0000000000', u64: '0x4b6000' },
        ],
        children: [{ name: 'memblock' }, { name: 'LUO' }, { name: 'kexec-metadata' }],
      },
      issues: [],
    });
  });

  it('ignores what follows totalsize, as debugfs files may have it', () => {
    const run = kho(['dump', '-'], { input: Buffer.concat([bytes, Buffer.alloc(4096 - bytes.length)]) });
    expect(run.stdout).toBe(TREE.replace(BLOB, 'stdin'));
  });
});

describe('kho dump of a debugfs folder', () => {
  it('shows root, scratch and every blob', () => {
    const { code, stdout, stderr } = kho(['dump', FOLDER]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(FOLDER_TEXT);
  });

  it('finds out and in below the folder', () => {
    const { stdout, code } = kho(['dump', 'fixtures/demo']);
    expect(code).toBe(0);
    expect(stdout).toBe(FOLDER_TEXT);
  });

  it('prints JSON', () => {
    const { stdout } = kho(['dump', FOLDER, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      kind: 'debugfs',
      sides: [
        {
          scratch: [{ address: '0x18c00000', size: '0x6000000' }, {}, {}],
          fdt: { header: { totalsize: 345 } },
          blobs: [
            { name: 'memblock', address: '0x67e000', fdt: { root: { children: [{ name: 'trace0' }, {}] } } },
            { name: 'LUO', length: 32, bytes: expect.stringMatching(/^6c756f2d7635/) },
            { name: 'kexec-metadata', declaredSize: '0x49' },
          ],
          issues: [],
        },
      ],
    });
  });

  it('refuses a folder of something else in one line', () => {
    const { code, stdout, stderr } = kho(['dump', 'src']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kho: src: NOT_KHO_FOLDER: expected a file "fdt".*\n$/);
  });

  it('names the file that is damaged', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'fdt'), bytes.subarray(0, 300));
    const { code, stdout, stderr } = kho(['dump', folder]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `kho: ${folder}/fdt: 0x12c: TRUNCATED: totalsize says 345 bytes, the input has 300\n`,
    );
  });
});

describe('kho dump of damaged and hostile blobs', () => {
  it('says one line and exits with 2 wherever the blob is cut', async () => {
    const folder = newFolder();
    const lengths = [0, 1, 27, 28, 39, 40, 55, 56, 343, 344];
    for (let length = 61; length < bytes.length; length += 7) lengths.push(length);
    for (let at = 0; at < lengths.length; at += 4) {
      const runs = lengths.slice(at, at + 4).map(async (length) => {
        const file = join(folder, `cut-${length}`);
        writeFileSync(file, bytes.subarray(0, length));
        const { code, stdout, stderr } = await khoAsync(['dump', file]);
        expect({ length, code, stdout }).toEqual({ length, code: 2, stdout: '' });
        expect(stderr).toMatch(/^kho: \S+cut-\d+: 0x[0-9a-f]+: TRUNCATED: .+\n$/);
      });
      await Promise.all(runs);
    }
  });

  it('shows with --tolerant what can be saved, and lists the rest', () => {
    const file = fileOf('cut', bytes.subarray(0, 320));
    const { code, stdout, stderr } = kho(['dump', file, '--tolerant']);
    expect(code).toBe(1);
    expect(stdout).toContain('│ compatible            "kho-v4"\n');
    expect(stderr.split('\n')[0]).toBe(
      `kho: ${file}: 0x140: TRUNCATED: totalsize says 345 bytes, the input has 320`,
    );
  });

  it('lets no control character of a name or value through, in any format', () => {
    const evil = '\u001b]0;owned\u0007\u009b2J\r\n\u007f';
    const blob = encodeFdt({
      reservations: [],
      bootCpuid: 0,
      root: {
        name: '',
        properties: [{ name: evil, value: Buffer.from(`${evil}\0`, 'latin1') }],
        children: [{ name: evil, properties: [], children: [] }],
      },
    });
    const file = fileOf('evil', blob);
    for (const format of ['tree', 'json', 'hex']) {
      const { stdout, code } = kho(['dump', file, '--format', format]);
      expect({ format, code }).toEqual({ format, code: 0 });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may appear
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
    const { stderr, code } = kho(['dump', file, '--format', 'dts']);
    expect(code).toBe(2);
    expect(stderr.trimEnd()).toMatch(/^kho: [ -~]+$/);
  });

  it('reads and writes large pipes completely', () => {
    const child = (index: number) => ({ name: `n${index}`, properties: [], children: [] });
    const root = {
      name: '',
      properties: [],
      children: Array.from({ length: 100_000 }, (_, index) => child(index)),
    };
    const file = fileOf('large', encodeFdt({ reservations: [], bootCpuid: 0, root }));
    const { stdout, code } = kho(['dump', file]);
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBe(100_003);
    expect(stdout.endsWith('└─ n99999\n')).toBe(true);
    // Through a pipe, whose size nobody knows.
    const piped = kho(['dump', '-'], { input: readFileSync(file) });
    expect(piped.stdout === stdout.replace(file, 'stdin')).toBe(true);
  });
});

const TREE = `fixtures/demo/out/fdt  FDT version 17, 345 bytes, 4 nodes
/
│ compatible            "kho-v4"
│ preserved-memory-map  0x4b6000
├─ memblock
│    blob-size       0x126 (294 bytes)
│    preserved-data  0x67e000
├─ LUO
│    blob-size       0x20 (32 bytes)
│    preserved-data  0x680000
└─ kexec-metadata
     blob-size       0x49 (73 bytes)
     preserved-data  0x4bd000
`;

const FOLDER_TEXT = `fixtures/demo/out  KHO folder, 3 blobs, 3 scratch regions

${TREE.replace('fixtures/demo/out/', '')}
scratch  memory the next kernel boots in
  0x18c00000 - 0x1ebfffff (96 MiB)
  0x17c00000 - 0x18bfffff (16 MiB)
  0x14c00000 - 0x17bfffff (48 MiB)

sub_fdts/memblock  FDT version 17, 294 bytes, 3 nodes, at 0x67e000
/
│ compatible  "memblock-v1"
├─ trace0
│    compatible  "reserve-mem-v1"
│    start       0x1ee00000
│    size        0x400000 (4 MiB)
└─ oops1
     compatible  "reserve-mem-v1"
     start       0x1fcf0000
     size        0x13000 (76 KiB)

sub_fdts/LUO  packed struct, not decoded yet, 32 bytes, at 0x680000
  00000000  6c 75 6f 2d 76 35 00 00 01 00 00 00 00 00 00 00  |luo-v5..........|
  00000010  00 50 6a 00 00 00 00 00 00 f0 67 00 00 00 00 00  |.Pj.......g.....|

sub_fdts/kexec-metadata  packed struct, not decoded yet, 73 bytes, at 0x4bd000
  00000000  01 00 00 00 37 2e 33 2e 34 00 00 00 00 00 00 00  |....7.3.4.......|
  00000010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  |................|
  *
  00000040  00 00 00 00 00 01 00 00 00                       |.........|
`;
