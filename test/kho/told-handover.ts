// SPDX-License-Identifier: Apache-2.0
// What is told of a handover, in the words of the independent walker whose findings lie among the fixtures.
import type { Handover } from '../../src/kho/index.js';
import { readFixture } from '../fixtures.js';

/** What the walker, a program that is not ours, wrote. */
const oracle = JSON.parse(Buffer.from(readFixture('kernel-7.3.4/kho-luo.oracle.json')).toString());
/** A number as the walker writes it. */
export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** What a model says, in the words of the walker. */
export function told(handover: Handover): unknown {
  const { preserved, luo } = handover;
  return {
    root: hex(handover.root.address),
    consumers: handover.consumers.map(({ name, address, size }) => ({ name, phys: hex(address), size })),
    blocks: preserved?.byOrder(),
    nodes: preserved?.nodes.length,
    metadata: handover.metadata,
    regions: handover.reservedRegions.map(({ name, address, size }) => [name, hex(address), hex(size)]),
    sessions: luo?.sessions.map(({ name, filesAddress, files }) => ({
      name,
      files_pa: hex(filesAddress),
      files: files.map(({ compatible, data, token, size, memfd }) => ({
        compatible,
        data: hex(data),
        token: hex(token),
        size: Number(size),
        seals: memfd?.seals,
        pos: Number(memfd?.position),
        folios: [...(memfd?.folios?.pfns ?? [])].map((pfn, row) => [
          pfn,
          memfd?.folios?.flags[row],
          memfd?.folios?.indexes[row],
        ]),
      })),
    })),
  };
}

interface OracleFile {
  readonly compatible: string;
  readonly data: string;
  readonly token: string;
  readonly memfd: {
    readonly size: number;
    readonly seals: number;
    readonly pos: number;
    readonly folios: number[][];
  };
}

/** What the walker found in the captured handover. */
export const expected = {
  root: oracle.fdt_phys,
  consumers: oracle.subtrees.map(({ name, phys, size }: { name: string; phys: string; size: number }) => ({
    name,
    phys,
    size,
  })),
  blocks: [
    { order: 0, blocks: 2386 },
    { order: 1, blocks: 1 },
    { order: 4, blocks: 1 },
    { order: 9, blocks: 4 },
  ],
  nodes: oracle.radix_nodes.length,
  metadata: { previousRelease: '7.3.4', kexecCount: 1 },
  regions: oracle.memblock.regions.map(({ name, start, size }: Record<string, string>) => [
    name,
    start,
    size,
  ]),
  sessions: oracle.luo.sessions.map((each: { name: string; files_pa: string; files: OracleFile[] }) => ({
    name: each.name,
    files_pa: each.files_pa,
    files: each.files.map(({ compatible, data, token, memfd }) => {
      const { size, seals, pos, folios } = memfd;
      return { compatible, data, token, size, seals, pos, folios };
    }),
  })),
};
