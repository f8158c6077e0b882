// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCoreHeaders } from '../../src/image/core-headers.js';
import { scanPages } from '../../src/image/scan.js';
import { trimImage } from '../../src/image/trim.js';
import {
  differences,
  fileOf,
  fixture,
  framesOf,
  imageOf,
  issueOf,
  noise,
  opened,
  temporaryFolder,
  trimmedCore,
} from './image-files.js';

const hasReadelf = spawnSync('readelf', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasReadelf) console.warn('SKIP trimmed cores through readelf: binutils is not installed');

describe('trimImage', () => {
  it('writes the chosen pages with their addresses, and the notes, from every format', () => {
    const whole = opened(fixture('core.elf'));
    for (const name of ['core.elf', 'core.snappy.kdump', 'core.lzo.flat']) {
      const path = join(temporaryFolder(), 'trimmed.elf');
      const result = trimImage(opened(fixture(name)), path, [
        { pfn: 0x4b9, count: 2 },
        { pfn: 0x200, count: 1 },
        { pfn: 0x4b6, count: 4 },
      ]);
      expect(result).toMatchObject({
        present: [
          { pfn: 0x200, count: 1 },
          { pfn: 0x4b6, count: 5 },
        ],
        pages: 6,
        excluded: 0,
        absent: 0,
      });
      const trimmed = opened(path);
      expect(trimmed.fileSize).toBe(result.fileSize);
      expect(framesOf(trimmed)).toEqual([0x200, 0x4b6, 0x4b7, 0x4b8, 0x4b9, 0x4ba]);
      expect(differences(trimmed, whole)).toEqual([]);
      expect(Buffer.compare(trimmed.notes(), whole.notes())).toBe(0);
    }
  });

  it.skipIf(!hasReadelf)('writes headers that readelf accepts without a complaint', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'trimmed.elf');
    trimImage(opened(fixture('core.zstd.kdump')), path, [{ pfn: 0x4b6, count: 8 }]);
    const run = spawnSync('readelf', ['-hlnW', path], { encoding: 'utf8' });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/LOAD +0x001000 0x0*4b6000 0x0*4b6000 0x008000 0x008000 R +0x1000/);
    expect(run.stdout).toContain('NT_PRSTATUS');
    expect(run.stdout).toContain('QEMU');
  });

  it('counts segments in section header 0 when there are more than e_phnum can tell', () => {
    const runs = Array.from({ length: 70_000 }, (_, index) => ({ pfn: 2 * index, count: 1 }));
    const headers = buildCoreHeaders(runs, new Uint8Array(0), 62);
    const path = fileOf(headers);
    // The pages themselves as a hole.
    truncateSync(path, headers.length + 70_000 * 4096);
    const image = opened(path);
    expect(image.facts['load segments']).toBe(70_000);
    expect(image.page(2 * 69_999)).toEqual(new Uint8Array(4096));
    expect(image.page(1)).toBe('absent');
    if (!hasReadelf) return;
    const out = execFileSync('readelf', ['-hW', path], { encoding: 'utf8' });
    expect(out).toMatch(/Number of program headers: +65535 \(70000\)/);
  });

  it('leaves out what is not there and says so; nothing at all is an error', () => {
    const image = opened(fixture('core.E-d1.elf'));
    const folder = temporaryFolder();
    const path = join(folder, 'trimmed.elf');
    const excluded = framesOf(opened(fixture('core.elf'))).filter((pfn) => image.page(pfn) === 'excluded');
    const first = excluded[0] ?? 0;
    expect(
      trimImage(image, path, [
        { pfn: 0x200, count: 3 },
        { pfn: first, count: 1 },
      ]),
    ).toMatchObject({ pages: 2, absent: 1, excluded: 1, firstMissing: 0x202000n });
    expect(issueOf(() => trimImage(image, path, [{ pfn: first, count: 1 }]))).toMatchObject({
      code: 'EXCLUDED',
      address: BigInt(first) * 4096n,
    });
    expect(issueOf(() => trimImage(image, path, [{ pfn: 7, count: 2 }]))).toMatchObject({
      code: 'ABSENT',
      address: 0x7000n,
    });
    expect(issueOf(() => trimImage(image, join(folder, 'no', 'x'), [{ pfn: 0x200, count: 1 }])).code).toBe(
      'IO',
    );
    expect(readdirSync(folder)).toEqual(['trimmed.elf']);
  });

  it('leaves nothing behind, and an older file alone, when the image breaks off', () => {
    const source = fileOf(noise(8192), 'source');
    const image = opened(source, { io: 'read' });
    const folder = temporaryFolder();
    const path = join(folder, 'out.elf');
    writeFileSync(path, 'older');
    writeFileSync(source, noise(4096));
    expect(issueOf(() => trimImage(image, path, [{ pfn: 0, count: 2 }])).code).toBe('CHANGED');
    expect(readdirSync(folder)).toEqual(['out.elf']);
  });
});

describe('scanPages', () => {
  it('finds the pages of a real guest that start with the FDT magic, in every format', () => {
    const magic = { offset: 0, value: 0xedfe0dd0 };
    for (const path of [trimmedCore('kho-luo'), fixture('core.elf'), fixture('core.lzo.kdump')]) {
      const seen: [number, number][] = [];
      const image = opened(path);
      const hits = scanPages(image, [{ offset: 0, value: 1 }, magic], (done, total) =>
        seen.push([done, total]),
      );
      expect(hits.filter(({ pattern }) => pattern === 1)).toEqual([
        { pfn: 0x4b7, pattern: 1 },
        { pfn: 0x67e, pattern: 1 },
      ]);
      const { present } = image.counts();
      expect(seen.at(-1)).toEqual([present, present]);
    }
  });

  it('looks at any offset within a page', () => {
    const bytes = noise(3 * 4096);
    const view = new DataView(bytes.buffer);
    view.setUint32(4096 + 0x202, 0x53726448, true);
    view.setUint32(2 * 4096 + 4092, 0x53726448, true);
    const patterns = [0x202, 4092].map((offset) => ({ offset, value: 0x53726448 }));
    expect(scanPages(imageOf(bytes), patterns)).toEqual([
      { pfn: 1, pattern: 0 },
      { pfn: 2, pattern: 1 },
    ]);
  });
});
