// SPDX-License-Identifier: Apache-2.0
import type { PageSlot } from './physical-memory.js';

/** How the bytes of a file are reached: positioned reads, or a mapping. */
export type ImageIo = 'read' | 'mmap';

/** A stretch of a file that lies in memory for good. */
export interface MappedWindow {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** File offset of `bytes[0]`. */
  readonly start: number;
}

/**
 * A file, or something that behaves like one (the output a flattened stream describes): bytes at offsets. What every
 * format is decoded from.
 */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Bytes that are really stored, at most; what is kept in memory for this source must be bounded by it. */
  readonly stored: number;
  readonly io: ImageIo;
  /**
   * `length` bytes at `offset`: a view where they lie together, else a copy. Views are never written to again.
   *
   * @throws ImageError TRUNCATED with the offset of the first missing byte, or IO
   */
  view(offset: number, length: number): Uint8Array;
  /** {@link view} without allocating where the bytes lie together: points `slot` at them. */
  locate(offset: number, length: number, slot: PageSlot): void;
  /**
   * The window of a mapping in which a page from `offset` lies; undefined where the file is not mapped or ends before.
   * For loops that cannot afford to ask for every page.
   */
  windowAt(offset: number): MappedWindow | undefined;
  /** Fills `target` with the bytes from `offset` by reading, never through a mapping. Errors as {@link view}. */
  readInto(offset: number, target: Uint8Array): void;
  /** @throws ImageError CHANGED when the file below is no longer as it was opened */
  recheck(): void;
  /** Gives the file back. Views remain valid. */
  close(): void;
}
