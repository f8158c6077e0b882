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

/** How wide a value is in {@link NodeShape}: shorter than a word, by how many bits, or one word, or two. */
const ONE_WORD = 0;
const TWO_WORDS = -1;

/**
 * How a node's words look between its name and its end: four numbers a property in one array, which is faster than an
 * array each. Length and offset of the name as they are in the blob, word of the column for row 0, width.
 */
export type NodeShape = Int32Array;

/** The shape of a node whose properties come in this order, named by these offsets in the strings block. */
export function shapeOf(
  plan: ColumnPlan,
  table: ColumnTable,
  order: readonly (readonly [number, number])[],
): NodeShape {
  const shape = new Int32Array(order.length * 4);
  for (const [at, [index, nameoff]] of order.entries()) {
    const length = plan.properties[index]?.length ?? 0;
    const width = length === 8 ? TWO_WORDS : length === 4 ? ONE_WORD : 32 - length * 8;
    shape.set([swapped(length), swapped(nameoff), table.starts[index] ?? 0, width], at * 4);
  }
  return shape;
}

/**
 * Reads nodes of a shape into rows, one after another, up to the first that differs.
 *
 * @param words - the structure block
 * @param start - word of the first node's FDT_BEGIN_NODE
 * @param least - smallest number that is a name
 * @param most - largest one
 * @returns the word after the last node that was read
 */
export function scanNodes(
  words: Int32Array,
  start: number,
  shape: NodeShape,
  table: ColumnTable,
  least: number,
  most: number,
): number {
  const out = table.words;
  const size = shape.length;
  // Tokens, a name of up to three words, and the properties: with that much left no bound needs to be looked at.
  const last = words.length - 5 - (size >>> 2) * 5;
  // The first three properties in local variables: a fifth faster than reading all from the array (19.4 and 24.2 ns a
  // node of three, a loop written by hand for them 20.0 ns).
  const [length0 = 0, nameoff0 = 0, column0 = 0, width0 = 0] = shape;
  const [length1 = 0, nameoff1 = 0, column1 = 0, width1 = 0] = shape.subarray(4);
  const [length2 = 0, nameoff2 = 0, column2 = 0, width2 = 0] = shape.subarray(8);
  let row = table.count;
  let at = start;
  while (at <= last && words[at] === BEGIN) {
    let next = at + 2;
    let word = words[at + 1] ?? 0;
    // No empty name, no leading zero but in zero itself.
    if ((word & 0xff) === 0 || ((word & 0xff) === ZERO && word !== ZERO)) break;
    let name = 0;
    // Four digits at once, then those of the word that ends the name.
    if (isFourDigits(word)) {
      name = fourDigits(word);
      word = words[next++] ?? 0;
      if (isFourDigits(word)) {
        name = name * 10_000 + fourDigits(word);
        word = words[next++] ?? 0;
      }
    }
    if (word >>> 24 !== 0) break;
    while (word !== 0) {
      const digit = (word & 0xff) - ZERO;
      if (digit < 0 || digit > 9) break;
      name = name * 10 + digit;
      word >>>= 8;
    }
    if (word !== 0 || name < least || name > most) break;
    next = takeValue(words, next, out, row, length0, nameoff0, column0, width0);
    if (size > 4 && next > 0) next = takeValue(words, next, out, row, length1, nameoff1, column1, width1);
    if (size > 8 && next > 0) next = takeValue(words, next, out, row, length2, nameoff2, column2, width2);
    for (let field = 12; field < size && next > 0; field += 4) {
      const column = shape[field + 2] ?? 0;
      next = takeValue(
        words,
        next,
        out,
        row,
        shape[field] ?? 0,
        shape[field + 1] ?? 0,
        column,
        shape[field + 3] ?? 0,
      );
    }
    if (next < 0 || words[next] !== END) break;
    out[row++] = name;
    at = next + 1;
  }
  table.count = row;
  return at;
}

/**
 * Copies the value of the property at word `next` to its column, if it is the property expected there.
 *
 * @returns the word after it, or -1
 */
function takeValue(
  words: Int32Array,
  next: number,
  out: Int32Array,
  row: number,
  length: number,
  nameoff: number,
  column: number,
  width: number,
): number {
  if (words[next] !== PROP || words[next + 1] !== length || words[next + 2] !== nameoff) return -1;
  if (width === TWO_WORDS) {
    const to = column + row + row;
    out[to] = words[next + 3] ?? 0;
    out[to + 1] = words[next + 4] ?? 0;
    return next + 5;
  }
  out[column + row] = ((words[next + 3] ?? 0) << width) >>> width;
  return next + 4;
}

const ZERO = 0x30;

/** Whether the four bytes of a word are decimal digits. */
function isFourDigits(word: number): boolean {
  return (word & 0xf0f0f0f0) === 0x30303030 && ((word + 0x06060606) & 0xf0f0f0f0) === 0x30303030;
}

/** The number that they are, the first digit in the lowest byte. */
function fourDigits(word: number): number {
  return (word & 15) * 1000 + ((word >>> 8) & 15) * 100 + ((word >>> 16) & 15) * 10 + ((word >>> 24) & 15);
}
