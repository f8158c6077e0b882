// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PageStore, writeCore } from '../../src/image/index.js';
import { truthOf } from '../vtd/truth.js';
import { fileOf, kho, newFolder, program, root } from './kho.js';

const LEGACY = 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf';
const SCALABLE = 'fixtures/kernel-7.3.4/vtd-scalable.trimmed.elf';
const { registers } = truthOf('vtd-scalable');
const UNIT = [SCALABLE, '--root', registers.RTADDR];
const DEVICE = [...UNIT, '--device', '00:04.0'];

interface Document {
  readonly [member: string]: unknown;
  readonly extents: readonly { iova: string; phys: string; length: string; perm: string }[];
  readonly pages: readonly { level: number; pages: readonly string[] }[];
  readonly findings: readonly unknown[];
}

const document = (args: readonly string[]): Document => JSON.parse(kho(['vtd', ...args, '--json']).stdout);

describe('kho vtd domains', () => {
  it('lists domains with their devices and tables', () => {
    const { code, stdout, stderr } = kho(['vtd', 'domains', ...UNIT]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^root table 0x71e000 {2}scalable mode, 7 devices\n/);
    expect(stdout).toMatch(
      /\n {2}3 +second-stage +48 bits +0x6981000, 4 levels +0000:00:04\.0, 0000:00:06\.0\n/,
    );
    expect(stdout).toMatch(/4 domains; table pages: 1 root, 2 context, 7 PASID directory, 7 PASID\n$/);
  });

  it('prints them as JSON', () => {
    const found = document(['domains', ...UNIT, '--cap', registers.CAP, '--ecap', registers.ECAP]);
    expect(found).toMatchObject({
      schemaVersion: 1,
      kind: 'vtd-domains',
      mode: 'scalable',
      root: '0x71e000',
      findings: [],
    });
    expect(found['domains']).toMatchObject([
      { did: 2 },
      {
        did: 3,
        type: 'second-stage',
        width: 48,
        firstStage: null,
        secondStage: { stage: 'second', table: '0x6981000', levels: 4 },
        attachments: [
          { devices: ['0000:00:04.0'], more: 0, pasid: 0 },
          { devices: ['0000:00:06.0'], more: 0, pasid: 0 },
        ],
      },
      { did: 4 },
      { did: 6 },
    ]);
  });

  it('names findings, and the mode that fits', () => {
    const { code, stdout, stderr } = kho(['vtd', 'domains', SCALABLE, '--root', '0x71e000']);
    expect(code).toBe(1);
    expect(stdout).toContain('  finding  pa 0x71e000 bus 00: RESERVED_BITS: bits 127:64 (reserved)');
    expect(stderr).toBe(`kho: ${SCALABLE}: in scalable mode there is no finding: try --mode scalable\n`);
    const chosen = kho(['vtd', 'domains', SCALABLE, '--root', '0x71e000', '--mode', 'scalable']);
    expect(chosen).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('kho vtd walk', () => {
  const walked = document(['walk', ...DEVICE]);

  it('prints the mappings of a device as JSON', () => {
    expect(Object.keys(walked)).toEqual(['schemaVersion', 'kind', 'domain', 'extents', 'pages', 'findings']);
    expect(walked).toMatchObject({
      schemaVersion: 1,
      kind: 'vtd-walk',
      domain: {
        device: '0000:00:04.0',
        pasid: 0,
        did: 3,
        type: 'second-stage',
        stage: 'second',
        table: '0x6981000',
        levels: 4,
        width: 48,
      },
      findings: [],
    });
    const frames = truthOf('vtd-scalable')
      .areas.filter(({ ioas, mapped }) => ioas === 1 && mapped)
      .reduce((sum, { length }) => sum + BigInt(length), 0n);
    expect(walked.extents.reduce((sum, { length }) => sum + BigInt(length), 0n)).toBe(frames);
    expect(walked.extents[0]).toEqual({ iova: '0x1000', phys: '0x15d8000', length: '0x1000', perm: 'rw' });
    expect(walked.extents.map(({ perm }) => perm)).toContain('-w');
    expect(walked.pages.map(({ level, pages }) => [level, pages.length])).toEqual([
      [4, 1],
      [3, 2],
      [2, 7],
      [1, 9],
    ]);
    expect(walked.pages[0]?.pages).toEqual(['0x6981000']);
  });

  it('says the same in every format, to stdout and into a file', () => {
    const expected = walked.extents;
    const jsonl = kho(['vtd', 'walk', ...DEVICE, '--format', 'jsonl']).stdout;
    expect(
      jsonl
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(expected);
    const csv = kho(['vtd', 'walk', ...DEVICE, '--format', 'csv'])
      .stdout.trimEnd()
      .split('\n');
    expect(csv[0]).toBe('iova,phys,length,perm,page,flags');
    const parsed = csv.slice(1).map((line) => {
      const [iova, phys, length, perm] = line.split(',');
      return { iova, phys, length, perm };
    });
    expect(parsed).toEqual(expected);
    const path = join(newFolder(), 'out');
    const { code, stdout } = kho(['vtd', 'walk', ...DEVICE, '--format', 'csv', '-o', path]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toEqual(csv);
    expect(readdirSync(dirname(path))).toEqual(['out']);
  });

  it('writes columns that a program reads back', () => {
    const path = join(newFolder(), 'columns');
    expect(kho(['vtd', 'walk', ...DEVICE, '--format', 'columns', '-o', path]).code).toBe(0);
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 8)).toBe('KHOEXT01');
    const [header, rows] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
    expect(bytes.length).toBe(header + rows * 26);
    const hex = (column: number, row: number): string =>
      `0x${(bytes.readBigUInt64LE(header + (column * rows + row) * 8) << 12n).toString(16)}`;
    walked.extents.forEach(({ iova, phys, length, perm }, row) => {
      const bits = bytes.readUInt16LE(header + rows * 24 + row * 2);
      const shown = `${bits & 1 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}`;
      expect([hex(0, row), hex(1, row), hex(2, row), shown]).toEqual([iova, phys, length, perm]);
    });
    expect(hex(2, walked.extents.length)).toBe('0x0');
  });

  it('shows a picture of what is mapped, as wide as it may', () => {
    for (const width of [60, 100]) {
      const { stdout } = kho(['vtd', 'walk', ...DEVICE, '--summary'], { env: { COLUMNS: `${width}` } });
      expect(stdout).toMatch(/\n {2}▅ 2 MiB +35 +70 MiB +5\n/);
      expect(stdout).toMatch(/\n {2}0x0000000040000000 +64 MiB {2}▅+\n/);
      expect(stdout).not.toContain('\u001b');
      const bars = stdout.split('\n').filter((line) => line.startsWith('  0x'));
      expect(Math.max(...bars.map((line) => line.length))).toBe(width);
    }
    const env = { FORCE_COLOR: '1' };
    expect(kho(['vtd', 'walk', ...DEVICE, '--summary'], { env }).stdout).toContain('\u001b[');
  });

  it('takes a table of a processor, and a part of the addresses', () => {
    const { cr3 } = truthOf('vtd-legacy');
    const cpu = ['walk', LEGACY, '--pgd', cr3, '--levels', '4', '--first-stage'];
    const { domain, extents } = document(cpu);
    expect(domain).toMatchObject({
      device: null,
      did: null,
      type: 'first-stage',
      stage: 'first',
      table: cr3,
    });
    expect(extents.at(-1)).toMatchObject({ iova: '0xffffffffff5fd000', phys: '0xfee00000' });
    const part = document([...cpu, '--only', '0xffffffffff5fd000:4K']);
    expect(part.extents).toEqual(extents.slice(-1));
  });

  it('says why there is nothing to walk', () => {
    const { code, stdout, stderr } = kho(['vtd', 'walk', ...UNIT, '--device', '00:07.0']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`kho: ${SCALABLE}: 0000:00:07.0: 0x723700: NOT_PRESENT: `);
    const outside = kho(['vtd', 'walk', LEGACY, '--pgd', '0x99999000']);
    expect(outside.code).toBe(1);
    expect(outside.stdout).toContain('OUTSIDE_IMAGE');
  });

  it('shows pass-through', () => {
    const memory = new PageStore();
    memory.writeU64(0x1000n, 0x2001n);
    memory.writeU64(0x2000n, 9n);
    memory.writeU64(0x2008n, 0x102n);
    const path = join(newFolder(), 'core');
    writeCore(memory, path, [{ pfn: 1, count: 2 }]);
    const args = [path, '--root', '0x1000', '--device', '00:00.0'];
    expect(kho(['vtd', 'walk', ...args])).toMatchObject({
      code: 0,
      stdout: '0000:00:00.0  domain 1, pass-through, addresses are physical addresses\n',
    });
    expect(document(['walk', ...args])).toMatchObject({
      domain: { type: 'pass-through', table: null },
      extents: [],
      pages: [],
    });
    expect(kho(['vtd', 'translate', ...args, '0x1234'])).toMatchObject({ code: 0 });
  });

  it('writes columns to no terminal and leaves no file behind when it fails', () => {
    const path = join(newFolder(), 'out');
    writeFileSync(path, 'before');
    const { code } = kho(['vtd', 'walk', ...UNIT, '--device', '00:07.0', '-o', path]);
    expect(code).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(dirname(path))).toEqual(['out']);
    const core = join(newFolder(), 'core.elf');
    writeFileSync(core, readFileSync(join(root, LEGACY)));
    const same = kho(['vtd', 'walk', core, '--pgd', '0x696e000', '-o', core]);
    expect(same.stderr).toContain('is the image; it is not overwritten');
    const typed = `${process.execPath} ${program} vtd walk ${LEGACY} --pgd 0x696e000 --format columns`;
    const terminal = spawnSync('script', ['-qec', typed, '/dev/null'], { cwd: root, encoding: 'utf8' });
    expect(terminal.stdout).toContain('columns are bytes');
  });
});

describe('kho vtd translate', () => {
  it('shows every entry on the way', () => {
    const { code, stdout } = kho(['vtd', 'translate', ...DEVICE, '0x200123']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^0x200123 -> 0x200123 {2}rw, 2 MiB page\n/);
    expect(stdout).toMatch(
      /\n {2}PASID entry +0x768000 +0x3:0x6981089 +P, AW 0x2, PGTT 0x2 \(second-stage\)/,
    );
    expect(stdout).toMatch(
      /\n {2}second-stage level 2 \[1\] +0x6984008 +0x200083 +R, W, PS, ADDR 0x200000\n$/,
    );
  });

  it('prints JSON, faults included', () => {
    expect(document(['translate', ...DEVICE, '0x2000'])).toMatchObject({
      kind: 'vtd-translate',
      iova: '0x2000',
      phys: '0x15d7000',
      pageSize: 4096,
      perm: 'r-',
      fault: null,
    });
    expect(document(['translate', ...DEVICE, '0x2000', '--access', 'write'])).toMatchObject({
      phys: null,
      fault: { code: 'NO_WRITE' },
    });
    expect(kho(['vtd', 'translate', ...DEVICE, '0x2000', '--access', 'write']).code).toBe(1);
    expect(kho(['vtd', 'translate', ...DEVICE, '0xc80000']).stdout).toContain(
      'NOT_PRESENT in the second stage',
    );
    expect(document(['translate', ...UNIT, '--device', '00:07.0', '0'])).toMatchObject({
      phys: null,
      fault: { code: 'NOT_PRESENT' },
    });
  });
});

describe('kho vtd diff', () => {
  const both = ['vtd', 'diff', LEGACY, SCALABLE, '--root', '0x71d000', '--other-root', registers.RTADDR];

  it('finds the same mappings in tables of two modes of two guests', () => {
    const { code, stdout, stderr } = kho([...both, '-d', '00:05.0']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\n {2}0 differences, 0 bytes; 11 pairs of table pages, 6 equal\n$/);
  });

  it('tells what another device sees differently', () => {
    const args = [
      'vtd',
      'diff',
      LEGACY,
      LEGACY,
      '--root',
      '0x71d000',
      '-d',
      '00:05.0',
      '--other-device',
      '00:04.0',
    ];
    const { code, stdout } = kho([...args, '--json']);
    expect(code).toBe(1);
    const found: { differences: { iova: string; kind: string }[] } = JSON.parse(stdout);
    expect(found).toMatchObject({
      kind: 'vtd-diff',
      same: false,
      before: { device: '0000:00:05.0', table: '0x696e000' },
      after: { device: '0000:00:04.0', table: '0x696d000' },
      missingTables: 0,
      leftOut: 0,
    });
    expect(found.differences.slice(0, 2)).toEqual([
      {
        iova: '0x0',
        length: '0x1000',
        kind: 'removed',
        before: { phys: '0x1368000', perm: 'rw' },
        after: null,
      },
      {
        iova: '0x1000',
        length: '0x1000',
        kind: 'added',
        before: null,
        after: { phys: '0x15d8000', perm: 'rw' },
      },
    ]);
    expect(found.differences.map(({ kind }) => kind)).toContain('changed');
    expect(kho(args).stdout).toContain('- 0x0000000000000000  4 KiB        0x1368000 rw -> not mapped\n');
  });

  it('says which side has no table', () => {
    const { code, stderr } = kho([...both, '-d', '00:05.0', '--other-device', '00:07.0']);
    expect(code).toBe(2);
    expect(stderr).toContain(`kho: ${SCALABLE}: 0000:00:07.0: 0x723700: NOT_PRESENT`);
  });
});

describe('kho vtd irt and dmar', () => {
  it('show what is there', () => {
    const memory = new PageStore();
    memory.writeU64(0x1000n, 0x410001n);
    memory.writeU64(0x1008n, 0x4_00f8n);
    memory.writeU64(0x1020n, 1n | (1n << 15n) | (3n << 38n));
    const path = join(newFolder(), 'core');
    writeCore(memory, path, [{ pfn: 1, count: 1 }]);
    const { code, stdout } = kho(['vtd', 'irt', path, '--irta', '0x1007']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/0 +remapped +00:1f\.0 +0x41 +physical APIC 0x0, fixed, edge\n/);
    expect(stdout).toMatch(/2 +posted +anyone +0x0 +descriptor 0xc0\n/);
    expect(document(['irt', path, '--irta', '0x1007'])).toMatchObject({
      kind: 'vtd-irt',
      interrupts: [
        { index: 0, kind: 'remapped', source: '00:1f.0' },
        { index: 2, kind: 'posted', descriptor: '0xc0' },
      ],
    });
    expect(kho(['vtd', 'irt', path, '--irta', '0x100f']).code).toBe(1);
  });

  it('decode the table of ACPI', () => {
    const file = 'fixtures/kernel-7.3.4/DMAR';
    const { code, stdout } = kho(['vtd', 'dmar', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^DMAR {2}48-bit physical addresses/);
    expect(stdout).toContain('  DRHD    base 0xfed90000\n          IOAPIC ff:00.0\n');
    expect(document(['dmar', file])).toMatchObject({
      kind: 'vtd-dmar',
      hostBits: 48,
      structures: [
        {
          name: 'DRHD',
          fields: { base: '0xfed90000' },
          scopes: [{ kind: 'IOAPIC', path: 'ff:00.0' }, {}, {}, {}, {}, {}, {}, {}],
        },
      ],
    });
    const broken = readFileSync(join(root, file));
    broken[60] = 1;
    expect(kho(['vtd', 'dmar', '-'], { input: broken })).toMatchObject({ code: 1 });
    expect(kho(['vtd', 'dmar', fileOf('x', 'no')]).stderr).toContain('starts with "DMAR"');
  });
});

describe('kho vtd', () => {
  it.each([
    [['walk', LEGACY], 'expected --root RTADDR with --device, or --pgd ADDRESS'],
    [['walk', LEGACY, '--root', '0x71d000'], '--root goes with --device'],
    [['walk', LEGACY, '--root', '0x71d000', '--device', '00:40.0'], '--device: expected BUS:DEVICE.FUNCTION'],
    [['walk', LEGACY, '--root', '0x71d000', '--device', '00:04.0', '--pasid', '1'], 'a PASID in legacy mode'],
    [['walk', LEGACY, '--root', '0x71d800', '--device', '00:04.0'], 'mode 2 (bits 11:10) is reserved'],
    [['walk', LEGACY, '--pgd', '0x1000', '--levels', '7'], 'levels, not 7'],
    [['walk', LEGACY, '--pgd', '0x1000', '--json', '--format', 'csv'], '--json and --format'],
    [['walk', LEGACY, '--pgd', '0x1000', '--only', '5'.repeat(30)], '--only: expected IOVAs of 64 bits'],
    [['domains', LEGACY, '--root', '0x71d000', '--summary'], '--summary goes with kho vtd walk'],
    [['translate', LEGACY, '--pgd', '0x696e000'], 'expected kho vtd translate IMAGE OPTIONS IOVA'],
  ])('refuses %j in one line', (args, text) => {
    const { code, stdout, stderr } = kho(['vtd', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr.split('\n').length).toBe(2);
  });

  it('has help with examples, and completion', () => {
    const { stdout } = kho(['vtd', '--help']);
    expect(stdout).toContain('kho vtd translate vmcore --root 0x71e400 --device 00:04.0 0x12345678');
    expect(stdout).toMatch(/Exit codes: 0 done or same, 1 differences/);
    expect(kho(['completion', 'bash']).stdout).toContain("words='domains walk translate");
  });
});
