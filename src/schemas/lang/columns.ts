// SPDX-License-Identifier: Apache-2.0
import { checkHeader } from '../../fdt/check-header.js';
import { FDT_BAD, FdtCursor } from '../../fdt/cursor.js';
import { FdtError } from '../../fdt/error.js';
import { PropertyNames } from '../../fdt/property-names.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from '../../fdt/token.js';
import { type ColumnPlan, planColumns } from './column-plan.js';
import { HOST_IS_LITTLE, type NodeShape, scanNodes, shapeOf } from './column-scan.js';
import { type Column, ColumnTable } from './column-table.js';
import { failAt } from './error.js';
import { parseNodeName } from './read-node.js';
import type { NodeType } from './type.js';

/** Rows `start` to `end` (exclusive) have these ancestors, the patterned ones of the way there: their names. */
export interface ColumnGroup {
  readonly names: readonly (string | number)[];
  readonly start: number;
  readonly end: number;
}

/** Many nodes of one layout as columns. */
export interface NodeTable {
  readonly count: number;
  /** The names of the nodes. */
  readonly names: Uint32Array;
  /** Their properties by name: BigUint64Array for 64 bits, else Uint32Array; signed ones BigInt64Array, Int32Array. */
  readonly columns: Readonly<Record<string, Column>>;
  readonly groups: readonly ColumnGroup[];
}

/**
 * Prepares to read patterned nodes, of which there may be millions, into columns. The result reads one blob after
 * another; properties are little-endian. Members that the layout does not declare are passed over, and value rules are
 * not judged.
 *
 * @param root - layout of the whole blob
 * @param path - keys of the members that lead to the nodes, the last that of the patterned nodes
 * @returns a function that takes a blob; it throws FdtError where tokens or nodes are not sound (names of properties are
 * looked at in the nodes that are read only), and SchemaError MISSING, BAD_LENGTH or BAD_NAME for a node that does not fit
 * @throws TypeError when the path leads elsewhere, or to nodes with anything but integers and decimal names
 */
export function compileColumns(root: NodeType, path: readonly string[]): (blob: Uint8Array) => NodeTable {
  const plan = planColumns(root, path);
  return (blob) => readTable(plan, blob);
}

