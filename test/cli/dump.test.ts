// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import type { FdtTreeNode } from '../../src/fdt/tree.js';
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
      layout: { name: 'kho-v4', family: 'kho-root', confidence: 'certain' },
      value: { subtrees: [{ $name: 'memblock', 'blob-size': '0x126' }, {}, {}] },
      layoutIssues: [],
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
            {
              name: 'LUO',
              length: 32,
              bytes: expect.stringMatching(/^6c756f2d7635/),
              layout: { name: 'luo-v5', confidence: 'certain' },
              value: { liveupdate_num: '0x1', sessions_pa: '0x6a5000' },
            },
            { name: 'kexec-metadata', declaredSize: '0x49', value: { previous_release: '7.3.4' } },
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

describe('kho dump by layouts', () => {
  const property = (name: string, ...value: number[]) => ({ name, value: Uint8Array.from(value) });
  const compatible = (text: string) => ({ name: 'compatible', value: Buffer.from(`${text}\0`) });
  const blob = (properties: FdtTreeNode['properties'], children: FdtTreeNode[] = []): string =>
    fileOf('fdt', encodeFdt({ reservations: [], bootCpuid: 0, root: { name: '', properties, children } }));
  const v1 = blob([compatible('kho-v1'), property('preserved-memory-map', 0, 0x50, 0, 0, 0, 0, 0, 0)]);

  it('says which of the layouts of one string it took, how sure that is, and how to see another', () => {
    const { stdout, code } = kho(['dump', v1]);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toContain('  kho-v1=B (Linux 6.17.9 to 7.0), FDT');
    expect(stdout.split('\n')[1]).toMatch(
      /^layout kho-v1=B: likely, not certain; kho-v1=B and kho-v1=A fit the data; see also --variant kho-v1=A$/,
    );
  });

  it('takes the variant that it is told', () => {
    const lines = kho(['dump', v1, '--variant', 'kho-v1=A']).stdout.split('\n');
    expect(lines[0]).toContain('  kho-v1=A (Linux 6.16 to 6.17.8), FDT');
    expect(lines[1]).toBe('layout kho-v1=A: certain; you said so');
    const { layout } = JSON.parse(kho(['dump', v1, '--variant', 'kho-v1=A', '--json']).stdout);
    expect(layout).toMatchObject({ name: 'kho-v1=A', confidence: 'certain' });
  });

  it('refuses a variant that there is not, and names those there are', () => {
    const { code, stderr } = kho(['dump', v1, '--variant', 'kho-v1=C']);
    expect(code).toBe(2);
    expect(stderr).toContain('no variant "kho-v1=C"; there are kho-v1=tree, kho-v1=A, kho-v1=B');
  });

  it('shows unknown members raw and says so, and what is missing or breaks a rule', () => {
    const child = { name: 'x', properties: [property('odd', 1, 2, 3, 4)], children: [] };
    const file = blob(
      [compatible('kho-v4'), property('preserved-memory-map', 1, 0, 0, 0, 0, 0, 0, 0)],
      [child],
    );
    const { stdout } = kho(['dump', file]);
    expect(stdout).toContain('0x1 → radix tree (expected a multiple of 0x1000, found 0x1)\n');
    expect(stdout).toContain('odd  <0x01020304> (unknown property)\n');
    expect(stdout).toMatch(/blob-size +\(missing\)\n/);
    expect(JSON.parse(kho(['dump', file, '--json']).stdout).layoutIssues).toHaveLength(4);
  });

  it('decodes a packed struct by its name in debugfs, or by the layout that is named', () => {
    const path = `${FOLDER}/sub_fdts/LUO`;
    const body = FOLDER_TEXT.slice(FOLDER_TEXT.indexOf('  compatible      "luo-v5"')).split('\n\n')[0];
    expect(kho(['dump', path]).stdout).toBe(
      `${path}  luo-v5 (Linux 7.2 on), packed struct, 32 bytes\n${body}\n`,
    );
    const input = readFileSync(join(root, path));
    for (const schema of ['luo-v5', 'luo'])
      expect(kho(['dump', '-', '--schema', schema], { input }).stdout).toContain(`\n${body}\n`);
    const hex = kho(['dump', path, '--format', 'hex']).stdout;
    expect(hex).toContain('sessions_pa 0x6a5000 → struct luo_session_block\n');
  });

  it('spells out flags, and what is no part of a struct', () => {
    const memfd = new Uint8Array(60);
    memfd.set([0, 0x10], 8);
    memfd.set([0x45], 16);
    const { stdout } = kho(['dump', '-', '--schema', 'memfd-v2'], { input: memfd });
    expect(stdout).toContain('  seals      0x45 (SEAL, GROW, unknown 0x40)\n');
    expect(stdout).toContain('  size       0x1000 (4 KiB)\n');
    expect(stdout).toContain('broken rule  0x10 .seals: BAD_VALUE: expected no bits but 0x3f, found 69\n');
    expect(stdout).toContain('  12 bytes after the struct\n');
  });

  it('helps with the name of a layout', () => {
    expect(kho(['dump', BLOB, '--schema', 'kexec-metadata-v2']).stderr).toContain(
      'did you mean "kexec-metadata-v1"?',
    );
    expect(kho(['dump', BLOB, '--schema', 'huge-memfd']).stderr).toContain('does not say which version of');
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

const TREE = `fixtures/demo/out/fdt  kho-v4 (Linux 7.2 on), FDT version 17, 345 bytes, 4 nodes
/
│ compatible            "kho-v4"
│ preserved-memory-map  0x4b6000 → radix tree
├─ memblock
│    blob-size       0x126 (294 bytes)
│    preserved-data  0x67e000 → memblock
├─ LUO
│    blob-size       0x20 (32 bytes)
│    preserved-data  0x680000 → luo
└─ kexec-metadata
     blob-size       0x49 (73 bytes)
     preserved-data  0x4bd000 → kexec-metadata
`;

const FOLDER_TEXT = `fixtures/demo/out  KHO folder, 3 blobs, 3 scratch regions

${TREE.replace('fixtures/demo/out/', '')}
scratch  memory the next kernel boots in
  0x18c00000 - 0x1ebfffff (96 MiB)
  0x17c00000 - 0x18bfffff (16 MiB)
  0x14c00000 - 0x17bfffff (48 MiB)

sub_fdts/memblock  memblock-v1 (Linux 6.16 on), FDT version 17, 294 bytes, 3 nodes, at 0x67e000
/
│ compatible  "memblock-v1"
├─ trace0
│    compatible  "reserve-mem-v1"
│    start       0x1ee00000 → up to 0x1f1fffff
│    size        0x400000 (4 MiB)
└─ oops1
     compatible  "reserve-mem-v1"
     start       0x1fcf0000 → up to 0x1fd02fff
     size        0x13000 (76 KiB)

sub_fdts/LUO  luo-v5 (Linux 7.2 on), packed struct, 32 bytes, at 0x680000
  compatible      "luo-v5"
  liveupdate_num  1
  sessions_pa     0x6a5000 → struct luo_session_block
  flbs_pa         0x67f000 → struct luo_flb_header_ser

sub_fdts/kexec-metadata  kexec-metadata-v1 (Linux 7.1 on), packed struct, 73 bytes, at 0x4bd000
  version           1
  previous_release  "7.3.4"
  kexec_count       1
`;
