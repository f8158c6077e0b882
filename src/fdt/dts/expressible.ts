// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { FDT_BAD } from '../cursor.js';
import { FdtError, type FdtErrorCode } from '../error.js';
import { type Fdt, FdtNode } from '../fdt.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from '../token.js';
import { badNodeName, badPropertyName } from './name.js';

/** Longer names are refused: a strings block of overlapping names could ask for the square of its size. */
export const LONGEST_DTS_NAME = 4096;

const LEGAL = 1;
const SLASH = 0x2f;
/** Bytes that need no closer look in a node's name: an "@" is legal, but only once. */
const NODE_NAME_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte !== 0x40 && badNodeName(String.fromCharCode(byte)) === undefined ? LEGAL : 0,
);

/** Name offsets below this are looked up in an array. */
const ARRAY_LIMIT = 1 << 16;

/** The names of a blob's properties as the text needs them. */
class DtsPropertyNames {
  readonly #fdt: Fdt;
  readonly #low: Int32Array = new Int32Array(ARRAY_LIMIT);
  readonly #high: Map<number, number> = new Map();
  readonly #byText: Map<string, number> = new Map();
  /** The names by id; equal names have the same. Ids begin with 1. */
  readonly bytes: Uint8Array[] = [new Uint8Array(0)];

  constructor(fdt: Fdt) {
    this.#fdt = fdt;
  }

