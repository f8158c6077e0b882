// SPDX-License-Identifier: Apache-2.0
// Page tables for the benchmarks, made by the table builder and streamed to a file: second stage, four levels.
import { CoreWriter } from '../dist/image/index.js';
import { LEVEL_SHIFT, TableBuilder } from '../dist/vtd/index.js';

/** Frame of the first table page. */
const FIRST_TABLE = 0x100_0000;
const READ_WRITE = 3;
const LEVEL_1 = READ_WRITE | (1 << LEVEL_SHIFT);
const LEVEL_2 = READ_WRITE | (2 << LEVEL_SHIFT);
const BATCH = 1 << 16;

/** A permutation of the numbers below 2^`bits` that leaves no two neighbours neighbours. */
function shuffled(value, bits) {
  const mask = 2 ** bits - 1;
  let mixed = value ^ (value >>> (bits >> 1));
  mixed = Math.imul(mixed, 0x9e3779b1) & mask;
  mixed ^= mixed >>> ((bits >> 1) - 2);
  return Math.imul(mixed, 0x85ebca6b) & mask;
}

/** What the tables map, as columns of one extent a leaf (B, C) or a long run (A). */
const KINDS = {
  /** Contiguous frames. */
  A: (columns, first, count) => {
    columns.iovaFrame[0] = first;
    columns.frame[0] = 2 ** 28 + first;
    columns.frames[0] = count;
    columns.bits[0] = LEVEL_1;
    columns.length = 1;
  },
  /** Shuffled frames. */
  B: (columns, first, count, total) => {
    const bits = Math.log2(total);
    for (let at = 0; at < count; at++) {
      columns.iovaFrame[at] = first + at;
      columns.frame[at] = 2 ** 28 + shuffled(first + at, bits);
      columns.frames[at] = 1;
      columns.bits[at] = LEVEL_1;
    }
    columns.length = count;
  },
  /** Of each eight stretches of 2 MiB: four 2 MiB leaves, two of contiguous and two of shuffled 4 KiB leaves. */
  C: (columns, first, count, total) => {
    const bits = Math.log2(total);
    let row = 0;
    const put = (iova, frame, frames, flags) => {
      columns.iovaFrame[row] = iova;
      columns.frame[row] = frame;
      columns.frames[row] = frames;
      columns.bits[row++] = flags;
    };
    for (let at = first; at < first + count; at += 512) {
      const turn = (at / 512) % 8;
      if (turn % 2 === 0) put(at, 2 ** 28 + Math.floor(shuffled(at, bits) / 512) * 512, 512, LEVEL_2);
      else if (turn < 4) put(at, 2 ** 28 + at, 512, LEVEL_1);
      else for (let page = at; page < at + 512; page++) put(page, 2 ** 28 + shuffled(page, bits), 1, LEVEL_1);
    }
    columns.length = row;
  },
};

/**
 * Writes an ELF core with tables that map `gib` GiB (a power of two).
 *
 * @param kind A contiguous, B shuffled, C mixed with 2 MiB leaves
 * @returns the table's root, and how many table pages the file holds from frame `firstPfn` on (at file offset 4096)
 */
export function writeTables(path, kind, gib) {
  const writer = new CoreWriter(path, FIRST_TABLE);
  let pfn = FIRST_TABLE;
  const builder = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => pfn++,
    put: (at, page) => writer.put(at, page),
  });
  const columns = {
    length: 0,
    iovaFrame: new Float64Array(BATCH),
    frame: new Float64Array(BATCH),
    frames: new Float64Array(BATCH),
    bits: new Uint16Array(BATCH),
  };
  const total = gib * 2 ** 18;
  for (let first = 0; first < total; first += BATCH) {
    KINDS[kind](columns, first, Math.min(BATCH, total - first), total);
    builder.add(columns);
  }
  const root = builder.finish();
  writer.finish();
  return { root, firstPfn: FIRST_TABLE, tables: builder.tables };
}
