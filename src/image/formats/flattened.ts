// SPDX-License-Identifier: Apache-2.0
// The flattened stream (makedumpfile -F, QEMU before 8), memory-images.md section 4: pieces of a file in the order
// they were written.
import { formatHex } from '../../bytes/hex.js';
import type { ByteSource, ImageIo } from '../byte-source.js';
import { ImageError } from '../error.js';
import { FixedHeader, fileOffset } from '../fixed-header.js';
import { shortRead } from '../image-file.js';
import { findInterval, type IntervalMap, layIntervals } from '../interval-map.js';
import { newPageSlot, type PageSlot, pointSlot } from '../physical-memory.js';

const FILE_HEADER = new FixedHeader('flattened header', 32, 'big', {
  type: [16, 'int64'],
  version: [24, 'int64'],
});
const RECORD_HEADER = new FixedHeader('flattened record', 16, 'big', {
  offset: [0, 'int64'],
  size: [8, 'int64'],
});

const FIRST_RECORD = 4096;
/** No more records than this, unless the file is so large that they average 512 bytes. */
const MAX_RECORDS = 1 << 20;

/** The bytes that records describe: later records overwrite earlier ones, what no record wrote is zero. */
class FlattenedSource implements ByteSource {
  readonly io: ImageIo;
  readonly size: number;
  readonly stored: number;
  readonly #file: ByteSource;
  readonly #map: IntervalMap;
  /** Position in the file of each interval's first byte. */
  readonly #positions: Float64Array;
  readonly #slot = newPageSlot();

  constructor(file: ByteSource, map: IntervalMap, positions: Float64Array) {
    this.io = file.io;
    this.stored = file.stored;
    this.size = map.ends[map.ends.length - 1] ?? 0;
    this.#file = file;
    this.#map = map;
    this.#positions = positions;
  }

  view(offset: number, length: number): Uint8Array {
    this.locate(offset, length, this.#slot);
    const { bytes, offset: start } = this.#slot;
    return bytes.subarray(start, start + length);
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    const index = findInterval(this.#map.starts, offset);
    if (offset + length <= (this.#map.ends[index] ?? 0)) {
      const position = (this.#positions[index] ?? 0) + offset - (this.#map.starts[index] ?? 0);
      this.#file.locate(position, length, slot);
      return;
    }
    if (offset + length > this.size) throw shortRead(offset, length, Math.max(0, this.size - offset));
    const bytes = new Uint8Array(length);
    this.readInto(offset, bytes);
    pointSlot(slot, bytes);
  }

  readInto(offset: number, target: Uint8Array): void {
    const end = offset + target.length;
    if (end > this.size) throw shortRead(offset, target.length, Math.max(0, this.size - offset));
    let index = findInterval(this.#map.starts, offset);
    for (let at = offset; at < end; ) {
      const start = this.#map.starts[index] ?? (index < 0 ? 0 : end);
      const stop = this.#map.ends[index] ?? 0;
      if (at >= start && at < stop) {
        const count = Math.min(end, stop) - at;
        const position = (this.#positions[index] ?? 0) + at - start;
        this.#file.readInto(position, target.subarray(at - offset, at - offset + count));
        at += count;
        continue;
      }
      // In a gap: zeros up to the next interval.
      index++;
      const next = Math.min(end, this.#map.starts[index] ?? end);
      target.fill(0, at - offset, next - offset);
      at = next;
    }
  }

  windowAt(): undefined {
    return undefined;
  }

  recheck(): void {
    this.#file.recheck();
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Reads the record headers of a flattened stream.
 *
 * @param file a source that starts with "makedumpfile"
 * @returns the file the records describe, read through them
 * @throws ImageError UNSUPPORTED for another type or version; BAD_HEADER, TRUNCATED, LIMIT for malformed records
 */
export function openFlattened(file: ByteSource): { source: ByteSource; records: number } {
  const header = FILE_HEADER.read(file, 0);
  if (header.type !== 1n || header.version !== 1n) {
    throw new ImageError({
      code: 'UNSUPPORTED',
      message: `flattened stream of type ${header.type}, version ${header.version}; expected 1 and 1`,
      offset: 16,
    });
  }
  const limit = Math.max(MAX_RECORDS, file.size / 512);
  const starts: number[] = [];
  const ends: number[] = [];
  const positions: number[] = [];
  for (let at = FIRST_RECORD; ; ) {
    const record = RECORD_HEADER.read(file, at);
    if (record.offset === -1n && record.size === -1n) break;
    if (record.offset < 0n || record.size <= 0n) {
      throw new ImageError({
        code: 'BAD_HEADER',
        message: `a record of ${record.size} bytes for offset ${record.offset}`,
        offset: at,
      });
    }
    const start = fileOffset(record.offset, 'the record offset', at);
    const length = fileOffset(record.size, 'the record size', at + 8);
    const position = at + RECORD_HEADER.size;
    if (position + length > file.size) {
      throw new ImageError({
        code: 'TRUNCATED',
        message: `the record for ${formatHex(start)} has ${length} bytes, ${file.size - position} left`,
        offset: at,
      });
    }
    fileOffset(BigInt(start) + BigInt(length), 'the end of a record', at);
    if (starts.length >= limit) {
      throw new ImageError({ code: 'LIMIT', message: `more than ${limit} records`, offset: at });
    }
    starts.push(start);
    ends.push(start + length);
    positions.push(position);
    at = position + length;
  }
  const map = layIntervals(Float64Array.from(starts), Float64Array.from(ends), 'last');
  const where = map.starts.map((start, index) => {
    const owner = map.owners[index] ?? 0;
    return (positions[owner] ?? 0) + start - (starts[owner] ?? 0);
  });
  return { source: new FlattenedSource(file, map, where), records: starts.length };
}
