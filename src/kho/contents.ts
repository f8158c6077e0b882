// SPDX-License-Identifier: Apache-2.0
// What files and regions of a made-up handover hold.
import { encodeUtf8 } from '../bytes/utf8.js';
import { PAGE_SIZE } from '../image/physical-memory.js';

/** A range of bytes in a file. */
export interface ByteSpan {
  readonly start: number;
  readonly length: number;
}

/**
 * A pattern in which every 64-bit word tells where it is: word i of page p of the file is
 * `seed * 0x9E3779B97F4A7C15 ^ p << 20 ^ i`, little-endian.
 */
export interface PatternContents {
  readonly pattern: number;
  /** Words that are written at the start of each page; default all 512. */
  readonly words?: number | undefined;
  /** Pages that are written: these; default all. */
  readonly pages?: readonly number[] | undefined;
  /** Pages that are written: from this one on … */
  readonly from?: number | undefined;
  /** … every so many. */
  readonly every?: number | undefined;
}

/** Contents: zeros, text from the start on and zeros after it, or a pattern. */
export type Contents = 'zeros' | { readonly text: string } | PatternContents;

const WORDS = PAGE_SIZE / 8;
const MULTIPLIER = 0x9e3779b97f4a7c15n;

/**
 * Makes contents, in whole pages; bytes behind `size` are zeros.
 *
 * @param size in bytes
 * @param holes ranges that are zeros whatever the contents are
 */
export function makeContents(contents: Contents, size: number, holes: readonly ByteSpan[] = []): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE);
  if (contents === 'zeros') return bytes;
  if ('text' in contents) bytes.set(encodeUtf8(contents.text).subarray(0, size));
  else writePattern(contents, bytes);
  bytes.fill(0, size);
  for (const { start, length } of holes) bytes.fill(0, start, start + length);
  return bytes;
}

function writePattern(
  { pattern, words = WORDS, pages, from = 0, every = 1 }: PatternContents,
  bytes: Uint8Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const seed = BigInt.asUintN(64, BigInt(pattern) * MULTIPLIER);
  const low = Number(seed & 0xffff_ffffn);
  const high = Number(seed >> 32n);
  const count = Math.min(words, WORDS);
  const total = bytes.length / PAGE_SIZE;
  const write = (page: number): void => {
    // page << 20, in its two halves.
    const pageLow = low ^ (page << 20);
    const pageHigh = high ^ Math.floor(page / 4096);
    for (let word = 0, at = page * PAGE_SIZE; word < count; word++, at += 8) {
      view.setUint32(at, pageLow ^ word, true);
      view.setUint32(at + 4, pageHigh, true);
    }
  };
  if (pages !== undefined) {
    for (const page of pages) if (page < total) write(page);
    return;
  }
  for (let page = from; page < total; page += every) write(page);
}
