// SPDX-License-Identifier: Apache-2.0
// What the installed makedumpfile makes of a trimmed core of a real guest reads as the core does.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differences, framesOf, opened, temporaryFolder, trimmedCore } from './image-files.js';

const version = spawnSync('makedumpfile', ['-v'], { encoding: 'utf8' });
const installed = version.status === 0;
const features = `${version.stdout ?? ''}${version.stderr ?? ''}`;
if (!installed) console.warn('SKIP files made by makedumpfile: it is not installed');

/** Runs makedumpfile; with -F the dump goes to its stdout. */
function dump(flags: readonly string[], name: 'kho-luo' | 'vtd-legacy'): string {
  const path = join(temporaryFolder(), 'dump');
  const flattened = flags.includes('-F');
  const out = flattened ? openSync(path, 'w') : 'ignore';
  try {
    const files = flattened ? [trimmedCore(name)] : [trimmedCore(name), path];
    execFileSync('makedumpfile', [...flags, ...files], { stdio: ['ignore', out, 'ignore'] });
  } finally {
    if (typeof out === 'number') closeSync(out);
  }
  return path;
}

const COMPRESSIONS = [
  { flag: '-c', name: 'zlib' },
  { flag: '-l', name: 'lzo' },
  { flag: '-p', name: 'snappy' },
  { flag: '-z', name: 'zstd' },
];

describe.skipIf(!installed)('dumps by makedumpfile', () => {
  it.each(COMPRESSIONS)('compressed with $name, at both levels, flattened or not', ({ flag, name }) => {
    if (name !== 'zlib' && !new RegExp(`${name}\\s+enabled`).test(features)) {
      console.warn(
        `SKIP ${name}: this makedumpfile was built without it (fixtures/image has one made with it)`,
      );
      return;
    }
    for (const guest of ['kho-luo', 'vtd-legacy'] as const) {
      const core = opened(trimmedCore(guest));
      for (const flags of [
        [flag, '-d', '0'],
        [flag, '-d', '1'],
        ['-F', flag, '-d', '1'],
      ]) {
        const image = opened(dump(flags, guest));
        expect(image).toMatchObject({ format: 'kdump', flattened: flags[0] === '-F' });
        expect(image.facts['compression']).toBe(name);
        expect(differences(core, image)).toEqual([]);
        expect(framesOf(image)).toEqual(framesOf(core));
      }
    }
  });

  it('as an ELF core without pages of zeros', () => {
    const core = opened(trimmedCore('kho-luo'));
    const image = opened(dump(['-E', '-d', '1'], 'kho-luo'));
    const zero = framesOf(core).filter(
      (pfn) => core.u64(BigInt(pfn) * 4096n) === 0n && image.page(pfn) === 'excluded',
    );
    expect(zero.length).toBeGreaterThan(0);
    for (const pfn of zero) expect(core.page(pfn)).toEqual(new Uint8Array(4096));
    expect(differences(core, image)).toEqual(zero.map((pfn) => `${pfn}: excluded`));
  });

  it('split into files of which the last hold no pages', () => {
    for (const guest of ['kho-luo', 'vtd-legacy'] as const) {
      const core = opened(trimmedCore(guest));
      const folder = temporaryFolder();
      const parts = [3, 1, 2].map((index) => join(folder, `part${index}`));
      const ordered = [...parts].sort();
      execFileSync('makedumpfile', ['-d', '0', '-c', '--split', trimmedCore(guest), ...ordered], {
        stdio: 'ignore',
      });
      const sizes = ordered.map((path) => statSync(path).size);
      expect(sizes[2]).toBeLessThan(sizes[0] ?? 0);
      const last = opened(ordered[2] ?? '');
      expect(last.counts().present).toBe(0);
      expect(last.part?.start).toBe(last.part?.end);
      expect(framesOf(last)).toEqual([]);
      expect([...last.ranges()]).toEqual([]);
      const image = opened(parts);
      expect(differences(core, image)).toEqual([]);
      expect(framesOf(image)).toEqual(framesOf(core));
    }
  });
});