function readTable(plan: ColumnPlan, blob: Uint8Array): NodeTable {
  const { bounds, issues } = checkHeader(blob);
  const [issue] = issues;
  if (issue !== undefined) throw new FdtError(issue);
  const names = new PropertyNames(blob, bounds);
  const cursor = new FdtCursor(blob, bounds, names);
  const table = new ColumnTable(plan, Math.ceil((bounds.end - bounds.start) / plan.smallest));
  // The fast way keeps no sign of values shorter than a word.
  const isFast = HOST_IS_LITTLE && !plan.properties.some(({ signed, length }) => signed && length < 4);
  const words = isFast && bounds.version >= 16 ? structureWords(blob, bounds.start, bounds.end) : undefined;
  const groups: ColumnGroup[] = [];
  const ancestors: (string | number)[] = [];
  const { min = 0, max = 0xffff_ffff } = plan.names;
  let shape: NodeShape | undefined;
  /** Steps of the route that lead to the node at hand; nodes beside the route are passed over. */
  let depth = -1;
  let ended = false;

  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BAD) throw badToken(cursor);
    if (tag === FDT_END_NODE) {
      if (depth < 0) throw badToken(cursor);
      const left = plan.route[--depth];
      if (left !== undefined && 'each' in left) ancestors.pop();
      ended = depth < 0;
    } else if (ended || (depth < 0 && tag === FDT_PROP)) {
      // Behind the root, or before it, there is nothing but NOPs.
      if (tag !== FDT_NOP) throw badToken(cursor);
    } else if (tag === FDT_BEGIN_NODE) {
      if (depth === plan.route.length) readLeaves(cursor.offset);
      else if (!enter(cursor.nodeName())) skipNode(cursor);
    }
  }
  if (!ended) throw badToken(cursor);
  return { count: table.count, names: table.names(), columns: table.columns(), groups };

  /** Goes down into a node on the route. */
  function enter(name: string): boolean {
    if (depth < 0) {
      depth = 0;
      return true;
    }
    const step = plan.route[depth];
    if (step === undefined) return false;
    if ('child' in step) {
      if (step.child !== name) return false;
    } else {
      const parsed = parseNodeName(step.each, name);
      if (parsed === undefined) return false;
      ancestors.push(parsed);
    }
    depth++;
    return true;
  }

  /** Reads the node whose token was read last, and all that follow in the same shape. */
  function readLeaves(offset: number): void {
    const start = table.count;
    if (shape === undefined || words === undefined) {
      shape = readLeaf(offset);
    } else {
      const first = (offset - bounds.start) >>> 2;
      const after = scanNodes(words, first, shape, table, min, max);
      if (after === first) shape = readLeaf(offset);
      else cursor.nextOffset = bounds.start + after * 4;
    }
    const last = groups.at(-1);
    if (last !== undefined && sameNames(last.names)) {
      groups[groups.length - 1] = { ...last, end: table.count };
    } else {
      groups.push({ names: [...ancestors], start, end: table.count });
    }
  }

  function sameNames(other: readonly (string | number)[]): boolean {
    return other.every((name, index) => name === ancestors[index]);
  }

  /** Reads one node property by property, whatever their order, and returns its shape. */
  function readLeaf(offset: number): NodeShape {
    const found = cursor.nodeName();
    const path = `/${ancestors.join('/')}/${found}`;
    const name = parseNodeName(plan.names, found);
    if (typeof name !== 'number') throw failAt({ offset, path }, 'BAD_NAME', 'a decimal name', `"${found}"`);
    const order: [number, number][] = [];
    const row = table.count;
    for (let tag = cursor.next(); tag !== FDT_END_NODE; tag = cursor.next()) {
      if (tag === FDT_BAD || tag === FDT_END) throw badToken(cursor);
      if (tag === FDT_BEGIN_NODE) skipNode(cursor);
      const property =
        tag === FDT_PROP ? plan.properties.find((each) => each.name === cursor.propertyName()) : undefined;
      if (property === undefined || order.some(([index]) => index === property.index)) continue;
      const { length, index, signed } = property;
      const { valueLength, valueStart, nameoff } = cursor;
      if (valueLength !== length) {
        const place = { offset: valueStart, path: `${path}/${property.name}` };
        throw failAt(place, 'BAD_LENGTH', `${length} bytes`, `${valueLength}`);
      }
      const view = new DataView(blob.buffer, blob.byteOffset + valueStart, length);
      const to = (table.starts[index] ?? 0) + (length === 8 ? row * 2 : row);
      if (length >= 4) table.words[to] = view.getInt32(0, true);
      else if (length === 2) table.words[to] = signed ? view.getInt16(0, true) : view.getUint16(0, true);
      else table.words[to] = signed ? view.getInt8(0) : view.getUint8(0);
      if (length === 8) table.words[to + 1] = view.getInt32(4, true);
      order.push([index, nameoff]);
    }
    const missing = plan.properties.find(({ index }) => !order.some(([other]) => other === index));
    if (missing !== undefined) throw failAt({ offset, path }, 'MISSING', `property ${missing.name}`, 'none');
    table.words[row] = name;
    table.count++;
    return shapeOf(plan, table, order);
  }
}

/** The structure block as words; a copy where it is not aligned. */
function structureWords(blob: Uint8Array, start: number, end: number): Int32Array {
  const at = blob.byteOffset + start;
  const length = (end - start) >>> 2;
  if (at % 4 === 0) return new Int32Array(blob.buffer, at, length);
  return new Int32Array(blob.slice(start, start + length * 4).buffer);
}

/** Passes over the node whose FDT_BEGIN_NODE was read last. */
function skipNode(cursor: FdtCursor): void {
  for (let open = 1; open > 0; ) {
    const tag = cursor.next();
    if (tag === FDT_BAD || tag === FDT_END) throw badToken(cursor);
    if (tag === FDT_BEGIN_NODE) open++;
    else if (tag === FDT_END_NODE) open--;
  }
}

function badToken({ offset, problem, problemText }: FdtCursor): FdtError {
  const message = problemText === '' ? 'nodes are not balanced' : problemText;
  return new FdtError({ code: problem, offset, message });
}
