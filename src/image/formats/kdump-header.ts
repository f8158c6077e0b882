// SPDX-License-Identifier: Apache-2.0
// The headers of kdump-compressed files, memory-images.md section 3.
import { decodeLatin1 } from '../../bytes/latin1.js';
import { escapeText } from '../../bytes/printable.js';
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { FixedHeader, fileOffset } from '../fixed-header.js';

const HEADER = new FixedHeader('kdump header', 464, 'little', {
  header_version: [8, 'int32'],
  status: [424, 'uint32'],
  block_size: [428, 'int32'],
  sub_hdr_size: [432, 'int32'],
  bitmap_blocks: [436, 'uint32'],
  max_mapnr: [440, 'uint32'],
  nr_cpus: [460, 'int32'],
});

const SUB_HEADER = new FixedHeader('kdump sub header', 104, 'little', {
  phys_base: [0, 'uint64'],
  dump_level: [8, 'int32'],
  split: [12, 'int32'],
  start_pfn: [16, 'uint64'],
  end_pfn: [24, 'uint64'],
  offset_note: [48, 'uint64'],
  size_note: [56, 'uint64'],
  start_pfn_64: [80, 'uint64'],
  end_pfn_64: [88, 'uint64'],
  max_mapnr_64: [96, 'uint64'],
});

/** utsname: six fields of 65 bytes from offset 12. */
const UTSNAME_OFFSET = 12;
const UTSNAME_FIELD = 65;

/** Where the 32-bit or big-endian variants of the header keep block_size. */
const FOREIGN_LAYOUTS = [
  { name: 'big-endian 64-bit', offset: 428, little: false },
  { name: '32-bit', offset: 416, little: true },
  { name: 'big-endian 32-bit', offset: 416, little: false },
] as const;

/** A kdump file's headers, checked and in words of its first version that has them all. */
export interface KdumpHeader {
  readonly version: number;
  readonly machine: string;
  readonly release: string;
  /** Some page the dumper meant to store may have been lost. */
  readonly incomplete: boolean;
  /** Compression bits the header announces; each page says for itself. */
  readonly status: number;
  readonly blockSize: number;
  readonly dumpLevel: number;
  /** Block frames of `blockSize` bytes: all that are below this. */
  readonly maxFrame: number;
  /** The frames this file of a split set has the contents of; all of them in an unsplit file. */
  readonly part: { readonly start: number; readonly end: number } | undefined;
  /** File offsets of the bitmap of frames that exist and of that of frames whose pages are stored; bytes of each. */
  readonly bitmapOffset: number;
  readonly storedBitmapOffset: number;
  readonly bitmapBytes: number;
  /** File offset of the page descriptors. */
  readonly descriptorOffset: number;
  readonly notes: { readonly offset: number; readonly length: number };
}

const DUMP_DH_COMPRESSED_INCOMPLETE = 8;
/** Just below 16 TiB of 4 KiB pages; the bitmaps then have 512 MiB each, and counts still fit into 32 bits. */
const MAX_FRAMES: number = 2 ** 32 - 512;

function isBlockSize(value: number): boolean {
  return value >= 4096 && value <= 65536 && (value & (value - 1)) === 0;
}

function bad(message: string, offset: number): ImageError {
  return new ImageError({ code: 'BAD_HEADER', message, offset });
}

function checkBlockSize(source: ByteSource, blockSize: number): void {
  if (isBlockSize(blockSize)) return;
  const bytes = source.view(0, HEADER.size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const { name, offset, little } of FOREIGN_LAYOUTS) {
    if (isBlockSize(view.getInt32(offset, little))) {
      throw new ImageError({
        code: 'UNSUPPORTED',
        message: `${name} kdump files are not supported, only little-endian 64-bit ones`,
        offset,
      });
    }
  }
  throw bad(`block_size is ${blockSize}, expected a power of two from 4096 to 65536`, 428);
}

function utsname(source: ByteSource, index: number): string {
  const text = decodeLatin1(source.view(UTSNAME_OFFSET + index * UTSNAME_FIELD, UTSNAME_FIELD));
  return escapeText(text.split('\0', 1)[0] ?? '');
}

/**
 * Reads and checks the two headers. Header versions before a field existed leave that field at its neutral value.
 *
 * @throws ImageError UNSUPPORTED for 32-bit and big-endian files; BAD_HEADER, TRUNCATED, LIMIT
 */
