// SPDX-License-Identifier: Apache-2.0
// AVML v2, memory-images.md section 6: LiME-like ranges whose bodies are framed Snappy streams.
import type { ByteSource } from '../byte-source.js';
import { readDataChunk, readStreamIdentifier } from '../decompress/snappy-frame.js';
import { ImageError } from '../error.js';
import { FixedHeader } from '../fixed-header.js';
import { SegmentedMemory } from '../segmented-memory.js';
import { SegmentBuilder } from '../segments.js';
import { ChunkedSource, ChunkTable } from './avml-chunks.js';
import type { FormatContext, OpenedFormat } from './format.js';
import { RANGE_HEADER, readRangeHeader } from './lime.js';

/** "AVML" in the file. */
export const AVML_MAGIC = 0x4c4d5641;

/** AVML cuts ranges into blocks of 16 MiB; other writers may do as they like, within reason. */
const MAX_RANGE = 0x4000_0000;

/** No more chunks than this, unless the file is so large that they average 64 bytes; AVML's have 3 KiB and more. */
const MAX_CHUNKS = 1 << 20;

const TRAILER = new FixedHeader('AVML block length', 8, 'little', { length: [0, 'uint64'] });

/**
 * Reads the body of one range: chunks until `length` expanded bytes are there, then the compressed length.
 *
 * @returns the offset behind the body
 */
function readBody(source: ByteSource, start: number, length: number, chunks: ChunkTable): number {
  let at = readStreamIdentifier(source, start);
  for (let expanded = 0; expanded < length; ) {
    const chunk = readDataChunk(source, at);
    expanded += chunk.length;
    if (expanded > length) {
      throw new ImageError({
        code: 'BAD_DATA',
        message: `the stream expands to more than the ${length} bytes of its range`,
        offset: at,
      });
    }
    if (chunks.count >= Math.max(MAX_CHUNKS, source.size / 64)) {
      throw new ImageError({ code: 'LIMIT', message: `more than ${chunks.count} chunks`, offset: at });
    }
    chunks.add(chunk);
    at = chunk.next;
  }
  const promised = TRAILER.read(source, at).length;
  if (promised !== BigInt(at - start)) {
    throw new ImageError({
      code: 'BAD_HEADER',
      message: `the block has ${at - start} compressed bytes, the length behind it says ${promised}`,
      offset: at,
    });
  }
  return at + TRAILER.size;
}

/** @throws ImageError BAD_HEADER, BAD_DATA, UNSUPPORTED, TRUNCATED, LIMIT */
export function openAvml(source: ByteSource, context: FormatContext): OpenedFormat {
  const chunks = new ChunkTable();
  const spans: { start: bigint; length: number; offset: number; header: number }[] = [];
  for (let at = 0; at < source.size; ) {
    try {
      const { s_addr, e_addr } = readRangeHeader(source, at, AVML_MAGIC, 2, spans.length);
      const length = e_addr - s_addr + 1n;
      if (length > BigInt(MAX_RANGE)) {
        throw new ImageError({
          code: 'LIMIT',
          message: `a compressed range of ${length} bytes, at most 1 GiB`,
          offset: at,
        });
      }
      const offset = chunks.length;
      const next = readBody(source, at + RANGE_HEADER.size, Number(length), chunks);
      spans.push({ start: s_addr, length: Number(length), offset, header: at });
      at = next;
    } catch (error) {
      if (context.truncated === 'refuse' || !(error instanceof ImageError) || error.code !== 'TRUNCATED')
        throw error;
      context.remark(`truncated: ${error.message}`);
      break;
    }
  }
  const expanded = new ChunkedSource(source, chunks);
  const segments = new SegmentBuilder(expanded, context.truncated, context.remark);
  for (const { start, length, offset, header } of spans) {
    segments.present(start, BigInt(offset), BigInt(length), header);
  }
  context.remark(
    'AVML leaves out blocks of zeros without a trace: memory that is absent here may have been zero',
  );
  return {
    format: 'avml',
    memory: new SegmentedMemory(expanded, segments.build()),
    facts: { version: 2, compression: 'snappy', ranges: spans.length },
  };
}
