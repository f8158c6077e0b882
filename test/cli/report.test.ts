// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/report/analysis.js';
import { unpackJson } from '../../src/report/embedded.js';
import { openSide } from '../../src/report/open-side.js';
import { kho } from './kho.js';

const CAPTURE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
const folder = mkdtempSync(join(tmpdir(), 'kho-report-cli-'));

/** What lies in a page, opened as the page does it. */
function sidesOf(page: string): ReturnType<typeof analyse>[] {
  const json = /id="kho-data">(.*)<\/script>\n<script>/s.exec(page)?.[1];
  if (json === undefined) throw new Error('no data in the page');
  return unpackJson(json).sides.map((side) => {
    const files = side.files.map(({ name, size, data }) => {
      const bytes = new Uint8Array(inflateRawSync(Buffer.from(data, 'base64')));
      expect(bytes).toHaveLength(size);
      return { name, bytes };
    });
    return analyse(openSide({ ...side, files }));
  });
}

describe('kho report', () => {
  it('puts into the page all that verify looks at', () => {
    const file = join(folder, 'luo.html');
    const { code, stdout } = kho(['report', CAPTURE, '-o', file]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('KiB') });
    const [analysis] = sidesOf(readFileSync(file, 'utf8'));
    const verified = JSON.parse(kho(['verify', CAPTURE, '--json']).stdout);
    expect(analysis?.findings).toEqual(verified.findings);
    expect(analysis?.verdict.checked).toBe(verified.checked.length);
    expect(analysis?.digest?.sessionCount).toBe(4);
    // A worker hands it over as it is.
    expect(structuredClone(analysis)).toEqual(analysis);
  });

  it('takes blobs, folders and descriptions of address spaces', () => {
    const page = (...args: string[]): ReturnType<typeof sidesOf> =>
      sidesOf(kho(['report', ...args, '-o', '-']).stdout);
    expect(page('fixtures/rfc-2024/several.dtb')[0]).toMatchObject({
      form: 'root',
      verdict: { level: 'error' },
    });
    expect(page('fixtures/kernel-7.3.4/memblock-fdt.dtb')[0]).toMatchObject({
      form: 'blob',
      verdict: { level: 'ok' },
    });
    expect(page('fixtures/demo/out')[0]).toMatchObject({ form: 'folder' });
    const areas = ['--areas', 'fixtures/kernel-7.3.4/vtd-legacy.areas.json'];
    const [vtd] = page('fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf', ...areas);
    expect(vtd?.verdict.level).toBe('ok');
    expect(vtd?.spaces.map(({ extentCount, areas: own }) => [extentCount, own?.count])).toEqual([
      [408, 17],
      [45, 6],
    ]);
  });

  it('lets the script that is in the page run, and nothing else', () => {
    const { stdout } = kho(['report', '--viewer', '-o', '-']);
    const script = /<script>(.*)<\/script>\n<\/body>/s.exec(stdout)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(script.length).toBeGreaterThan(100_000);
    expect(stdout).toContain(`script-src 'sha256-${hash}'`);
    // What would begin a comment in which the end of the script is none.
    expect(script).not.toMatch(/<!--|<\/script|<script/i);
    expect(script).not.toMatch(/\beval\(|new Function\(/);
    expect(stdout).not.toMatch(/https?:\/\/(?!www\.w3\.org\/)/);
  });

  it('says what it cannot do, and writes nothing then', () => {
    const file = join(folder, 'none.html');
    for (const [args, said] of [
      [['-o', file], 'expected kho report INPUT, or --viewer'],
      [['--viewer', CAPTURE, '-o', file], '--viewer takes no input'],
      [[CAPTURE, '-o', CAPTURE], 'it is not overwritten'],
      [['fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf', '-o', file], 'NO_ROOT'],
      [['package.json', '-o', file], 'expected a memory image, an FDT, or a packed struct'],
    ] as const) {
      const { code, stderr } = kho(['report', ...args]);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr).toContain(said);
      expect(existsSync(file)).toBe(false);
    }
  });
});
