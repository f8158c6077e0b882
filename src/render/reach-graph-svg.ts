// SPDX-License-Identifier: Apache-2.0
// The graph of a handover as a drawing: a layer for each step from the root, what leads somewhere above what it leads to.
import type { GraphKind, ReachGraph } from '../kho/reach-graph.js';
import { graphCount, graphLabel, graphStep } from './reach-graph-text.js';
import { fitText, round, svgDocument, svgGroup, svgPath, svgRect, svgText } from './svg.js';

const MARGIN = 16;
const BOX_WIDTH = 196;
const BOX_HEIGHT = 56;
/** Pixels between boxes of a layer, and between layers. */
const GAP = 14;
const LAYER_GAP = 34;
const TITLE_HEIGHT = 30;

const CLASSES: Readonly<Record<GraphKind, string>> = {
  entry: 'unused',
  root: 'number',
  scratch: 'unused',
  map: 'pointer',
  blob: 'number',
  struct: 'bytes',
  page: 'bytes',
  folio: 'text',
  region: 'text',
  table: 'pointer',
  others: 'unused',
};

/** The drawing of a graph. @param name - of the file that it is of */
export function reachGraphSvg(graph: ReachGraph, name: string): string {
  const { columns, layers, width, height } = arrange(graph);
  const elements = [
    svgText(MARGIN, MARGIN + 12, fitText(`What ${name} hands over`, 13, width - 2 * MARGIN), 'head'),
  ];
  const at = (index: number): { x: number; y: number } => ({
    x: MARGIN + (columns[index] ?? 0) * (BOX_WIDTH + GAP),
    y: MARGIN + TITLE_HEIGHT + (layers[index] ?? 0) * (BOX_HEIGHT + LAYER_GAP),
  });
  for (const [index, { parent }] of graph.entries())
    if (parent !== undefined) elements.push(edge(at(parent), at(index)));
  for (const [index, node] of graph.entries()) {
    const { x, y } = at(index);
    const [label, step, counted] = [graphLabel(node), graphStep(node, graph), graphCount(node)];
    const room = BOX_WIDTH - 16;
    const tooltip = `${label}: ${counted}; ${node.path}`;
    const lines = [
      svgRect(x, y, BOX_WIDTH, BOX_HEIGHT, `box ${CLASSES[node.kind]}`, 5),
      svgText(x + 8, y + 18, fitText(label, 12, room), 'name'),
      svgText(x + 8, y + (step === '' ? 38 : 47), fitText(counted, 10, room), 'small'),
      ...(step === '' ? [] : [svgText(x + 8, y + 32, fitText(step, 10, room), 'small')]),
    ];
    elements.push(svgGroup(tooltip, lines));
  }
  return svgDocument(
    width,
    height,
    `What ${name} hands over, by kind: ${graph.length} kinds of things`,
    elements,
  );
}

/** Columns and layers, in boxes: leaves side by side, others above the middle of what they lead to. */
function arrange(graph: ReachGraph): { columns: number[]; layers: number[]; width: number; height: number } {
  const layers: number[] = [];
  const children = graph.map((): number[] => []);
  for (const [index, { parent }] of graph.entries()) {
    layers.push(parent === undefined ? 0 : (layers[parent] ?? 0) + 1);
    if (parent !== undefined) children[parent]?.push(index);
  }
  const columns: number[] = graph.map(() => 0);
  // The graph is in tree order: leaves from left to right, then parents from the last to the first.
  let leaves = 0;
  for (const [index, below] of children.entries()) if (below.length === 0) columns[index] = leaves++;
  for (let index = graph.length - 1; index >= 0; index--) {
    const below = children[index] ?? [];
    const [first] = below;
    const last = below.at(-1);
    if (first !== undefined && last !== undefined)
      columns[index] = ((columns[first] ?? 0) + (columns[last] ?? 0)) / 2;
  }
  const deepest = layers.reduce((most, layer) => Math.max(most, layer), 0);
  return {
    columns,
    layers,
    width: 2 * MARGIN + Math.max(1, leaves) * (BOX_WIDTH + GAP) - GAP,
    height: 2 * MARGIN + TITLE_HEIGHT + (deepest + 1) * (BOX_HEIGHT + LAYER_GAP) - LAYER_GAP,
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line from the bottom of a box to the top of another, with a tip. */
function edge(from: Point, to: Point): string {
  const [x0, y0] = [from.x + BOX_WIDTH / 2, from.y + BOX_HEIGHT];
  const [x1, y1] = [to.x + BOX_WIDTH / 2, to.y - 5];
  const middle = (y0 + y1) / 2;
  const line = `M${round(x0)} ${round(y0)}C${round(x0)} ${round(middle)} ${round(x1)} ${round(middle)} ${round(x1)} ${round(y1)}`;
  return svgPath(line, 'edge') + svgPath(`M${round(x1 - 4)} ${round(y1 - 2)}h8l-4 7z`, 'tip');
}
