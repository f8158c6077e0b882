// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diffSides } from '../../src/kho/debugfs-diff.js';
import { isDebugfsFile, openDebugfsFolder } from '../../src/kho/debugfs-folder.js';

const out = join(import.meta.dirname, '..', '..', 'fixtures', 'demo', 'out');
const NAMES = [
  'fdt',
  'scratch_phys',
  'scratch_len',
  'sub_fdts/memblock',
  'sub_fdts/LUO',
  'sub_fdts/kexec-metadata',
];

/** The files of a real kernel, below `prefix`, some replaced. */
function files(replaced: Record<string, string | Uint8Array> = {}, prefix = ''): Map<string, Uint8Array> {
  const all = new Map<string, Uint8Array>(
    NAMES.map((name) => [prefix + name, readFileSync(join(out, name))]),
  );
  for (const [name, bytes] of Object.entries(replaced)) all.set(prefix + name, Buffer.from(bytes));
  return all;
}

describe('openDebugfsFolder on the files of a real kernel', () => {
  const [side] = openDebugfsFolder(files());

  it('reads the scratch regions', () => {
    expect(side?.scratch).toEqual([
      { address: 0x18c00000n, size: 96n << 20n },
      { address: 0x17c00000n, size: 16n << 20n },
      { address: 0x14c00000n, size: 48n << 20n },
    ]);
  });

  it('joins each blob with what the root FDT says of it', () => {
    expect(side?.blobs.map(({ bytes, ...blob }) => ({ ...blob, length: bytes.length }))).toEqual([
      { name: 'memblock', isFdt: true, address: 0x67e000n, declaredSize: 294n, length: 294 },
      { name: 'LUO', isFdt: false, address: 0x680000n, declaredSize: 32n, length: 32 },
      { name: 'kexec-metadata', isFdt: false, address: 0x4bd000n, declaredSize: 73n, length: 73 },
    ]);
    expect(side).toMatchObject({ direction: '', finalized: undefined, issues: [] });
  });
});

describe('openDebugfsFolder', () => {
  it('finds both directions', () => {
    const both = new Map([...files({}, 'in/'), ...files({ finalize: '1\n' }, 'out/')]);
    expect(openDebugfsFolder(both).map(({ direction, finalized }) => [direction, finalized])).toEqual([
      ['out', true],
      ['in', undefined],
    ]);
  });

  it('lists contradictions', () => {
    const broken = files({ scratch_len: '0x1000\n', 'sub_fdts/LUO': 'short', 'sub_fdts/zz': 'unnamed' });
    broken.delete('sub_fdts/memblock');
    const [side] = openDebugfsFolder(broken);
    expect(side?.issues.map(({ code, path }) => [code, path])).toEqual([
      ['SCRATCH_MISMATCH', 'scratch_len'],
      ['BLOB_MISSING', 'sub_fdts/memblock'],
      ['BLOB_SHORT', 'sub_fdts/LUO'],
    ]);
    expect(side?.scratch.length).toBe(1);
    expect(side?.blobs.map(({ name }) => name)).toEqual(['LUO', 'kexec-metadata', 'zz']);
  });

  it('throws for what is no KHO folder or not as the kernel writes it', () => {
    expect(() => openDebugfsFolder(new Map())).toThrow('NOT_KHO_FOLDER');
    expect(() => openDebugfsFolder(files({ scratch_phys: '12\u001b[2J' }))).toThrow(
      'scratch_phys: BAD_TEXT: expected 0x and hex digits, found "12\\x1b[2J"',
    );
    expect(() => openDebugfsFolder(files({ fdt: 'no tree' }))).toThrow('TRUNCATED');
  });

  it('wants only the names that the kernel uses', () => {
    const wanted = ['fdt', 'in/fdt', 'out/sub_fdts/LUO', 'sub_fdts/x', 'scratch_phys', 'finalize'];
    const unwanted = ['vmlinux', 'in', 'sub_fdts/a/b', 'other/fdt', 'out/in/fdt', ''];
    expect(wanted.filter(isDebugfsFile)).toEqual(wanted);
    expect(unwanted.filter(isDebugfsFile)).toEqual([]);
  });
});

describe('diffSides', () => {
  const kinds = (a: Map<string, Uint8Array>, b: Map<string, Uint8Array>): string[] =>
    Array.from(
      diffSides(openDebugfsFolder(a), openDebugfsFolder(b)),
      ({ where, change }) => `${where} ${change.kind}`,
    );

  it('finds each kind of difference, and none where there is none', () => {
    expect(kinds(files(), files())).toEqual([]);
    expect(kinds(files(), files({ finalize: '0' }))).toEqual(['finalize finalized']);
    expect(kinds(files(), files({ 'sub_fdts/new': 'x' }))).toEqual(['sub_fdts/new blob-added']);
    expect(kinds(files({ 'sub_fdts/new': 'x' }), files())).toEqual(['sub_fdts/new blob-removed']);
    expect(kinds(files(), files({ 'sub_fdts/LUO': Buffer.alloc(32) }))).toEqual([
      'sub_fdts/LUO blob-changed',
    ]);
    expect(kinds(files({}, 'out/'), new Map([...files({}, 'out/'), ...files({}, 'in/')]))).toEqual([
      'in side-added',
    ]);
    const scratch = {
      scratch_phys: '0x17c00000\n0x18c00000\n0x1\n',
      scratch_len: '0x1000000\n0x6000000\n0x3000000\n',
    };
    expect(kinds(files(), files(scratch))).toEqual(
      ['removed', 'moved', 'moved', 'added'].map((how) => `scratch scratch-${how}`),
    );
  });
});
