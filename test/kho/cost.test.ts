// SPDX-License-Identifier: Apache-2.0
// Counts of a handover against those that an independent walker and gcc made.
import { describe, expect, it } from 'vitest';
import { Handover, handoverCost, memoryOfSide } from '../../src/kho/index.js';
import { readFixture } from '../fixtures.js';
import { openCapture, readOracle } from '../schemas/captured.js';
import { AT, rfcHandover } from './captured-handover.js';

describe('handoverCost', () => {
  it('counts of the captured handover what the walker counted', () => {
    const oracle = readOracle();
    const cost = handoverCost(Handover.open(openCapture(), { root: AT.root }));
    const files = oracle.luo.sessions.flatMap((each) => each.files);
    const folios = files.reduce((sum, { memfd }) => sum + memfd.folios.length, 0);
    expect(cost.sessions).toBe(oracle.luo.sessions.length);
    expect(cost.files).toEqual([
      {
        compatible: 'memfd-v2',
        files: files.length,
        bytes: BigInt(files.reduce((sum, { memfd }) => sum + memfd.size, 0)),
        folioEntries: folios,
        folioEntryBytes: folios * 16,
      },
    ]);
    expect(cost.consumers.map(({ name, blobBytes }) => [name, blobBytes])).toEqual(
      oracle.subtrees.map(({ name, size }) => [name, size]),
    );
    const levels = new Map<number, number>();
    for (const [, level] of oracle.radix_nodes) levels.set(level, (levels.get(level) ?? 0) + 1);
    expect(cost.map?.levels.map(({ level, nodes }) => [level, nodes])).toEqual(
      [...levels].sort(([a], [b]) => a - b),
    );
    expect(cost.map?.pages).toBe(oracle.radix_nodes.length);
    const [leaves] = cost.map?.levels ?? [];
    expect(leaves?.used).toBe(oracle.preserved_count);
    expect(leaves?.capacity).toBe((leaves?.nodes ?? 0) * 32768);
    // Each node but the root is one entry of a table.
    const entries = cost.map?.levels.slice(1).reduce((sum, { used }) => sum + used, 0);
    expect(entries).toBe(oracle.radix_nodes.length - 1);
    expect(cost.tables).toBeUndefined();
    expect(cost.transfer).toBeUndefined();
  });

  it('counts page tables, areas, and the three ways to bring them back', () => {
    const cost = handoverCost(Handover.open(rfcHandover(), { root: 0x8000n }));
    expect(cost.areas).toEqual({ ioases: 1, areas: 2 });
    expect(cost.tables).toMatchObject({
      domains: 1,
      unread: 0,
      // 4 MiB from 1 MiB on and 2 MiB from 16 MiB on: parts of four stretches of 2 MiB.
      pages: [4, 1, 1, 1],
      leaves: 1536,
      mappedBytes: 6n << 20n,
    });
    expect(cost.transfer?.ioctls).toEqual([
      { macro: 'VFIO_DEVICE_BIND_IOMMUFD', calls: 1, bytes: 24 },
      { macro: 'IOMMU_IOAS_ALLOC', calls: 1, bytes: 12 },
      { macro: 'IOMMU_IOAS_MAP_FILE', calls: 2, bytes: 80 },
      { macro: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', calls: 1, bytes: 16 },
    ]);
    // Two files that are opened and five calls.
    expect(cost.transfer?.log.records).toBe(7);
  });

  it('counts only the values of areas as values', () => {
    const bytes = readFixture('rfc-2024/hundred-areas.dtb');
    const { memory, root } = memoryOfSide({ root: bytes, blobs: [] });
    const { transfer, areas, tables } = handoverCost(Handover.open(memory, { root, partial: true }));
    expect(areas).toEqual({ ioases: 1, areas: 100 });
    expect(tables).toBeUndefined();
    const fields = transfer?.serialised.fields ?? 0;
    // 20 bytes an area, and the compatible strings, ids and numbers above them.
    expect(fields).toBeGreaterThanOrEqual(2000);
    expect(fields).toBeLessThan(2060);
    expect(transfer?.serialised.encoded).toBeLessThan(bytes.length);
  });
});
