// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder } from './kho.js';

const log = 'fixtures/kernel-7.3.4/vtd-legacy.ioctl-log.jsonl';
const image = 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf';

describe('kho log', () => {
  it('converts to a blob and back without loss', () => {
    const blob = join(newFolder(), 'log.dtb');
    expect(kho(['log', 'convert', log, '--to', 'blob', '-o', blob])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(kho(['check', blob]).stdout).toBe(`${blob}: valid\n`);
    expect(kho(['log', 'convert', blob]).stdout).toBe(readFileSync(log, 'utf8'));
  });

  it("replays: 0 where every result is the kernel's, 1 where one is not", () => {
    expect(kho(['log', 'replay', log]).code).toBe(0);
    const wrong = readFileSync(log, 'utf8').replace('"out":{"pt_id":6}', '"out":{"pt_id":7}');
    const { code, stdout } = kho(['log', 'replay', '-'], { input: wrong });
    expect(code).toBe(1);
    expect(stdout).toContain('1 result not as the model says, 0 calls not replayed');
    expect(stdout).toMatch(/seq 9 +0000:00:05\.0 +DEVICE_ATTACH_IOMMUFD_PT +pt_id 7 +the model says 6/);
    const document = JSON.parse(kho(['log', 'replay', '-', '--json'], { input: wrong }).stdout);
    expect(document).toMatchObject({ schemaVersion: 1, kind: 'log-replay', calls: 35, missed: [] });
    expect(document.differences).toMatchObject([
      { seq: 9, field: 'pt_id', recorded: '7', replayed: '6', environment: false },
    ]);
    expect(document.iommufds[0]).toMatchObject({ file: 'iommufd', open: true });
  });

  it('minimises to a log that leaves the same objects', () => {
    const short = join(newFolder(), 'short.jsonl');
    const { code, stderr } = kho(['log', 'minimise', log, '-o', short]);
    expect([code, stderr]).toEqual([
      0,
      `kho: ${log}: 35 calls -> 31; replayed to the same state; no log can do with fewer\n`,
    ]);
    expect(kho(['log', 'diff', log, short])).toMatchObject({ code: 0 });
    const lines = readFileSync(short, 'utf8').trimEnd().split('\n');
    writeFileSync(short, `${lines.filter((line) => !line.includes('"iova":"0x3000"')).join('\n')}\n`);
    const changed = kho(['log', 'diff', log, short]);
    expect([changed.code, changed.stdout]).toEqual([
      1,
      `--- ${log}\n+++ ${short}\n-  iommufd  ioas 1 area  0x3000  0x2000 bytes, prot 6\n`,
    ]);
    expect(JSON.parse(kho(['log', 'diff', log, short, '--json']).stdout)).toMatchObject({
      kind: 'log-diff',
      differences: [{ code: 'ONLY_LEFT', what: 'area', left: 1, iova: '0x3000' }],
    });
  });

  it('refuses what it cannot know, and what is no log, with one line', () => {
    const strace = 'fixtures/ioctl-log/strace-f-y.txt';
    expect(kho(['log', 'minimise', strace])).toMatchObject({ code: 2, stdout: '' });
    expect(kho(['log', 'minimise', strace]).stderr).toContain(
      'INCOMPLETE: DEVICE_ATTACH_IOMMUFD_PT lacks its arguments',
    );
    const text = fileOf('x.txt', 'hello\n');
    expect(kho(['log', 'show', text])).toMatchObject({ code: 2, stdout: '' });
    expect(kho(['log', 'diff', log]).stderr).toContain('kho log diff takes two logs');
    expect(kho(['log', 'convert', log, '-o', log]).stderr).toContain('it is not overwritten');
  });

  it('escapes names of a log', () => {
    const input =
      '{"format":"iommufd-ioctl-log-v1"}\n{"file":"\\u001b[31m","kind":"iommufd"}\n{"seq":0,"thread":0,"file":"\\u001b[31m","call":"open"}\n';
    for (const action of ['show', 'replay', 'convert']) {
      const { stdout, code } = kho(['log', action, '-'], { input });
      expect([code, stdout.includes('\u001b')]).toEqual([0, false]);
    }
  });
});

describe('kho compare-approaches', () => {
  it('holds page tables against the log, and says what each approach costs', () => {
    const { code, stdout } = kho(['compare-approaches', image, '--log', log, '--root', '0x71d000', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'compare-approaches',
      calls: 35,
      tables: [
        { ioas: 1, table: '0x696d000', levels: 4, tablePages: 19, differences: 0 },
        { ioas: 2, table: '0x696e000', levels: 4, tablePages: 11, differences: 0 },
      ],
      approaches: [
        { name: 'structs', tableBytes: 122880, restores: { count: 78, what: 'fields' } },
        { name: 're-drive', tableBytes: 122880, restores: { count: 31, what: 'calls' } },
        { name: 'replay', tableBytes: 0, restores: { count: 31, what: 'calls' } },
      ],
    });
  });

  it('exits with 1 where the tables are something else', () => {
    const input = readFileSync(log, 'utf8').replace('"flags":5,"ioas_id":2', '"flags":7,"ioas_id":2');
    const { code, stdout } = kho([
      'compare-approaches',
      image,
      '--log',
      fileOf('l.jsonl', input),
      '--root',
      '0x71d000',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('ioas 2: table 0x696e000, 11 pages, 1 difference from what the log makes of it');
    expect(kho(['compare-approaches', '--log', log]).code).toBe(0);
    expect(kho(['compare-approaches', image, '--log', log]).code).toBe(2);
  });
});

describe('kho verify --ioctl-log', () => {
  const verify = (file: string) =>
    kho(['verify', image, '--ioctl-log', file, '--rtaddr', '0x71d000', '--json']);

  it('finds nothing where the page tables are what the calls made', () => {
    const { code, stdout } = verify(log);
    expect([code, JSON.parse(stdout).findings]).toEqual([0, []]);
  });

  it('says where they are not', () => {
    const input = readFileSync(log, 'utf8').replace('"flags":5,"ioas_id":2', '"flags":7,"ioas_id":2');
    const { code, stdout } = verify(fileOf('l.jsonl', input));
    expect(code).toBe(1);
    expect(JSON.parse(stdout).findings).toMatchObject([{ rule: 'ioas-permissions' }]);
  });

  it('takes one description of address spaces', () => {
    expect(kho(['verify', image, '--ioctl-log', log, '--areas', log]).code).toBe(2);
    expect(kho(['verify', image, '--rtaddr', '0x1000']).code).toBe(2);
  });
});
