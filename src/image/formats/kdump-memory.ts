// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { byteAddress, missing, rethrowAt } from '../address.js';
import type { ByteSource } from '../byte-source.js';
import { expandLzo1x } from '../decompress/lzo1x.js';
import { expandSnappy } from '../decompress/snappy.js';
import { expandZlib } from '../decompress/zlib.js';
import { expandZstd } from '../decompress/zstd.js';
import { ImageError } from '../error.js';
import type { ImageMemory, PageCounts, PageVisitor } from '../image-memory.js';
import type { PageBitmap } from '../page-bitmap.js';
import {
  type MemoryRange,
  newPageSlot,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
} from '../physical-memory.js';
import { RecentCache } from '../recent-cache.js';
import type { KdumpHeader } from './kdump-header.js';

/** Bytes of expanded pages that are kept. */
const CACHE_BYTES = 0x100_0000;

/** dump_level when only pages of zeros were left out, so that what is missing is known. */
const ONLY_ZERO_PAGES = 1;

/** The page descriptor: offset u64 at 0, size u32 at 8, flags u32 at 12, page_flags u64 at 16. */
const DESCRIPTOR_BYTES = 24;

/** How to expand a page, by the flags of its descriptor. */
const EXPANDERS: ReadonlyMap<number, (input: Uint8Array, output: Uint8Array) => void> = new Map([
  [0x01, expandZlib],
  [0x02, expandLzo1x],
  [0x04, expandSnappy],
  [0x20, expandZstd],
]);

interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function newBlock(bytes: Uint8Array): Block {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** The pages of a kdump-compressed file, found through its bitmaps and expanded on demand. */
export class KdumpMemory implements ImageMemory {
  readonly #source: ByteSource;
  readonly #header: KdumpHeader;
  readonly #existing: PageBitmap;
  readonly #stored: PageBitmap;
  readonly #firstFrame: number;
  readonly #endFrame: number;
  readonly #firstRank: number;
  readonly #pagesPerBlock: number;
  readonly #zeroBlock: Block | undefined;
  /** Expanded blocks by the file offset of their data: pages with equal contents may share it. */
  readonly #cache: RecentCache<Block>;
  readonly #descriptor = newPageSlot();
  readonly #slot = newPageSlot();

  constructor(source: ByteSource, header: KdumpHeader, existing: PageBitmap, stored: PageBitmap) {
    this.#source = source;
    this.#header = header;
    this.#existing = existing;
    this.#stored = stored;
    this.#firstFrame = header.part?.start ?? 0;
    this.#endFrame = Math.min(header.part?.end ?? header.maxFrame, header.maxFrame);
    this.#firstRank = stored.rank(this.#firstFrame);
    this.#pagesPerBlock = header.blockSize / PAGE_SIZE;
    this.#cache = new RecentCache(CACHE_BYTES / header.blockSize);
    this.#zeroBlock =
      header.dumpLevel === ONLY_ZERO_PAGES ? newBlock(new Uint8Array(header.blockSize)) : undefined;
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    const frame = Math.floor(pfn / this.#pagesPerBlock);
    const within = (pfn - frame * this.#pagesPerBlock) * PAGE_SIZE;
    if (frame < this.#firstFrame || frame >= this.#endFrame) return 'absent';
    if (!this.#stored.has(frame)) {
      if (!this.#existing.has(frame)) return 'absent';
      if (this.#zeroBlock === undefined) return 'excluded';
      slot.bytes = this.#zeroBlock.bytes;
      slot.view = this.#zeroBlock.view;
      slot.offset = within;
      return undefined;
    }
    try {
      this.#locateStored(frame, slot);
    } catch (error) {
      rethrowAt(error, pfn * PAGE_SIZE);
    }
    slot.offset += within;
    return undefined;
  }

  /** Points `slot` at the first byte of a stored block. */
  #locateStored(frame: number, slot: PageSlot): void {
    const { blockSize, descriptorOffset, incomplete } = this.#header;
    const at = descriptorOffset + (this.#stored.rank(frame) - this.#firstRank) * DESCRIPTOR_BYTES;
    this.#source.locate(at, DESCRIPTOR_BYTES, this.#descriptor);
    const { view, offset: start } = this.#descriptor;
    const data = view.getUint32(start, true) + view.getUint32(start + 4, true) * 2 ** 32;
    const length = view.getUint32(start + 8, true);
    const flags = view.getUint32(start + 12, true);
    if (data === 0 && incomplete) {
      throw new ImageError({ code: 'TRUNCATED', message: 'the dumper lost this page: no space', offset: at });
    }
    if (length === 0 || length > 2 * blockSize || (flags === 0 && length !== blockSize)) {
      throw new ImageError({ code: 'BAD_DATA', message: `a page of ${length} stored bytes`, offset: at + 8 });
    }
    if (flags === 0) {
      this.#source.locate(data, length, slot);
      return;
    }
    const block = this.#cache.get(data) ?? this.#expand(data, length, flags, at);
    slot.bytes = block.bytes;
    slot.view = block.view;
    slot.offset = 0;
  }

  #expand(data: number, length: number, flags: number, descriptor: number): Block {
    const expand = EXPANDERS.get(flags);
    if (expand === undefined) {
      throw new ImageError({
        code: 'UNSUPPORTED',
        message: `page flags ${formatHex(flags)} name no compression known here (zlib, lzo, snappy, zstd)`,
        offset: descriptor + 12,
      });
    }
    const input = this.#source.view(data, length);
    const block = newBlock(new Uint8Array(this.#header.blockSize));
    try {
      expand(input, block.bytes);
    } catch (error) {
      // Offsets in the compressed data become offsets in the file.
      if (!(error instanceof ImageError)) throw error;
      throw new ImageError({ ...error.issue, offset: data + (error.issue.offset ?? 0) }, { cause: error });
    }
    this.#cache.set(data, block);
    return block;
  }

  page(pfn: number): Uint8Array | PageMiss {
    const miss = this.locate(pfn, this.#slot);
    if (miss !== undefined) return miss;
    const { bytes, offset } = this.#slot;
    return bytes.subarray(offset, offset + PAGE_SIZE);
  }

  read(pa: bigint, length: number): Uint8Array {
    const at = byteAddress(pa, length);
    const first = Math.floor(at / PAGE_SIZE);
    const start = at - first * PAGE_SIZE;
    if (start + length <= PAGE_SIZE) return this.#present(first, at).subarray(start, start + length);
    // All must be there before memory for a copy is taken.
    const end = Math.ceil((at + length) / PAGE_SIZE);
    for (let pfn = first; pfn < end; pfn++) {
      const miss = this.#missAt(pfn);
      if (miss !== undefined) throw missing(BigInt(Math.max(at, pfn * PAGE_SIZE)), miss);
    }
    const bytes = new Uint8Array(length);
    for (let pfn = first; pfn < end; pfn++) {
      const page = this.#present(pfn, pfn * PAGE_SIZE);
      const to = pfn * PAGE_SIZE - at;
      bytes.set(page.subarray(Math.max(0, -to), Math.min(PAGE_SIZE, length - to)), Math.max(0, to));
    }
    return bytes;
  }

  u64(pa: bigint): bigint {
    const bytes = this.read(pa, 8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  #present(pfn: number, address: number): Uint8Array {
    const page = this.page(pfn);
    if (typeof page === 'string') throw missing(BigInt(address), page);
    return page;
  }

  /** Why there is no page, without looking at its contents. */
  #missAt(pfn: number): PageMiss | undefined {
    const frame = Math.floor(pfn / this.#pagesPerBlock);
    if (frame < this.#firstFrame || frame >= this.#endFrame) return 'absent';
    if (this.#stored.has(frame)) return undefined;
    if (!this.#existing.has(frame)) return 'absent';
    return this.#zeroBlock === undefined ? 'excluded' : undefined;
  }

  /** Runs of frames of one state: [start, end, present]. */
  *#runs(): Generator<readonly [start: number, end: number, present: boolean]> {
    let state: PageMiss | undefined = 'absent';
    let start = 0;
    for (let frame = this.#firstFrame; frame < this.#endFrame; ) {
      const word = Math.floor(frame / 32);
      const stored = this.#stored.word(word);
      const existing = this.#existing.word(word);
      // Where 32 frames are alike, one look is enough.
      const alike =
        frame % 32 === 0 && (stored === 0xffff_ffff || (stored === 0 && (existing === 0 || ~existing === 0)));
      const now = this.#missAt(frame * this.#pagesPerBlock);
      if (now !== state) {
        if (state !== 'absent') yield [start, frame, state === undefined];
        state = now;
        start = frame;
      }
      frame += alike ? 32 : 1;
    }
    if (state !== 'absent') yield [start, this.#endFrame, state === undefined];
  }

  *ranges(): Generator<MemoryRange> {
    const blockSize = BigInt(this.#header.blockSize);
    for (const [start, end, present] of this.#runs()) {
      yield {
        start: BigInt(start) * blockSize,
        end: BigInt(end) * blockSize,
        state: present ? 'present' : 'excluded',
      };
    }
  }

  counts(): PageCounts {
    let present = 0;
    let excluded = 0;
    for (const [start, end, isPresent] of this.#runs()) {
      if (isPresent) present += (end - start) * this.#pagesPerBlock;
      else excluded += (end - start) * this.#pagesPerBlock;
    }
    return { present, excluded };
  }

  stream(visit: PageVisitor): void {
    const buffer = new Uint8Array(PAGE_SIZE);
    for (const [start, end, present] of this.#runs()) {
      if (!present) continue;
      for (let pfn = start * this.#pagesPerBlock; pfn < end * this.#pagesPerBlock; pfn++) {
        const miss = this.locate(pfn, this.#slot);
        if (miss !== undefined) throw missing(BigInt(pfn) * BigInt(PAGE_SIZE), miss);
        buffer.set(this.#slot.bytes.subarray(this.#slot.offset, this.#slot.offset + PAGE_SIZE));
        if (!visit(pfn, buffer)) return;
      }
    }
  }
}
