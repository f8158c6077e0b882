// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { kho } from './kho.js';

const CORE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';

describe('kho cost', () => {
  it('shows a table for people', () => {
    const { code, stdout, stderr } = kho(['cost', CORE]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      '    leaves                        5          20 KiB       2392 of 163840 bits, 1.46 %\n',
    );
    expect(stdout).toContain('    folio entries                 2140       ~33.43 KiB\n');
  });

  it('prints JSON', () => {
    const { code, stdout } = kho(['cost', CORE, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      kind: 'cost',
      file: CORE,
      rootBytes: 345,
      sessions: 4,
      files: [{ compatible: 'memfd-v2', files: 78, folioEntries: 2140, folioEntryBytes: 34240 }],
      areas: { ioases: 0, areas: 0 },
      tables: null,
      transfer: null,
    });
  });

  it('counts the tables of a VT-d unit, and areas of a blob', () => {
    const { stdout } = kho(['cost', 'fixtures/rfc-2024/hundred-areas.dtb']);
    expect(stdout).toContain('IOMMU_IOAS_MAP_FILE');
    const none = kho(['cost', 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf']);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('expected a root FDT');
  });
});
