// SPDX-License-Identifier: Apache-2.0
// The Snappy framing format (google/snappy, framing_format.txt): chunks of a type byte, a 3-byte length and contents.
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { snappyLength } from './snappy.js';

/** Chunk types with data; the first four bytes of such a chunk's contents are a checksum. */
const COMPRESSED = 0x00;
const UNCOMPRESSED = 0x01;
const STREAM_IDENTIFIER = 0xff;
/** Types from here on (but for the identifier) may be skipped by readers that do not know them. */
const FIRST_SKIPPABLE = 0x80;
const IDENTIFIER = 'sNaPpY';
const CHECKSUM_BYTES = 4;
/** The framing format allows at most this much expanded data in a chunk. */
const MAX_CHUNK = 65536;

/** One chunk with data in a framed stream. */
export interface SnappyChunk {
  /** File offset of the data behind the checksum. */
  readonly offset: number;
  /** Bytes of data in the file. */
  readonly stored: number;
  /** Bytes after expansion, 1 to 65536. */
  readonly length: number;
  readonly compressed: boolean;
  readonly checksum: number;
  /** File offset behind the chunk. */
  readonly next: number;
}

function bad(message: string, offset: number): ImageError {
  return new ImageError({ code: 'BAD_DATA', message: `snappy frame: ${message}`, offset });
}

/**
 * Checks that a framed stream starts at `at`.
 *
 * @returns the offset behind its identifier
 * @throws ImageError BAD_DATA, TRUNCATED
 */
export function readStreamIdentifier(source: ByteSource, at: number): number {
  const bytes = source.view(at, 4 + IDENTIFIER.length);
  const isIdentifier =
    bytes[0] === STREAM_IDENTIFIER &&
    bytes[1] === IDENTIFIER.length &&
    bytes[2] === 0 &&
    bytes[3] === 0 &&
    [...IDENTIFIER].every((character, index) => bytes[4 + index] === character.charCodeAt(0));
  if (!isIdentifier) throw bad('the stream identifier is missing', at);
  return at + bytes.length;
}

/**
 * The next chunk with data at or after `at`; padding and other chunks that may be skipped are.
 *
 * @throws ImageError BAD_DATA, TRUNCATED
 */
export function readDataChunk(source: ByteSource, at: number): SnappyChunk {
  for (let offset = at; ; ) {
    const head = source.view(offset, 4);
    const type = head[0] ?? 0;
    const size = (head[1] ?? 0) | ((head[2] ?? 0) << 8) | ((head[3] ?? 0) << 16);
    const next = offset + 4 + size;
    if (next > source.size) {
      throw new ImageError({
        code: 'TRUNCATED',
        message: `snappy frame: a chunk of ${size} bytes, ${source.size - offset - 4} left`,
        offset,
      });
    }
    if (type === STREAM_IDENTIFIER) {
      readStreamIdentifier(source, offset);
    } else if (type === COMPRESSED || type === UNCOMPRESSED) {
      return describeChunk(source, offset, size, type === COMPRESSED);
    } else if (type < FIRST_SKIPPABLE) {
      throw bad(`chunk type ${type} is not known and may not be skipped`, offset);
    }
    offset = next;
  }
}

function describeChunk(source: ByteSource, offset: number, size: number, compressed: boolean): SnappyChunk {
  const stored = size - CHECKSUM_BYTES;
  if (stored < 1) throw bad('a chunk without data', offset);
  const body = source.view(offset + 4, CHECKSUM_BYTES + Math.min(stored, 5));
  const length = compressed ? snappyLength(body.subarray(CHECKSUM_BYTES)).length : stored;
  if (length === 0 || length > MAX_CHUNK)
    throw bad(`a chunk of ${length} bytes, at most ${MAX_CHUNK}`, offset);
  return {
    offset: offset + 4 + CHECKSUM_BYTES,
    stored,
    length,
    compressed,
    checksum: new DataView(body.buffer, body.byteOffset).getUint32(0, true),
    next: offset + 4 + size,
  };
}

const CRC32C_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * 0x82f63b78);
  return value;
});

/** The checksum of a chunk's expanded data: CRC-32C, rotated and shifted as framing_format.txt section 3 says. */
export function frameChecksum(data: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let index = 0; index < data.length; index++) {
    crc = (crc >>> 8) ^ (CRC32C_TABLE[(crc ^ (data[index] ?? 0)) & 0xff] ?? 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