  /** The id of the name at `nameoff` in the strings block; 0 when it has not been added. */
  id(nameoff: number): number {
    return (nameoff < ARRAY_LIMIT ? this.#low[nameoff] : this.#high.get(nameoff)) ?? 0;
  }

  /** Adds the name that `cursor` has read. */
  add(nameoff: number, row: number): number {
    const { bytes, bounds } = this.#fdt;
    const start = bounds.strings + nameoff;
    const nul = start < bounds.stringsEnd ? bytes.subarray(start, bounds.stringsEnd).indexOf(0) : -1;
    if (nul < 0) fail(this.#fdt, row, 'BADOFFSET', `no property name lies at ${formatHex(nameoff)}`);
    const name = latin1(bytes, start, start + checkLength(this.#fdt, row, 'property', nul));
    const bad = badPropertyName(name);
    if (bad !== undefined) fail(this.#fdt, row, 'BADVALUE', `a property name has ${bad}`, name);
    let id = this.#byText.get(name);
    if (id === undefined) {
      id = this.bytes.length;
      this.bytes.push(bytes.subarray(start, start + nul));
      this.#byText.set(name, id);
    }
    if (nameoff < ARRAY_LIMIT) this.#low[nameoff] = id;
    else this.#high.set(nameoff, id);
    return id;
  }
}

/** What {@link checkExpressible} learns about a blob on the way. */
export interface Expressible {
  readonly names: DtsPropertyNames;
  /** By row: offsets of the properties that follow a child of their node. A source has them before the children. */
  readonly late: ReadonlyMap<number, readonly number[]>;
}

/**
 * Checks that a blob's tree can be told in a devicetree source without loss.
 *
 * @throws FdtError BADVALUE for a name that a source cannot have; EXISTS for a second property or child of one name;
 * BADSTRUCTURE and others for a structure block that is damaged or holds not exactly one root
 */
export function checkExpressible(fdt: Fdt): Expressible {
  const names = new DtsPropertyNames(fdt);
  const late = new Map<number, number[]>();
  const { parent } = fdt.nodes;
  const cursor = fdt.cursor();
  /** By name id: the row it was seen in last, plus 1. */
  const seen: number[] = [];
  let current = -1;
  let last = -1;
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_PROP) {
      if (current < 0) fail(fdt, current, 'BADSTRUCTURE', 'a property lies outside of every node');
      const id = names.id(cursor.nameoff) || names.add(cursor.nameoff, current);
      if (last === current) {
        if (seen[id] === current + 1) refuseSecond(fdt, current, 'property', text(names.bytes[id]));
        seen[id] = current + 1;
      } else {
        const offsets = late.get(current);
        if (offsets === undefined) late.set(current, [cursor.offset]);
        else offsets.push(cursor.offset);
      }
    } else if (tag === FDT_BEGIN_NODE) {
      if (current < 0 && last >= 0) fail(fdt, -1, 'BADSTRUCTURE', 'a second root node');
      current = ++last;
    } else if (tag === FDT_END_NODE) {
      if (current < 0) fail(fdt, -1, 'BADSTRUCTURE', 'FDT_END_NODE closes a node that was never opened');
      current = parent[current] ?? -1;
    } else if (tag === FDT_BAD) {
      const { problem, problemText, offset } = cursor;
      throw new FdtError({ code: problem, offset, message: problemText });
    }
  }
  if (last < 0) fail(fdt, -1, 'BADSTRUCTURE', 'a source needs a root node, the blob has none');
  if (current >= 0) fail(fdt, current, 'BADSTRUCTURE', 'FDT_END inside an open node');
  for (const [row, offsets] of late) checkLate(fdt, names, row, offsets);
  checkNodeNames(fdt);
  return { names, late };
}

/** Looks for a name that occurs twice in a node with properties after a child. */
function checkLate(fdt: Fdt, names: DtsPropertyNames, row: number, offsets: readonly number[]): void {
  const ids = new Set<number>();
  const add = (nameoff: number): void => {
    const id = names.id(nameoff);
    if (ids.has(id)) refuseSecond(fdt, row, 'property', text(names.bytes[id]));
    ids.add(id);
  };
  const cursor = fdt.cursor(fdt.nodes.offset[row] ?? 0);
  cursor.next();
  for (let tag = cursor.next(); tag !== FDT_BEGIN_NODE; tag = cursor.next()) {
    if (tag === FDT_PROP) add(cursor.nameoff);
  }
  for (const offset of offsets) {
    const property = fdt.cursor(offset);
    property.next();
    add(property.nameoff);
  }
}

function checkNodeNames(fdt: Fdt): void {
  const { bytes, nodes } = fdt;
  const { count, next } = nodes;
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  const isOld = fdt.bounds.version < 16;
  for (let row = 0; row < count; row++) {
    let at = (nodes.offset[row] ?? 0) + 4;
    start[row] = at;
    let legal = LEGAL;
    for (let byte = bytes[at]; byte !== 0 && byte !== undefined; byte = bytes[++at]) {
      legal = legal && NODE_NAME_BYTES[byte] === LEGAL ? LEGAL : 0;
      if (byte !== SLASH || !isOld) continue;
      // Before version 16 nodes carry paths, of which the last component counts.
      start[row] = at + 1;
      legal = LEGAL;
    }
    end[row] = at;
    const length = at - (start[row] ?? 0);
    checkLength(fdt, row, 'node', length);
    if (row > 0 && legal && length > 0) continue;
    refuseNode(fdt, row, latin1(bytes, start[row] ?? 0, at));
  }

  for (let row = 0; row < count; row++) {
    const after = next[row] ?? 0;
    let child = row + 1;
    let sibling = next[child] ?? after;
    if (sibling >= after) continue;
    // Names in ascending or descending order differ; only others need to be remembered.
    const order = Math.sign(compareNames(bytes, start, end, child, sibling));
    while (sibling < after && order !== 0 && compareNames(bytes, start, end, child, sibling) * order > 0) {
      child = sibling;
      sibling = next[sibling] ?? after;
    }
    if (sibling < after) checkChildren(fdt, row, start, end);
  }
}

/** Less than, equal to or greater than 0 as the name of row `a` is before, equal to or after that of `b`. */
function compareNames(bytes: Uint8Array, start: Int32Array, end: Int32Array, a: number, b: number): number {
  let at = start[a] ?? 0;
  let other = start[b] ?? 0;
  const length = (end[a] ?? 0) - at;
  const difference = length - ((end[b] ?? 0) - other);
  if (difference !== 0) return difference;
  for (const last = at + length; at < last; at++, other++) {
    const byteDifference = (bytes[at] ?? 0) - (bytes[other] ?? 0);
    if (byteDifference !== 0) return byteDifference;
  }
  return 0;
}

function checkChildren(fdt: Fdt, row: number, start: Int32Array, end: Int32Array): void {
  const { bytes, nodes } = fdt;
  const after = nodes.next[row] ?? 0;
  const names = new Set<string>();
  for (let child = row + 1; child < after; child = nodes.next[child] ?? after) {
    const name = latin1(bytes, start[child] ?? 0, end[child] ?? 0);
    if (names.size === names.add(name).size) refuseSecond(fdt, row, 'child', name);
  }
}

/** Refuses the name of the node in `row`, unless it is a root without one. */
function refuseNode(fdt: Fdt, row: number, name: string): void {
  if (row === 0) {
    if (name !== '') fail(fdt, row, 'BADVALUE', 'the root of a source has no name, this one has', name);
    return;
  }
  const bad = name === '' ? 'no characters' : badNodeName(name);
  if (bad !== undefined) fail(fdt, fdt.nodes.parent[row] ?? 0, 'BADVALUE', `a child's name has ${bad}`, name);
}

function checkLength(fdt: Fdt, row: number, kind: string, length: number): number {
  if (length > LONGEST_DTS_NAME) {
    fail(fdt, row, 'BADVALUE', `a ${kind} name of ${length} bytes, the limit is ${LONGEST_DTS_NAME}`);
  }
  return length;
}

function refuseSecond(fdt: Fdt, row: number, kind: string, name: string): never {
  return fail(fdt, row, 'EXISTS', `a source has each ${kind} of a node once, here is a second`, name);
}

function fail(fdt: Fdt, row: number, code: FdtErrorCode, message: string, name?: string): never {
  const shown = name === undefined ? '' : `: "${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`;
  const path = row < 0 ? undefined : new FdtNode(fdt, row).path;
  throw new FdtError({ code, path, message: `${message}${shown}` });
}

/** Short names a character at a time: faster than any way through an array. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  let name = '';
  for (let at = start; at < end; at++) name += String.fromCharCode(bytes[at] ?? 0);
  return name;
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : latin1(bytes, 0, bytes.length);
}
