// SPDX-License-Identifier: Apache-2.0
// The graph of a handover on a terminal, and as JSON.
import type { GraphKind, GraphNode, ReachGraph } from '../kho/reach-graph.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { Paint } from './paint.js';
import { count, formatSize } from './size.js';
import { writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';

const KINDS: Readonly<Record<GraphKind, string>> = {
  entry: 'boot entry',
  root: 'root FDT',
  scratch: 'scratch regions',
  map: 'map of preserved memory',
  blob: '',
  struct: '',
  page: 'pages of an array',
  folio: 'folios',
  region: 'memory',
  table: '',
  others: 'others',
};

/** What a node is called. */
export function graphLabel({ kind, what, path }: GraphNode): string {
  if (kind === 'blob') return path;
  return KINDS[kind] === '' ? what : KINDS[kind];
}

/** How many things a node stands for, and how many pages they take. */
export function graphCount({ kind, what, things, pages }: GraphNode): string {
  if (kind === 'map') return what;
  const size = formatSize(BigInt(pages) * 4096n);
  return things === pages ? `${count(pages, 'page')}, ${size}` : `${things}, ${size} in all`;
}

/** How a node is reached from what leads to it. */
export function graphStep({ path, parent, kind }: GraphNode, graph: ReachGraph): string {
  const from = parent === undefined ? '' : (graph[parent]?.path ?? '');
  if (kind === 'entry') return path;
  if (kind === 'root') return parent === undefined ? '' : 'fdt_addr';
  if (kind === 'scratch') return 'scratch_addr';
  if (kind === 'blob' || kind === 'others') return '';
  if (from === '/' || from.startsWith(path)) return from === '/' ? path : '';
  let common = 0;
  while (path[common] === from[common]) common++;
  return path.slice(common);
}

/** Writes the graph as an indented list. */
export function writeGraph(out: TextSink, graph: ReachGraph, paint: Paint): void {
  const depths: number[] = [];
  const rows = graph.map((node) => {
    const depth = node.parent === undefined ? 0 : (depths[node.parent] ?? 0) + 1;
    depths.push(depth);
    return [
      { text: `${'  '.repeat(depth)}${graphLabel(node)}`, role: 'node' as const },
      { text: graphCount(node), role: 'number' as const },
      { text: graphStep(node, graph), role: 'note' as const },
    ];
  });
  writeTable(out, rows, paint, '');
}

/** Writes the graph as a JSON document. */
export function writeGraphJson(out: TextSink, file: string, graph: ReachGraph): void {
  const nodes = graph.map(({ parent, ...node }) => ({ ...node, parent: parent ?? null }));
  writeJsonValue(out, { schemaVersion: JSON_SCHEMA_VERSION, kind: 'graph', file, nodes }, '');
  out('\n');
}
