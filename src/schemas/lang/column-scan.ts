// SPDX-License-Identifier: Apache-2.0
// The fast way through many nodes of one shape. Nodes that one kernel wrote in one loop differ in names and values
// only, so everything else is compared word by word with the node before.
import { FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP } from '../../fdt/token.js';
import type { ColumnPlan } from './column-plan.js';
import type { ColumnTable } from './column-table.js';

/** Whether typed arrays of this machine hold the least significant byte first. */
export const HOST_IS_LITTLE: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A big-endian word of a blob as a little-endian array shows it. */
function swapped(value: number): number {
  return ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

const BEGIN = swapped(FDT_BEGIN_NODE);
const PROP = swapped(FDT_PROP);
const END = swapped(FDT_END_NODE);

/** How a node's words look between its name and its end: per property its length, offset of its name, and column. */
export interface NodeShape {
  readonly lengths: Int32Array;
  readonly nameoffs: Int32Array;
  /** Word of the column for row 0. */
  readonly starts: Int32Array;
  /** 1 for a value of two words. */
  readonly wide: Int32Array;
  /** Keeps the bits of values shorter than a word, and their sign. */
  readonly shifts: Int32Array;
}

/** The shape of a node whose properties come in this order, named by these offsets in the strings block. */
export function shapeOf(
  plan: ColumnPlan,
  table: ColumnTable,
  order: readonly (readonly [number, number])[],
): NodeShape {
  const properties = order.map(([index, nameoff]) => ({ property: plan.properties[index], nameoff, index }));
  return {
    lengths: Int32Array.from(properties, ({ property }) => swapped(property?.length ?? 0)),
    nameoffs: Int32Array.from(properties, ({ nameoff }) => swapped(nameoff)),
    starts: Int32Array.from(properties, ({ index }) => table.starts[index] ?? 0),
    wide: Int32Array.from(properties, ({ property }) => (property?.length === 8 ? 1 : 0)),
    shifts: Int32Array.from(properties, ({ property }) => Math.max(0, 32 - (property?.length ?? 4) * 8)),
  };
}

/**
 * Reads nodes of a shape into rows, one after another, up to the first that differs.
 *
 * @param words - the structure block
 * @param start - word of the first node's FDT_BEGIN_NODE
 * @param end - word after the last that may be read
 * @param least - smallest number that is a name
 * @param most - largest one
 * @returns the word after the last node that was read
 */
export function scanNodes(
  words: Int32Array,
  start: number,
  end: number,
  shape: NodeShape,
  table: ColumnTable,
  least: number,
  most: number,
): number {
  const { lengths, nameoffs, starts, wide, shifts } = shape;
  const out = table.words;
  const count = lengths.length;
  // Tokens, a name of up to three words, and the properties: with that much left no bound needs to be looked at.
  let size = 5;
  for (let index = 0; index < count; index++) size += 4 + (wide[index] ?? 0);
  const last = end - size;
  let row = table.count;
  let at = start;
  while (at <= last && words[at] === BEGIN) {
    let word = words[at + 1] ?? 0;
    let next = at + 2;
    let digit = (word & 0xff) - 48;
    // A leading zero only by itself.
    if (digit < 0 || digit > 9 || (digit === 0 && word !== 48)) break;
    let name = digit;
    let rest = word >>> 8;
    let room = 3;
    for (let used = 1; ; used++) {
      if (room === 0) {
        if (used > 8) break;
        word = words[next++] ?? 0;
        rest = word;
        room = 4;
      }
      digit = rest & 0xff;
      if (digit === 0) break;
      digit -= 48;
      if (digit < 0 || digit > 9) break;
      name = name * 10 + digit;
      rest >>>= 8;
      room--;
    }
    if (rest !== 0 || room === 0 || name < least || name > most) break;
    let index = 0;
    for (; index < count; index++) {
      if (words[next] !== PROP || words[next + 1] !== lengths[index] || words[next + 2] !== nameoffs[index])
        break;
      if (wide[index] === 1) {
        const to = (starts[index] ?? 0) + row * 2;
        out[to] = words[next + 3] ?? 0;
        out[to + 1] = words[next + 4] ?? 0;
        next += 5;
      } else {
        const shift = shifts[index] ?? 0;
        out[(starts[index] ?? 0) + row] = ((words[next + 3] ?? 0) << shift) >>> shift;
        next += 4;
      }
    }
    if (index < count || words[next] !== END) break;
    out[row++] = name;
    at = next + 1;
  }
  table.count = row;
  return at;
}
