// SPDX-License-Identifier: Apache-2.0
// LiME v1 and AVML v1 (the same bytes), memory-images.md sections 5 and 6.
import { formatHex } from '../../bytes/hex.js';
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { FixedHeader, type HeaderValues } from '../fixed-header.js';
import { SegmentedMemory } from '../segmented-memory.js';
import { SegmentBuilder } from '../segments.js';
import type { FormatContext, OpenedFormat } from './format.js';

const RANGE_FIELDS = {
  magic: [0, 'uint32'],
  version: [4, 'uint32'],
  s_addr: [8, 'uint64'],
  e_addr: [16, 'uint64'],
  reserved: [24, 'uint64'],
} as const;

/** The header before each range, of LiME and of both AVML versions; `e_addr` is the address of the last byte. */
export const RANGE_HEADER: FixedHeader<typeof RANGE_FIELDS> = new FixedHeader(
  'memory range header',
  32,
  'little',
  RANGE_FIELDS,
);

/** "EMiL" in the file. */
export const LIME_MAGIC = 0x4c694d45;

/** A file has at most this many ranges: AVML writes one for each 16 MiB. */
const MAX_RANGES = 1 << 20;

/**
 * Reads the range header at `at` and checks it.
 *
 * @param index how many ranges came before
 * @throws ImageError BAD_HEADER, UNSUPPORTED for another version, LIMIT
 */
export function readRangeHeader(
  source: ByteSource,
  at: number,
  magic: number,
  version: number,
  index: number,
): HeaderValues<typeof RANGE_FIELDS> {
  const header = RANGE_HEADER.read(source, at);
  const bad = (code: 'BAD_HEADER' | 'UNSUPPORTED' | 'LIMIT', message: string, field: number): ImageError =>
    new ImageError({ code, message, offset: at + field });
  if (header.magic !== magic) {
    throw bad('BAD_HEADER', `expected magic ${formatHex(magic)}, found ${formatHex(header.magic)}`, 0);
  }
  if (header.version !== version) {
    throw bad('UNSUPPORTED', `version ${header.version}, expected ${version}`, 4);
  }
  if (header.e_addr < header.s_addr) {
    throw bad('BAD_HEADER', `the range ends at ${formatHex(header.e_addr)}, before its start`, 16);
  }
  if (index >= MAX_RANGES) throw bad('LIMIT', `more than ${MAX_RANGES} ranges`, 0);
  return header;
}

/** @throws ImageError BAD_HEADER, UNSUPPORTED, TRUNCATED, LIMIT */
export function openLime(source: ByteSource, context: FormatContext): OpenedFormat {
  const segments = new SegmentBuilder(source, context.truncated, context.remark);
  let at = 0;
  let ranges = 0;
  while (at < source.size) {
    if (context.truncated === 'clip' && at + RANGE_HEADER.size > source.size) {
      context.remark('truncated: the file ends within a range header');
      break;
    }
    const { s_addr, e_addr } = readRangeHeader(source, at, LIME_MAGIC, 1, ranges++);
    const length = e_addr - s_addr + 1n;
    segments.present(s_addr, BigInt(at + RANGE_HEADER.size), length, at);
    at += RANGE_HEADER.size + Number(length);
  }
  return { format: 'lime', memory: new SegmentedMemory(source, segments.build()), facts: { ranges } };
}
