// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import { postedMemList } from '../../src/kho/build-rfc.js';
import { type ListFault, listFaults } from '../../src/kho/listed-memory.js';
import { TableBuilder, type TableRoot, walkTable } from '../../src/vtd/index.js';

/** Tables of a domain: leaves from 4 GiB on, tables from 16 MiB on. */
function buildTables(
  levels: number,
  map: (builder: TableBuilder) => void,
): { memory: PageStore; root: TableRoot } {
  const memory = new PageStore();
  let pfn = 0x1000;
  const builder = new TableBuilder({
    stage: 'second',
    levels,
    allocate: () => pfn++,
    put: (at, page) => memory.putPage(at, page.slice()),
  });
  map(builder);
  return { memory, root: builder.finish() };
}

function faultsOf(memory: PageStore, root: TableRoot, list: readonly bigint[]): readonly ListFault[] {
  const frames = Float64Array.from(list, (address) => Number(address / 4096n));
  return listFaults(frames, walkTable(memory, root).tablePages, (extents) => {
    walkTable(memory, root, { extents });
  });
}

const count = (faults: readonly ListFault[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const GIB = 1n << 30n;

describe('the mem list that the RFC of 2024 writes', () => {
  it('leaves out the top two tables and lists every data page', () => {
    const { memory, root } = buildTables(4, (builder) => {
      builder.map(0x1f_0000n, 4n * GIB, 200n * 4096n, 3);
    });
    const list = postedMemList(memory, root.table, 2);
    // One table of level 2, two of level 1, and the data pages: the kinds of rfc-2024.md section 4.
    expect(list.length).toBe(1 + 2 + 200);
    const faults = faultsOf(memory, root, list);
    expect(count(faults)).toEqual({ 'data-page': 200, 'missing-table': 2 });
    expect(faults.filter(({ kind }) => kind === 'missing-table')).toEqual([
      { kind: 'missing-table', address: root.table, element: undefined, level: 4, iova: undefined },
      { kind: 'missing-table', address: root.table + 4096n, element: undefined, level: 3, iova: undefined },
    ]);
    expect(faults[0]).toMatchObject({ address: 4n * GIB, iova: 0x1f_0000n, element: 2 });
  });

  it('leaves out all below the other entries of the top table, and lists 4096 bytes of a large leaf', () => {
    const { memory, root } = buildTables(3, (builder) => {
      builder.map(0x20_0000n, 4n * GIB, 0x20_0000n, 0x2003);
      builder.map(GIB, 5n * GIB, 0x1000n, 3);
    });
    const faults = faultsOf(memory, root, postedMemList(memory, root.table, 1));
    expect(count(faults)).toEqual({ 'part-of-leaf': 1, 'missing-table': 4 });
    expect(faults[0]).toMatchObject({ address: 4n * GIB, iova: 0x20_0000n });
  });
});

describe('a mem list', () => {
  const { memory, root } = buildTables(4, (builder) => builder.map(0x1000n, 4n * GIB, 0x3000n, 3));
  const tables = [0n, 1n, 2n, 3n].map((each) => root.table + each * 4096n);

  it('is right when it has the tables and nothing else', () => {
    expect(faultsOf(memory, root, tables)).toEqual([]);
    expect(faultsOf(memory, root, [...tables].reverse())).toEqual([]);
  });

  it('is told what it has too much of', () => {
    const faults = faultsOf(memory, root, [...tables, 9n * GIB, 4n * GIB + 0x1000n]);
    expect(faults.map(({ kind, element, iova }) => [kind, element, iova])).toEqual([
      ['data-page', 5, 0x2000n],
      ['stranger', 4, undefined],
    ]);
  });
});
