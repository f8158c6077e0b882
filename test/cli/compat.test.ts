// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, kho, newFolder } from './kho.js';

const FOLDER = 'fixtures/demo/out';

/** Rows of a table by their first words. */
const rows = (text: string): string[][] =>
  text
    .split('\n\n')[0]
    ?.split('\n')
    .map((line) => line.trim().split(/ {2,}/)) ?? [];

/**
 * Who accepts what, transcribed from the project's ABI reference (index.md, section 2; its footnotes 1 to 5 left out).
 * That table was worked out by reading kernel sources, before there was a registry.
 */
const DOCUMENTED: readonly (readonly string[])[] = [
  ['rfc-2024', '✔', '✖', '✖', '✖', '✖', '✖', '✖', '✖'],
  ['6.16', '✖', '✔', '☠', '☠', '☠', '✖', '✖', '✖'],
  ['6.17.9', '✖', '☠', '✔', '✔', '✔', '✖', '✖', '✖'],
  ['6.19', '✖', '☠', '✔', '✔', 'K', '✖', '✖', '✖'],
  ['7.0', '✖', '☠', '✔', '✔', '✔', '✖', '✖', '✖'],
  ['7.1', '✖', '✖', '✖', '✖', '✖', '✔', '✖', '✖'],
  ['7.2', '✖', '✖', '✖', '✖', '✖', '✖', '✔', '✔'],
  ['7.3', '✖', '✖', '✖', '✖', '✖', '✖', '✔', '✔'],
];

/** Cells that say more than the reference does, all for its footnote 3: LUO's state is not read by kernels without LUO. */
const FINER: ReadonlyMap<string, string> = new Map([
  ['6.19 6.17.9', '✔°'],
  ['7.0 6.17.9', '✔°'],
]);

describe('kho compat --matrix', () => {
  it('derives the documented matrix, differences being those that are explained', () => {
    const { stdout, code } = kho(['compat', '--matrix']);
    expect(code).toBe(0);
    const [head, ...found] = rows(stdout);
    const names = DOCUMENTED.map(([name]) => name ?? '');
    expect(head).toEqual(['from \\ to', ...names]);
    const expected = DOCUMENTED.map(([from = '', ...marks]) => [
      from,
      ...marks.map((mark, index) => FINER.get(`${from} ${names[index]}`) ?? mark),
    ]);
    expect(found).toEqual(expected);
  });

  it('prints JSON', () => {
    const document = JSON.parse(kho(['compat', '--matrix', '--json']).stdout);
    expect(document).toMatchObject({ schemaVersion: 1, kind: 'compat-matrix' });
    expect(document.rows[1]).toMatchObject({
      from: '6.16',
      to: { '6.17.9': 'misread', '7.3': 'plain-boot' },
    });
  });
});

