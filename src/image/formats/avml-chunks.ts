// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, ImageIo } from '../byte-source.js';
import { expandSnappy } from '../decompress/snappy.js';
import { frameChecksum, type SnappyChunk } from '../decompress/snappy-frame.js';
import { ImageError } from '../error.js';
import { shortRead } from '../image-file.js';
import { findInterval } from '../interval-map.js';
import { newPageSlot, type PageSlot, pointSlot } from '../physical-memory.js';
import { RecentCache } from '../recent-cache.js';

/** Expanded chunks of at most 64 KiB that are kept: 16 MiB. */
const CACHED_CHUNKS = 256;

/** The chunks of all streams of a file, in order; columns. */
export class ChunkTable {
  /** Expanded bytes before each chunk. */
  readonly starts: number[] = [];
  readonly offsets: number[] = [];
  /** Stored bytes, negative where the chunk is not compressed. */
  readonly stored: number[] = [];
  readonly checksums: number[] = [];
  /** Expanded bytes of all chunks. */
  length = 0;

  get count(): number {
    return this.starts.length;
  }

  add(chunk: SnappyChunk): void {
    this.starts.push(this.length);
    this.offsets.push(chunk.offset);
    this.stored.push(chunk.compressed ? chunk.stored : -chunk.stored);
    this.checksums.push(chunk.checksum);
    this.length += chunk.length;
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The expanded bytes of all chunks in a row, as if they were a file; expands on demand. */
export class ChunkedSource implements ByteSource {
  readonly io: ImageIo;
  readonly size: number;
  readonly stored: number;
  readonly #file: ByteSource;
  readonly #chunks: ChunkTable;
  readonly #starts: Float64Array;
  readonly #cache = new RecentCache<Chunk>(CACHED_CHUNKS);
  readonly #slot = newPageSlot();

  constructor(file: ByteSource, chunks: ChunkTable) {
    this.io = file.io;
    this.size = chunks.length;
    this.stored = file.stored;
    this.#file = file;
    this.#chunks = chunks;
    this.#starts = Float64Array.from(chunks.starts);
  }

  #chunk(index: number): Chunk {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const start = this.#starts[index] ?? 0;
    const bytes = new Uint8Array((this.#starts[index + 1] ?? this.size) - start);
    const offset = this.#chunks.offsets[index] ?? 0;
    const stored = this.#chunks.stored[index] ?? 0;
    if (stored < 0) {
      this.#file.readInto(offset, bytes);
    } else {
      try {
        expandSnappy(this.#file.view(offset, stored), bytes);
      } catch (error) {
        if (!(error instanceof ImageError) || error.code !== 'BAD_DATA') throw error;
        throw new ImageError(
          { ...error.issue, offset: offset + (error.issue.offset ?? 0) },
          { cause: error },
        );
      }
    }
    if (frameChecksum(bytes) !== this.#chunks.checksums[index]) {
      throw new ImageError({
        code: 'BAD_DATA',
        message: 'snappy frame: the checksum does not match',
        offset,
      });
    }
    const chunk = { bytes, view: new DataView(bytes.buffer) };
    this.#cache.set(index, chunk);
    return chunk;
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    if (offset + length > this.size) throw shortRead(offset, length, Math.max(0, this.size - offset));
    const index = findInterval(this.#starts, offset);
    const start = offset - (this.#starts[index] ?? 0);
    const chunk = this.#chunk(Math.max(0, index));
    if (start + length <= chunk.bytes.length) {
      slot.bytes = chunk.bytes;
      slot.view = chunk.view;
      slot.offset = start;
      return;
    }
    const bytes = new Uint8Array(length);
    this.readInto(offset, bytes);
    pointSlot(slot, bytes);
  }

  view(offset: number, length: number): Uint8Array {
    this.locate(offset, length, this.#slot);
    const { bytes, offset: start } = this.#slot;
    return bytes.subarray(start, start + length);
  }

  readInto(offset: number, target: Uint8Array): void {
    if (offset + target.length > this.size) {
      throw shortRead(offset, target.length, Math.max(0, this.size - offset));
    }
    for (let done = 0; done < target.length; ) {
      const index = findInterval(this.#starts, offset + done);
      const { bytes } = this.#chunk(index);
      const from = offset + done - (this.#starts[index] ?? 0);
      const count = Math.min(target.length - done, bytes.length - from);
      target.set(bytes.subarray(from, from + count), done);
      done += count;
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
