// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mergeRuns, openImage, PageStore, writeCore } from '../../src/image/index.js';
import { RULES } from '../../src/kho/index.js';
import { fixturesFolder, readFixture } from '../fixtures.js';
import { fileOf, kho, newFolder } from './kho.js';

const GUEST = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';

/** The capture with one session less in the count of its block. */
function damagedImage(): string {
  const image = openImage(join(fixturesFolder, 'kernel-7.3.4/kho-luo.trimmed.elf'));
  const store = new PageStore(image);
  store.writeU64(0x6a5008n, 2n);
  const path = join(newFolder(), 'damaged.elf');
  const pages = [...store.ranges()].map(({ start, end }) => {
    return { pfn: Number(start >> 12n), count: Number((end - start) >> 12n) };
  });
  writeCore(store, path, mergeRuns(pages));
  image.close();
  return path;
}

describe('kho verify', () => {
  it('sums a handover up and finds nothing wrong with a real one', () => {
    const { code, stdout, stderr } = kho(['verify', GUEST]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [
      'kho-v4 at 0x4b7000',
      'Linux 7.3.4, kexec number 1',
      '"vm-alpha": 5 files',
      'order 9: 4 blocks',
      'no findings',
    ])
      expect(stdout).toContain(part);
  });

  it('prints JSON of a stable shape', () => {
    const document = JSON.parse(kho(['verify', GUEST, '--json']).stdout);
    expect(document).toMatchObject({
      schemaVersion: 1,
      kind: 'verify',
      effect: 'none',
      findings: [],
      summary: {
        kernel: { release: '7.3.4', kexecCount: 1 },
        root: { address: '0x4b7000', size: 345, compatible: ['kho-v4'], layout: 'kho-v4' },
        preserved: { form: 'radix', pages: 4452, runs: 33, nodes: 21 },
        domains: [],
      },
    });
    expect(document.summary.sessions[0].files[0]).toEqual({
      token: '0x1',
      compatible: 'memfd-v2',
      size: '0x1000',
    });
    expect(document.checked.length + document.notChecked.length).toBeLessThanOrEqual(RULES.length);
  });

  it('tells what is lost in silence, and exits with 1', () => {
    const path = damagedImage();
    const { code, stdout } = kho(['verify', path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /error preserved-reached: expected a pointer .* from 0xda6000 on|error preserved-reached/,
    );
    expect(stdout).toMatch(
      /warning luo-leftover: .*\n {2}pa 0x6a50b0 \/LUO\.sessions_pa\.tail and pa 0x6a5000/,
    );
    expect(
      kho(['verify', path, '--ignore', 'preserved-reached,luo-leftover', '--ignore', 'luo-flb-count']).code,
    ).toBe(0);
    const one = kho(['verify', path, '--rule', 'luo-leftover', '--json']);
    const { findings } = JSON.parse(one.stdout);
    expect(findings).toEqual([
      {
        rule: 'luo-leftover',
        severity: 'warning',
        message: 'expected nothing behind the 2 entries of the luo_session_block, found bytes in use',
        at: { path: '/LUO.sessions_pa.tail', address: '0x6a50b0', other: '0x6a5000' },
        effect: 'silent',
      },
    ]);
  });

  it('prints SARIF', () => {
    const path = damagedImage();
    const { code, stdout } = kho(['verify', path, '--sarif']);
    expect(code).toBe(1);
    const log = JSON.parse(stdout);
    expect(log).toMatchObject({ version: '2.1.0' });
    const [run] = log.runs;
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(RULES.map(({ id }) => id));
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
      expect(['error', 'warning', 'note']).toContain(result.level);
      expect(result.locations[0].physicalLocation.artifactLocation.index).toBe(0);
    }
    expect(
      run.results.some(
        (result: { locations: { physicalLocation: { address?: { absoluteAddress: number } } }[] }) =>
          result.locations[0]?.physicalLocation.address?.absoluteAddress === 0x6a50b0,
      ),
    ).toBe(true);
  });

  it('explains rules', () => {
    const { code, stdout } = kho(['verify', '--explain', 'preserved-reached']);
    expect(code).toBe(0);
    expect(stdout).toContain('Everything that is preserved is reached by some pointer.');
    expect(stdout).toContain('next kernel  something is lost or wrong, and nothing says so');
    const all = kho(['verify', '--explain', 'all']).stdout;
    for (const { id } of RULES) expect(all).toContain(`${id}  `);
  });

  it('takes blobs and folders, and says what it cannot check', () => {
    const folder = kho(['verify', 'fixtures/demo/out']);
    expect(folder.code).toBe(0);
    expect(folder.stdout).toContain('not checked: ');
    expect(folder.stdout).toContain('scratch    0x18c00000');
    const blob = kho(['verify', 'fixtures/rfc-2024/reference.dtb']);
    expect(blob.code).toBe(0);
    expect(blob.stdout).toContain('iommufd 1, address space 1: 1 area');
    const stdin = kho(['verify', '-'], { input: readFixture('rfc-2024/reference.dtb') });
    expect(stdin.code).toBe(0);
  });

  it('takes the root and scratch from the user', () => {
    const there = kho(['verify', GUEST, '--root', '0x4b7000', '--scratch', '0x690000:1M']);
    expect(there.code).toBe(1);
    expect(there.stdout).toContain('error map-scratch');
    expect(kho(['verify', GUEST, '--root', '0x680000']).stdout).toContain('error root-fdt');
  });

  it('refuses what makes no sense', () => {
    const trouble = (...args: string[]) => {
      const { code, stdout, stderr } = kho(['verify', ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      return stderr;
    };
    expect(trouble()).toContain('expected kho verify INPUT');
    expect(trouble(GUEST, '--rule', 'preserved-reachd')).toContain('did you mean "preserved-reached"?');
    expect(trouble('--explain', 'nothing')).toContain('there is no rule');
    expect(trouble(GUEST, '--json', '--sarif')).toContain('choose one');
    expect(trouble('no-such-file')).toContain('no-such-file');
    expect(trouble('fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf')).toContain('NO_ROOT');
    const garbage = fileOf('garbage', new Uint8Array(8192).fill(7));
    expect(trouble(garbage)).toContain('NO_ROOT');
    writeFileSync(garbage, '');
    expect(trouble(garbage)).toContain('empty');
  });
});
