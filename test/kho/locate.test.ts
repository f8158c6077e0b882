// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { locateHandovers } from '../../src/kho/locate.js';
import { fixture, imageOf, opened, trimmedCore } from '../image/image-files.js';

const khoFdt = readFileSync(join(import.meta.dirname, '../../fixtures/kernel-7.3.4/kho-fdt.dtb'));

/** Memory of 16 pages with the KHO tree of a real kernel in page 4. */
function memory(): Buffer {
  const bytes = Buffer.alloc(16 * 4096);
  khoFdt.copy(bytes, 4 * 4096);
  return bytes;
}

function writeBootParams(bytes: Buffer, page: number, setupData: number): void {
  const at = page * 4096;
  bytes.writeUInt16LE(0xaa55, at + 0x1fe);
  bytes.write('HdrS', at + 0x202, 'latin1');
  bytes.writeUInt16LE(0x20f, at + 0x206);
  bytes.writeBigUInt64LE(BigInt(setupData), at + 0x250);
}

function writeSetupData(
  bytes: Buffer,
  at: number,
  next: number,
  type: number,
  data: readonly number[],
): void {
  bytes.writeBigUInt64LE(BigInt(next), at);
  bytes.writeUInt32LE(type, at + 8);
  bytes.writeUInt32LE(8 * data.length, at + 12);
  for (const [index, value] of data.entries()) bytes.writeBigUInt64LE(BigInt(value), at + 16 + 8 * index);
}

describe('locateHandovers', () => {
  it('finds the trees in the memory of a real guest, in every format', () => {
    const found = [
      { address: 0x4b7000n, size: 345, compatible: ['kho-v4'] },
      { address: 0x67e000n, size: 294, compatible: ['memblock-v1'] },
    ];
    for (const path of [trimmedCore('kho-luo'), fixture('core.elf'), fixture('core.zstd.kdump')]) {
      expect(locateHandovers(opened(path))).toEqual({
        fdts: found,
        damaged: [],
        otherFdts: 0,
        setupData: [],
        brokenChains: [],
      });
    }
  });

  it('follows setup_data chains to the KHO entry', () => {
    const bytes = memory();
    writeBootParams(bytes, 1, 0x2100);
    writeSetupData(bytes, 0x2100, 0x3008, 9, [1, 2]);
    writeSetupData(bytes, 0x3008, 0, 10, [0x4000, 4096, 0x8000, 48]);
    const { setupData, brokenChains } = locateHandovers(imageOf(bytes));
    expect(setupData).toEqual([
      {
        state: 'chained',
        bootParams: 0x1000n,
        address: 0x3008n,
        fdtAddress: 0x4000n,
        fdtSize: 4096n,
        scratchAddress: 0x8000n,
        length: 32,
        scratchSize: 48n,
      },
    ]);
    expect(brokenChains).toEqual([]);
  });

  it('finds an entry that kexec has not moved to its place yet', () => {
    const bytes = memory();
    // The chain leads to where the entry will be; it waits two pages behind boot_params.
    writeBootParams(bytes, 1, 0xa100);
    writeSetupData(bytes, 0x3100, 0, 10, [0x4000, 4096, 0x8000, 48]);
    expect(locateHandovers(imageOf(bytes)).setupData).toMatchObject([{ state: 'staged', address: 0x3100n }]);
  });

  it('comes to an end with chains in circles or into nowhere', () => {
    const bytes = memory();
    writeBootParams(bytes, 1, 0x2000);
    writeSetupData(bytes, 0x2000, 0x2000, 5, []);
    writeBootParams(bytes, 8, 0x7fff_0000);
    const result = locateHandovers(imageOf(bytes));
    expect(result.setupData).toEqual([]);
    expect(result.brokenChains).toMatchObject([{ bootParams: 0x8000n }]);
    expect(result.brokenChains[0]?.reason).toContain('ABSENT');
  });

  it('tells damaged handovers from pages that merely start like a tree', () => {
    const bytes = memory();
    // A broken token in the structure block.
    bytes.writeUInt32BE(7, 4 * 4096 + khoFdt.readUInt32BE(8));
    bytes.writeUInt32BE(0xd00dfeed, 6 * 4096);
    khoFdt.copy(bytes, 16 * 4096 - 200);
    bytes.writeUInt32BE(0xd00dfeed, 15 * 4096);
    bytes.writeUInt32BE(8000, 15 * 4096 + 4);
    const result = locateHandovers(imageOf(bytes));
    expect(result.fdts).toEqual([]);
    expect(result.damaged).toMatchObject([{ address: 0x4000n }, { address: 0xf000n }]);
    expect(result.damaged[0]?.reason).toContain('BADSTRUCTURE');
    expect(result.damaged[1]?.reason).toContain('ABSENT');
    expect(result.otherFdts).toBe(1);
  });
});
