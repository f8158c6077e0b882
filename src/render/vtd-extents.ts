// SPDX-License-Identifier: Apache-2.0
// The extents of a walk, written as they are found: nothing of them is kept.
import { type ExtentColumns, leafSize, permissionText } from '../vtd/extents.js';
import { MAPPING } from '../vtd/paging-format.js';
import type { Paint } from './paint.js';
import { formatSize } from './size.js';
import type { TextSink } from './text-sink.js';

/** Takes the rows of a walk in order. */
export type ExtentWriter = (rows: ExtentColumns) => void;

/** An address or length in bytes of a number of 4 KiB frames: exact above 2^53, and faster than bigints. */
export function frameHex(frames: number): string {
  return frames === 0 ? '0x0' : `0x${frames.toString(16)}000`;
}

function paddedHex(frames: number): string {
  return `0x${frames.toString(16).padStart(13, '0')}000`;
}

/** Text of rows that is handed on in pieces of some size. */
const ROWS_A_PIECE = 1024;

function writer(out: TextSink, line: (rows: ExtentColumns, row: number) => string): ExtentWriter {
  return (rows) => {
    let text = '';
    for (let row = 0; row < rows.length; row++) {
      text += line(rows, row);
      if (row % ROWS_A_PIECE === ROWS_A_PIECE - 1) {
        out(text);
        text = '';
      }
    }
    out(text);
  };
}

function extentJson(rows: ExtentColumns, row: number): string {
  const iova = frameHex(rows.iovaFrame[row] ?? 0);
  const phys = frameHex(rows.frame[row] ?? 0);
  const length = frameHex(rows.frames[row] ?? 0);
  return `{"iova": "${iova}", "phys": "${phys}", "length": "${length}", "perm": "${permissionText(rows.bits[row] ?? 0)}"}`;
}

/** Items of a JSON array, each on a line of its own, with commas between them; brackets are for the caller. */
export function jsonExtents(out: TextSink, indent: string): ExtentWriter {
  let comma = '';
  return writer(out, (rows, row) => {
    const text = `${comma}\n${indent}${extentJson(rows, row)}`;
    comma = ',';
    return text;
  });
}

/** JSON Lines: an object a line. */
export function jsonLinesExtents(out: TextSink): ExtentWriter {
  return writer(out, (rows, row) => `${extentJson(rows, row)}\n`);
}

/** CSV with a header line; `page` is the size of the leaves in bytes. */
export function csvExtents(out: TextSink): ExtentWriter {
  out('iova,phys,length,perm,page,flags\n');
  // Extents have few kinds of bits, and there may be millions.
  const tails = new Map<number, string>();
  return writer(out, (rows, row) => {
    const bits = rows.bits[row] ?? 0;
    const iova = frameHex(rows.iovaFrame[row] ?? 0);
    const phys = frameHex(rows.frame[row] ?? 0);
    const length = frameHex(rows.frames[row] ?? 0);
    let tail = tails.get(bits);
    if (tail === undefined) {
      tail = `${permissionText(bits)},${leafSize(bits)},${flagNames(bits).join(' ')}\n`;
      tails.set(bits, tail);
    }
    return `${iova},${phys},${length},${tail}`;
  });
}

const FLAGS = [
  [MAPPING.EXECUTE, 'execute'],
  [MAPPING.SNOOP, 'snoop'],
  [MAPPING.ACCESSED, 'accessed'],
  [MAPPING.DIRTY, 'dirty'],
  [MAPPING.USER, 'user'],
  [MAPPING.GLOBAL, 'global'],
  [MAPPING.WRITE_THROUGH, 'write-through'],
  [MAPPING.CACHE_DISABLE, 'cache-disable'],
  [MAPPING.PAT, 'pat'],
] as const;

/** What the bits of an extent say besides reading and writing. */
export function flagNames(bits: number): string[] {
  return FLAGS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
}

/** Lines of a table for people, with a heading above the first one. */
export function tableExtents(out: TextSink, paint: Paint): ExtentWriter {
  let heading = `${'IOVA'.padEnd(18)}  ${'physical'.padEnd(18)}  ${'size'.padEnd(11)}  perm  leaves  flags`;
  return writer(out, (rows, row) => {
    const bits = rows.bits[row] ?? 0;
    const size = formatSize(BigInt(rows.frames[row] ?? 0) << 12n);
    const cells = [
      paint('property', paddedHex(rows.iovaFrame[row] ?? 0)),
      paint('number', paddedHex(rows.frame[row] ?? 0)),
      size.padEnd(11),
      permissionText(bits).padEnd(4),
      formatSize(leafSize(bits)).padEnd(6),
      paint('note', flagNames(bits).join(' ')),
    ];
    const head = heading === '' ? '' : `${paint('title', heading)}\n`;
    heading = '';
    return `${head}${cells.join('  ').trimEnd()}\n`;
  });
}