export function readKdumpHeader(source: ByteSource): KdumpHeader {
  const header = HEADER.read(source, 0);
  const blockSize = header.block_size;
  checkBlockSize(source, blockSize);
  const version = header.header_version;
  if (version < 0) throw bad(`header_version is ${version}`, 8);
  if (header.sub_hdr_size < 1) throw bad(`sub_hdr_size is ${header.sub_hdr_size}, expected 1 or more`, 432);
  const bitmapOffset = (1 + header.sub_hdr_size) * blockSize;
  const descriptorOffset = bitmapOffset + header.bitmap_blocks * blockSize;
  const sub = SUB_HEADER.read(source, blockSize);
  const maxFrame =
    version >= 6 ? fileOffset(sub.max_mapnr_64, 'max_mapnr_64', blockSize + 96) : header.max_mapnr;
  const bits = header.bitmap_blocks * blockSize * 8;
  // Old diskdump has one bitmap in that space (libkdumpfile's rule); since version 1 there are two.
  const singleBitmap = maxFrame > bits / 2;
  if (maxFrame > bits) {
    throw bad(`${maxFrame} page frames do not fit into ${header.bitmap_blocks} bitmap blocks`, 436);
  }
  if (maxFrame > MAX_FRAMES) {
    throw new ImageError({
      code: 'LIMIT',
      message: `${maxFrame} page frames, at most ${MAX_FRAMES}`,
      offset: 440,
    });
  }
  const second = singleBitmap ? bitmapOffset : (bitmapOffset + descriptorOffset) / 2;
  // Where no pages follow, as in the last parts of a split set, the last bitmap is not filled up to a whole block.
  const end = second + Math.ceil(maxFrame / 8);
  if (end > source.size) {
    throw new ImageError({
      code: 'TRUNCATED',
      message: `bitmaps of ${maxFrame} page frames reach to ${end}, the file ends at ${source.size}`,
      offset: 436,
    });
  }
  const bitmapBytes = Math.ceil(maxFrame / 32) * 4;
  // In a sparse or flattened file bitmaps can be larger than all that is stored.
  if (2 * bitmapBytes > Math.max(source.stored, 0x800_0000)) {
    throw new ImageError({
      code: 'LIMIT',
      message: `bitmaps of ${bitmapBytes} bytes in a file that stores ${source.stored}`,
      offset: 436,
    });
  }
  return {
    version,
    machine: utsname(source, 4),
    release: utsname(source, 2),
    incomplete: (header.status & DUMP_DH_COMPRESSED_INCOMPLETE) !== 0,
    status: header.status,
    blockSize,
    dumpLevel: version >= 1 ? sub.dump_level : 0,
    maxFrame,
    part: version >= 2 && sub.split !== 0 ? readPart(sub, version, blockSize) : undefined,
    bitmapOffset,
    storedBitmapOffset: second,
    bitmapBytes,
    descriptorOffset,
    notes: version >= 4 ? readNotes(source, sub, blockSize) : { offset: 0, length: 0 },
  };
}

function readPart(
  sub: { start_pfn: bigint; end_pfn: bigint; start_pfn_64: bigint; end_pfn_64: bigint },
  version: number,
  blockSize: number,
): { start: number; end: number } {
  const field = version >= 6 ? blockSize + 80 : blockSize + 16;
  const start = fileOffset(version >= 6 ? sub.start_pfn_64 : sub.start_pfn, 'start_pfn', field);
  const end = fileOffset(version >= 6 ? sub.end_pfn_64 : sub.end_pfn, 'end_pfn', field + 8);
  if (end < start) throw bad(`a split part from frame ${start} to ${end}`, field);
  return { start, end };
}

function readNotes(
  source: ByteSource,
  sub: { offset_note: bigint; size_note: bigint },
  blockSize: number,
): { offset: number; length: number } {
  const offset = fileOffset(sub.offset_note, 'offset_note', blockSize + 48);
  const length = fileOffset(sub.size_note, 'size_note', blockSize + 56);
  if (offset + length <= source.size) return { offset, length };
  throw new ImageError({
    code: 'TRUNCATED',
    message: `notes of ${length} bytes at ${offset} reach past the end of the file`,
    offset: blockSize + 48,
  });
}
