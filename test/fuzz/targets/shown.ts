// SPDX-License-Identifier: Apache-2.0
// What people look at: the page of `kho report` without its browser, and texts for terminals, of handovers in hostile memory
// and of blobs. An input is what it is (byte 0, modulo two), three bytes of no meaning, and pieces of memory or a blob.
import { KhoError } from '../../../src/bytes/issue.js';
import { escapeText } from '../../../src/bytes/printable.js';
import type { PageStore } from '../../../src/image/index.js';
import {
  Handover,
  handoverCost,
  locateHandovers,
  reachGraph,
  summarize,
  verifyHandover,
} from '../../../src/kho/index.js';
import { writeCost } from '../../../src/render/cost-text.js';
import { plainPaint } from '../../../src/render/paint.js';
import { reachGraphSvg } from '../../../src/render/reach-graph-svg.js';
import { writeGraph } from '../../../src/render/reach-graph-text.js';
import { writeFindings, writeVerifySummary } from '../../../src/render/verify-text.js';
import { analyse } from '../../../src/report/analysis.js';
import { Atlas } from '../../../src/report/atlas.js';
import { type OpenedSide, openSide } from '../../../src/report/open-side.js';
import { searchSide } from '../../../src/report/search.js';
import type { TreeNode } from '../../../src/report/tree-node.js';
import { addressIn } from '../../../src/schemas/lang/memory.js';
import { pieceMutators, readPieces, storeOfPieces, writePieces } from '../pieces.js';
import { capturedHandover, smallFixtures } from '../samples.js';
import type { FuzzTarget } from '../target.js';
import { textWords, wordOf } from '../words.js';

const HEAD = 4;
const MEMORY = 0;
const BLOB = 1;
/** Rows that are opened, and objects to which the way is asked: a reader would not open more either. */
const ROWS = 200;
const OBJECTS = 12;

const atFirst = pieceMutators(HEAD);

/** See `FuzzTarget`. */
export const shownTarget: FuzzTarget = {
  name: 'shown',
  maxLength: 32_768,
  seeds,
  words: [
    ...textWords('kho-v4', 'kho-v1', 'luo-v5', 'LUO', 'memblock', 'preserved-data', '\x1b[2J', '<img>'),
    ...[10, 16, 32, 0x200].map((value) => wordOf(value, 'little')),
    wordOf(0xd00d_feed, 'big'),
  ],
  mutators: atFirst.map(
    (mutate) => (input, random) => (input[0] === MEMORY ? mutate(input, random) : undefined),
  ),
  run,
};

function seeds(): Uint8Array[] {
  const captured = capturedHandover();
  const blobs = [...smallFixtures('.dtb', 1200), ...smallFixtures('.bin', 128)];
  return [
    writePieces(captured, Uint8Array.of(MEMORY, 0, 0, 0)),
    writePieces(captured.slice(0, 3), Uint8Array.of(MEMORY, 0, 0, 0)),
    ...blobs.map((bytes) => Uint8Array.of(BLOB, 0, 0, 0, ...bytes)),
  ];
}

function run(input: Uint8Array): string {
  const body = input.subarray(HEAD);
  try {
    if ((input[0] ?? 0) % 2 === BLOB) {
      const side = openSide({ title: 'input', files: [{ name: 'luo', bytes: body }], areas: undefined });
      return `${side.form} ${lookAt(side)}`;
    }
    return runMemory(storeOfPieces(readPieces(body)));
  } catch (error) {
    if (error instanceof KhoError) return error.code;
    throw error;
  }
}

function runMemory(memory: PageStore): string {
  const located = locateHandovers(memory);
  const handover = Handover.open(memory, { located });
  const verification = verifyHandover(handover);
  const graph = reachGraph(handover);
  write((out) => writeVerifySummary(out, 'input', summarize(handover), verification, plainPaint));
  write((out) => writeFindings(out, verification, plainPaint));
  write((out) => writeGraph(out, graph, plainPaint));
  write((out) => writeCost(out, 'input', handoverCost(handover), plainPaint));
  demandPrintable(reachGraphSvg(graph, 'input'));
  const side = { form: 'image', title: 'input', handover, blob: undefined, located, facts: [], remarks: [] };
  return `memory ${lookAt({ ...side, form: 'image' })}`;
}

/** Opens rows, asks the way to objects, searches. @returns what it amounts to */
function lookAt(side: OpenedSide): string {
  const { verdict } = analyse(side);
  const atlas = new Atlas(side);
  const waiting: TreeNode[] = [...atlas.top];
  for (let row = 0; row < Math.min(ROWS, waiting.length); row++) {
    const node = waiting[row];
    if (node === undefined) break;
    demandPrintable(node.label);
    node.value();
    if (node.isBranch && waiting.length < ROWS) waiting.push(...node.children());
  }
  const { objects } = atlas;
  const step = Math.max(1, Math.floor(objects.length / OBJECTS));
  for (let index = 0; index < objects.length; index += step) {
    const object = objects[index];
    if (object === undefined) break;
    const middle = object.bytes.length >> 1;
    atlas.fieldsOf(object).between(0, Math.min(object.bytes.length, 256));
    atlas.pathTo(object, middle);
    const address = addressIn(object, middle);
    if (address !== undefined && atlas.at(address) === undefined) throw new Error('an object is not found');
  }
  let steps = 0;
  for (const _match of searchSide(atlas, [], '0x4b7000')) if (++steps > 50) break;
  return `${verdict.level} ${objects.length < 3 ? 'few' : 'many'}`;
}

function write(make: (out: (text: string) => void) => void): void {
  make(demandPrintable);
}

/** Control characters of a blob reach no terminal and no page. */
function demandPrintable(text: string): void {
  const lines = text.replaceAll('\n', '');
  if (escapeText(lines) !== lines) throw new Error(`a control character in ${JSON.stringify(text)}`);
}
