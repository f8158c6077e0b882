// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { kho } from './kho.js';

const CORE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';

describe('kho graph', () => {
  it('lists what leads to what', () => {
    const { code, stdout, stderr } = kho(['graph', CORE]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('        memfd_luo_ser          78 pages, 312 KiB            .files[].data\n');
    expect(stdout).toContain('              folios           2140, ~12.35 MiB in all\n');
  });

  it('draws it, and prints JSON', () => {
    const svg = kho(['graph', CORE, '--format', 'svg']).stdout;
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    expect(svg).toContain('What kho-luo.trimmed.elf hands over');
    const { nodes, ...rest } = JSON.parse(kho(['graph', CORE, '--json']).stdout);
    expect(rest).toEqual({ schemaVersion: 1, kind: 'graph', file: CORE });
    expect(nodes[0]).toEqual({
      kind: 'root',
      what: 'root FDT',
      path: '/',
      things: 1,
      pages: 1,
      parent: null,
    });
  });

  it('says when there is no handover', () => {
    const { code, stderr } = kho(['graph', 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf']);
    expect(code).toBe(2);
    expect(stderr).toContain('expected a root FDT');
  });
});