describe('kho compat of releases', () => {
  const prediction = (old: string, next: string) => {
    const { stdout, code } = kho(['compat', old, next, '--json']);
    const { parts, verdict } = JSON.parse(stdout);
    const effects = Object.fromEntries(
      parts.map((part: { component: string; effect: string }) => [part.component, part.effect]),
    );
    return { code, verdict, effects };
  };

  it('says that 7.2 and 7.3 understand each other, as was seen on running kernels', () => {
    for (const [old, next] of [
      ['7.2', '7.3'],
      ['7.3.4', '7.2.13'],
    ] as const) {
      const { code, verdict, effects } = prediction(old, next);
      expect({ code, verdict }).toEqual({ code: 0, verdict: 'restored' });
      expect(new Set(Object.values(effects))).toEqual(new Set(['restored']));
    }
  });

  it('loses all when the root is refused', () => {
    const { code, effects } = prediction('7.3', '7.1');
    expect(code).toBe(1);
    expect(effects).toMatchObject({
      'setup-data-kho': 'restored',
      'kho-root': 'plain-boot',
      luo: 'plain-boot',
      memfd: 'plain-boot',
      memblock: 'plain-boot',
    });
  });

  it('finds the point release at which bitmaps changed under one string', () => {
    expect(prediction('6.17.8', '6.16').verdict).toBe('restored');
    expect(prediction('6.17.8', '6.17.9').verdict).toBe('misread');
    expect(prediction('6.18.1', '6.17.20').verdict).toBe('restored');
  });

  it('tells where and why, for people', () => {
    const { stdout } = kho(['compat', '6.19', '7.0']);
    expect(stdout).toBe(`6.19 -> 7.0  something would be refused

  setup_data         setup-data-kho-32  restored                  setup-data-kho-32 is what it reads
  /                  kho-v1=B           restored                  kho-v1 is what it reads
  /LUO               luo-v1=plain       subsystem does not start  the string luo-v1 is the same, but it wants /luo-flb
  /memblock          memblock-v1        restored                  memblock-v1 is what it reads
  files of sessions  memfd-v1           subsystem does not start  lost with luo, which leads to it

  source: include/linux/kho/abi/luo.h, commit cc4adab164b7
  source: include/linux/kho/abi/luo.h, commit cab056f2aae7
`);
  });

  it('refuses what is no side', () => {
    for (const word of ['6.15', 'no-such-file', '']) {
      const { code, stderr } = kho(['compat', word, '7.3']);
      expect({ word, code }).toEqual({ word, code: 2 });
      expect(stderr).toMatch(/is no file, and no release with a handover/);
    }
    expect(kho(['compat', '7.3']).stderr).toContain('expected kho compat OLD NEW');
    expect(kho(['compat', 'src', '7.3']).stderr).toContain('NOT_KHO_FOLDER');
    expect(kho(['compat', 'README.md', '7.3']).stderr).toContain('NO_VERSION');
  });
});

describe('kho compat of blobs and folders', () => {
  it('takes a folder by what its blobs say', () => {
    const { stdout, code } = kho(['compat', FOLDER, '7.2']);
    expect(code).toBe(0);
    expect(stdout).toContain('  /LUO               luo-v5                        restored');
    expect(stdout).toContain('memfd-v2 (inferred)');
  });

  it('takes a root by what its nodes are called, a blob by itself', () => {
    const { parts } = JSON.parse(kho(['compat', `${FOLDER}/fdt`, '7.1', '--json']).stdout);
    expect(parts.map(({ component }: { component: string }) => component)).toEqual([
      'setup-data-kho',
      'kho-root',
      'luo',
      'kexec-metadata',
      'memblock',
      'memfd',
    ]);
    // By itself, without the root that other kernels would refuse first.
    const luo = kho(['compat', 'fixtures/luo-older/luo-v1-plain.dtb', '7.2']);
    expect(luo.stdout).toMatch(/\/LUO {2}luo-v1=plain {2}PANIC/);
    expect(luo.code).toBe(1);
    expect(kho(['compat', `${FOLDER}/sub_fdts/LUO`, '7.3']).code).toBe(0);
  });

  it('takes a blob as the kernel that wrote it', () => {
    expect(kho(['compat', '7.2', FOLDER]).code).toBe(0);
    expect(kho(['compat', '7.1', `${FOLDER}/fdt`]).code).toBe(1);
  });

  it('sees the parts of the RFC in their one tree', () => {
    const { stdout, code } = kho(['compat', 'fixtures/rfc-2024/reference.dtb', '7.3']);
    expect(code).toBe(1);
    for (const part of ['/iommufd ', '/intel-iommu ']) expect(stdout).toContain(part);
    expect(kho(['compat', 'fixtures/rfc-2024/reference.dtb', 'rfc-2024']).code).toBe(0);
  });

  it('keeps a side as a catalogue', () => {
    const file = fileOf('old.json', kho(['compat', FOLDER, '--catalogue']).stdout);
    const compare = (old: string) => JSON.parse(kho(['compat', old, '7.1', '--json']).stdout).parts;
    expect(compare(file)).toEqual(compare(FOLDER));
  });

  it('says what is wrong with a catalogue, and where', () => {
    const wrong = (json: unknown) => kho(['compat', fileOf('x.json', JSON.stringify(json)), '7.3']);
    const good = { schemaVersion: 1, kind: 'catalogue', writes: ['kho-v4'], reads: [], otherHandlers: [] };
    expect(wrong(good).code).toBe(0);
    expect(wrong({ ...good, kind: 'x' }).stderr).toContain('kind: BAD_CATALOGUE');
    expect(wrong({ ...good, writes: ['kho-v4', 'kho-v9'] }).stderr).toContain(
      'writes[1]: NO_VERSION: no version "kho-v9"',
    );
    expect(wrong({ ...good, reads: [4] }).stderr).toContain('reads[0]: BAD_CATALOGUE: expected a string');
    expect(kho(['compat', fileOf('x.json', '{'), '7.3']).stderr).toMatch(/not JSON/);
  });
});

