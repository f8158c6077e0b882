// SPDX-License-Identifier: Apache-2.0
// Image files built from the description of their format.

/** `length` bytes of a sequence that does not repeat early and differs with `seed`. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** A program header of {@link elfCore}. */
export interface Segment {
  readonly type?: number;
  readonly paddr: bigint;
  /** The bytes in the file. */
  readonly bytes: Uint8Array;
  /** p_memsz where it is not the number of bytes. */
  readonly memsz?: number;
}

/** An ELF64 core; `lead` bytes between headers and contents keep the latter from being aligned. */
export function elfCore(
  segments: readonly Segment[],
  options: { lead?: number; xnum?: boolean } = {},
): Buffer {
  const headers = 64 + 56 * segments.length + 64 + (options.lead ?? 0);
  const head = Buffer.alloc(headers);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(4, 16);
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeBigUInt64LE(BigInt(64 + 56 * segments.length), 40);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(options.xnum ? 0xffff : segments.length, 56);
  head.writeUInt32LE(segments.length, 64 + 56 * segments.length + 44);
  let offset = headers;
  segments.forEach(({ type = 1, paddr, bytes, memsz = bytes.length }, index) => {
    const at = 64 + 56 * index;
    head.writeUInt32LE(type, at);
    head.writeBigUInt64LE(BigInt(offset), at + 8);
    head.writeBigUInt64LE(paddr, at + 24);
    head.writeBigUInt64LE(BigInt(bytes.length), at + 32);
    head.writeBigUInt64LE(BigInt(memsz), at + 40);
    offset += bytes.length;
  });
  return Buffer.concat([head, ...segments.map(({ bytes }) => bytes)]);
}

/** A LiME or AVML range: header and body. */
export function limeRange(
  start: bigint,
  length: number,
  body: Uint8Array,
  magic = 'EMiL',
  version = 1,
): Buffer {
  const head = Buffer.alloc(32);
  head.write(magic, 0, 'latin1');
  head.writeUInt32LE(version, 4);
  head.writeBigUInt64LE(start, 8);
  head.writeBigUInt64LE(start + BigInt(length) - 1n, 16);
  return Buffer.concat([head, body]);
}

/** An AVML v2 block: the framed stream and its length behind it. */
export function avmlBlock(start: bigint, length: number, frames: Uint8Array): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeBigUInt64LE(BigInt(frames.length));
  return Buffer.concat([limeRange(start, length, frames, 'AVML', 2), trailer]);
}
