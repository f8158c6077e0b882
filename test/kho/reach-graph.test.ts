// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Handover } from '../../src/kho/index.js';
import { Reach } from '../../src/kho/reach.js';
import { type ReachGraph, reachGraph } from '../../src/kho/reach-graph.js';
import { openCapture, readOracle } from '../schemas/captured.js';

/** Names from the root to a node. */
function way(graph: ReachGraph, index: number): string[] {
  const { parent, what, path, kind } = graph[index] ?? { parent: undefined, what: '', path: '', kind: '' };
  return [...(parent === undefined ? [] : way(graph, parent)), kind === 'blob' ? path : what];
}

const noMore = {
  setupData: undefined,
  preserved: undefined,
  scratch: { regions: undefined, source: '', issues: [] },
};

describe('the graph of a captured handover', () => {
  const oracle = readOracle();
  const graph = reachGraph(Handover.open(openCapture()));
  const of = (what: string, kind?: string): ReachGraph[number] | undefined =>
    graph.find((node) => node.what === what && (kind === undefined || node.kind === kind));

  it('counts what the independent walker found', () => {
    const files = oracle.luo.sessions.flatMap((session) => session.files);
    const sum = (count: (file: (typeof files)[number]) => number): number =>
      files.reduce((all, file) => all + count(file), 0);
    expect(of('memfd_luo_ser')?.things).toBe(files.length);
    expect(of('folio')?.things).toBe(sum(({ memfd }) => memfd.folios.length));
    expect(of('kho_vmalloc_chunk')?.things).toBe(sum(({ memfd }) => memfd.vmalloc.chunks.length));
    expect(of('memory', 'page')?.things).toBe(sum(({ memfd }) => memfd.vmalloc.pages.length));
    expect(of('memory', 'region')).toMatchObject({
      things: oracle.memblock.regions.length,
      path: '/memblock/*/start',
    });
    expect(graph.find(({ kind }) => kind === 'map')?.things).toBe(oracle.radix_nodes.length);
  });

  it('leads from the root to the folios', () => {
    const folios = graph.findIndex(({ kind }) => kind === 'folio');
    expect(way(graph, folios)).toEqual([
      'root FDT',
      '/LUO',
      'luo_session_block',
      'luo_file_block',
      'memfd_luo_ser',
      'kho_vmalloc_chunk',
      'memory',
      'folio',
    ]);
    expect(graph.every(({ parent }, index) => parent === undefined || parent < index)).toBe(true);
  });
});

describe('the graph of a large handover', () => {
  it('takes ten thousand sessions together', () => {
    const reach = new Reach();
    const add = (path: string, kind: 'root' | 'blob' | 'struct', pfn: number): void =>
      reach.add(pfn, 1, kind, { path, what: kind, pointer: () => undefined });
    add('/', 'root', 1);
    add('/LUO', 'blob', 2);
    for (let index = 0; index < 10_000; index++)
      add(`/LUO.sessions_pa#${index}.sessions[${index}].files`, 'struct', 3 + index);
    const graph = reachGraph({ reach, ...noMore });
    expect(graph.map(({ path, things, parent }) => [path, things, parent])).toEqual([
      ['/', 1, undefined],
      ['/LUO', 1, 0],
      ['/LUO.sessions_pa.sessions[].files', 10_000, 1],
    ]);
  });

  it('stays small when consumers and their things have made-up names', () => {
    const reach = new Reach();
    reach.add(1, 1, 'root', { path: '/', what: 'root FDT', pointer: () => undefined });
    for (let index = 0; index < 20_000; index++)
      reach.add(index, 2, 'blob', {
        path: `/name-${index}.x/[${index}]`,
        what: `blob ${index}`,
        pointer: () => undefined,
      });
    const graph = reachGraph({ reach, ...noMore });
    expect(graph.length).toBeLessThan(12);
    expect(graph.reduce((sum, { things }) => sum + things, 0)).toBe(20_001);
    expect(graph.at(-1)).toMatchObject({ kind: 'others', parent: 0 });
  });

  it('is empty where nothing is handed over', () => {
    expect(reachGraph({ reach: new Reach(), ...noMore })).toEqual([]);
  });
});