const hasGcc = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasGcc) console.warn('SKIP kho compat of a vmlinux: gcc is not installed');

describe.skipIf(!hasGcc)('kho compat of a vmlinux', () => {
  /** An ELF file as gcc and ld make it, with the section of the RFC and a kernel's banner. */
  function vmlinux(handlers: readonly string[], banner: string, version = 1): string {
    const folder = newFolder();
    const entries = handlers.map((handler) => `.ascii "${handler}"; .zero ${48 - handler.length}`);
    const source = `.section .rodata,"a"; .asciz "Linux version %s"; .asciz "${banner}"
.section .liveupdate_versions,"a"; .long 0x4c565550; .long ${version}; ${entries.join('; ')}
.text; .globl _start; _start: ret
`;
    writeFileSync(join(folder, 'kernel.s'), source);
    const path = join(folder, 'vmlinux');
    execFileSync('gcc', ['-nostdlib', '-static', '-o', path, join(folder, 'kernel.s')]);
    return path;
  }

  it('takes file handlers from its section, the rest from its release', () => {
    const banner = 'Linux version 7.3.4-amd64 (build@host) #1 SMP';
    const same = vmlinux(['memfd-v2'], banner);
    expect(kho(['compat', '7.2', same])).toMatchObject({ code: 0, stderr: '' });
    const newer = kho(['compat', '7.3', vmlinux(['memfd-v3', 'vfio-v1'], banner), '--json']);
    expect(newer.code).toBe(1);
    const { parts } = JSON.parse(newer.stdout);
    expect(parts.at(-1)).toMatchObject({ component: 'memfd', effect: 'open-fails' });
    // A handler that no layout is declared for counts by its string.
    const old = vmlinux(['memfd-v2', 'vfio-v1'], banner);
    expect(kho(['compat', old, old]).code).toBe(0);
    expect(kho(['compat', old, same]).stdout).toMatch(/vfio-v1 +open fails/);
  });

  it('judges file handlers alone where there is no release', () => {
    const { stdout, code } = kho(['compat', vmlinux(['memfd-v1'], 'none'), '7.3']);
    expect(code).toBe(1);
    expect(stdout).toContain('no release found: only file handlers are judged');
    expect(stdout).toMatch(/memfd-v1 +open fails/);
  });

  it('refuses a section of another form, and an ELF file that is no kernel', () => {
    expect(kho(['compat', vmlinux([], 'x', 2), '7.3']).stderr).toMatch(/\.version: BAD_VALUE: expected 1/);
    expect(kho(['compat', process.execPath, '7.3']).stderr).toContain('NO_VERSION');
  });
});

describe('a memory image as a side', () => {
  it.each(['fixtures/kernel-7.3.4/kho-luo.trimmed.elf', 'fixtures/image/core.lzo.kdump'])(
    '%s says what the debugfs folder of the same guest says',
    (image) => {
      for (const release of ['7.3', '7.1']) {
        const [ofImage, ofFolder] = [image, FOLDER].map((side) => kho(['compat', side, release]));
        expect(ofImage?.code).toBe(ofFolder?.code);
        expect(rows(ofImage?.stdout ?? '').slice(1)).toEqual(rows(ofFolder?.stdout ?? '').slice(1));
        expect(ofImage?.stdout.split('\n').slice(1)).toEqual(ofFolder?.stdout.split('\n').slice(1));
      }
    },
  );

  it('is refused in one line when it holds no handover', () => {
    const file = 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf';
    const { code, stdout, stderr } = kho(['compat', file, '7.3']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `kho: ${file}: NO_VERSION: expected a version that is known, found nothing with a KHO root\n`,
    );
  });
});
