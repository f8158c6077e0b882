// SPDX-License-Identifier: Apache-2.0
// kdump-compressed files (makedumpfile, QEMU, old diskdump), memory-images.md section 3.
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { PageBitmap } from '../page-bitmap.js';
import { PAGE_SIZE } from '../physical-memory.js';
import type { FormatContext, OpenedFormat } from './format.js';
import { type KdumpHeader, readKdumpHeader } from './kdump-header.js';
import { KdumpMemory } from './kdump-memory.js';

/** Names of the compression bits in `status`. */
const COMPRESSIONS = [
  { bit: 1, name: 'zlib' },
  { bit: 2, name: 'lzo' },
  { bit: 4, name: 'snappy' },
  { bit: 0x20, name: 'zstd' },
] as const;

const MAX_NOTES = 0x400_0000;

function readBitmap(source: ByteSource, offset: number, header: KdumpHeader): PageBitmap {
  const bytes = new Uint8Array(header.bitmapBytes);
  // A file without pages may end with the last byte that has frames.
  source.readInto(offset, bytes.subarray(0, source.size - offset));
  return new PageBitmap(bytes, header.maxFrame);
}

function kdumpFacts(header: KdumpHeader): Record<string, string | number> {
  const names = COMPRESSIONS.filter(({ bit }) => (header.status & bit) !== 0).map(({ name }) => name);
  const { part } = header;
  return {
    'header version': header.version,
    compression: names.length > 0 ? names.join(', ') : 'none',
    'block size': header.blockSize,
    'dump level': header.dumpLevel,
    ...(header.release === '' ? {} : { 'kernel release': header.release }),
    ...(part === undefined ? {} : { 'split part': `page frames ${part.start} to ${part.end}` }),
  };
}

/**
 * Opens a kdump-compressed file. Pages are expanded when asked for, and those used last are kept.
 *
 * @throws ImageError UNSUPPORTED, BAD_HEADER, TRUNCATED, LIMIT
 */
export function openKdump(source: ByteSource, context: FormatContext): OpenedFormat {
  const header = readKdumpHeader(source);
  const { bitmapOffset, storedBitmapOffset } = header;
  const stored = readBitmap(source, storedBitmapOffset, header);
  const isSingle = bitmapOffset === storedBitmapOffset;
  const existing = isSingle ? stored : readBitmap(source, bitmapOffset, header);
  const descriptors = stored.rank(header.part?.end ?? header.maxFrame) - stored.rank(header.part?.start ?? 0);
  if (descriptors > 0 && header.descriptorOffset + descriptors * 24 > source.size) {
    throw new ImageError({
      code: 'TRUNCATED',
      message: `${descriptors} page descriptors at ${header.descriptorOffset} reach past the end of the file`,
      offset: header.descriptorOffset,
    });
  }
  if (header.version > 6) context.remark(`kdump header version ${header.version} is newer than 6, read as 6`);
  if (header.incomplete) context.remark('the dumper marked this file incomplete: it ran out of space');
  const { notes, part, blockSize } = header;
  const pages = blockSize / PAGE_SIZE;
  return {
    format: 'kdump',
    machine: header.machine === '' ? undefined : header.machine,
    memory: new KdumpMemory(source, header, existing, stored),
    part: part === undefined ? undefined : { start: part.start * pages, end: part.end * pages },
    notes: () => {
      const bytes = new Uint8Array(Math.min(notes.length, MAX_NOTES));
      source.readInto(notes.offset, bytes);
      return bytes;
    },
    facts: kdumpFacts(header),
  };
}
