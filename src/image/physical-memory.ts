// SPDX-License-Identifier: Apache-2.0

/** log2 of {@link PAGE_SIZE}. */
export const PAGE_SHIFT = 12;
/** The size in bytes of the pages this floor speaks of, whatever page size the dumped kernel used. */
export const PAGE_SIZE = 4096;

/**
 * Why there is no page to look at: `absent`, the image says nothing about this address (a hole, device memory, past
 * the end), or `excluded`, there was memory but the dumper left its contents out. A page full of zeros that is in the
 * image is neither: it is a page.
 */
export type PageMiss = 'absent' | 'excluded';

/** A run of physical memory. */
export interface MemoryRange {
  /** Physical address of the first byte. */
  readonly start: bigint;
  /** Physical address behind the last byte. */
  readonly end: bigint;
  /** Whether the image holds the contents or only knows that the dumper left them out. */
  readonly state: 'present' | 'excluded';
}

/**
 * Where a page lies, for loops that must not allocate: fill one of these again and again with
 * {@link PhysicalMemory.locate}.
 */
export interface PageSlot {
  /** A window of memory that holds the page. */
  bytes: Uint8Array;
  /** The same window for multi-byte loads: its byte 0 is `bytes[0]`. */
  view: DataView;
  /** Offset of the page's first byte in `bytes` and `view`; of any alignment. */
  offset: number;
}

/** An empty {@link PageSlot} to start with. */
export function newPageSlot(): PageSlot {
  const bytes = new Uint8Array(0);
  return { bytes, view: new DataView(bytes.buffer), offset: 0 };
}

/** Points `slot` at the first byte of `bytes`. */
export function pointSlot(slot: PageSlot, bytes: Uint8Array): void {
  slot.bytes = bytes;
  slot.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  slot.offset = 0;
}

/**
 * Physical memory of a machine: what page-table walkers, decoders and scanners read from, whatever the file format.
 *
 * Addresses are bigint, page frame numbers (address / 4096) are numbers. Nothing here ever makes up zeros for memory
 * that is not there. Views must not be written to. A view stays valid and keeps its bytes for as long as it is held,
 * except that a view of a mapped file shows what the file holds now.
 */
export interface PhysicalMemory {
  /**
   * The memory this image knows about, by ascending address, without overlaps; neighbouring ranges differ in state or
   * have a hole between them. Lazy: a dump with many excluded pages has many ranges.
   */
  ranges(): Iterable<MemoryRange>;
  /**
   * The 4096 bytes of a page frame. A frame of which the image holds only a part counts as not there; `read` gets at
   * the part.
   *
   * @param pfn page frame number: physical address / 4096
   * @returns a view where the bytes lie together in the file, else a copy; or why there is no page
   * @throws ImageError when the page should be there but cannot be read: TRUNCATED, BAD_DATA, IO
   */
  page(pfn: number): Uint8Array | PageMiss;
  /**
   * The same as {@link page} without allocating: points `slot` at the page.
   *
   * @returns undefined when `slot` was filled, else why there is no page (`slot` is then unchanged)
   * @throws ImageError as {@link page}
   */
  locate(pfn: number, slot: PageSlot): PageMiss | undefined;
  /**
   * `length` bytes from physical address `pa`: a view where they lie together, else a copy.
   *
   * @throws ImageError with the address of the first byte that is missing: ABSENT, EXCLUDED; or TRUNCATED, BAD_DATA,
   * IO; BAD_ARGUMENT for a negative address or length
   */
  read(pa: bigint, length: number): Uint8Array;
  /**
   * The little-endian u64 at physical address `pa`, of any alignment.
   *
   * @throws ImageError as {@link read}
   */
  u64(pa: bigint): bigint;
}
