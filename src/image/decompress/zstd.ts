// SPDX-License-Identifier: Apache-2.0
// Zstandard frames (RFC 8878): the frame is measured here before fzstd, which trusts it, may expand it.
import { decompress } from 'fzstd';
import { ImageError } from '../error.js';

const FRAME_MAGIC = 0xfd2fb528;

function bad(message: string, offset: number, cause?: unknown): ImageError {
  return new ImageError({ code: 'BAD_DATA', message: `zstd: ${message}`, offset }, { cause });
}

/** Checks that `input` is one frame that declares `expected` bytes of content and ends where the input ends. */
function checkFrame(input: Uint8Array, expected: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  // Magic, descriptor, and at most a window byte, 4 dictionary bytes and 8 size bytes.
  if (input.length < 9) throw bad('too short for a frame', 0);
  if (view.getUint32(0, true) !== FRAME_MAGIC) throw bad('the frame magic is missing', 0);
  const descriptor = input[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  if ((descriptor & 3) !== 0) throw bad('the frame needs a dictionary', 4);
  const sizeAt = 5 + (singleSegment ? 0 : 1);
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  let at = sizeAt + sizeBytes;
  if (at > input.length) throw bad('the frame ends within its header', 5);
  let declared = -1;
  if (sizeBytes === 1) declared = view.getUint8(sizeAt);
  if (sizeBytes === 2) declared = view.getUint16(sizeAt, true) + 256;
  if (sizeBytes === 4) declared = view.getUint32(sizeAt, true);
  if (sizeBytes === 8) declared = Number(view.getBigUint64(sizeAt, true));
  if (declared !== expected) {
    const found = declared < 0 ? 'no content size' : `a content size of ${declared}`;
    throw bad(`the frame declares ${found}, expected ${expected}`, sizeAt);
  }
  // Without a single segment the window is declared apart; fzstd allocates it. 1 KiB * 2^13 is 8 MiB.
  if (!singleSegment && (input[5] ?? 0) >> 3 > 13) throw bad('the frame asks for a window above 8 MiB', 5);
  for (let last = false; !last; ) {
    if (at + 3 > input.length) throw bad('the frame ends within a block header', at);
    const header = view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000;
    last = (header & 1) === 1;
    const isRun = ((header >> 1) & 3) === 1;
    at += 3 + (isRun ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at !== input.length) throw bad(`the frame ends at ${at} of ${input.length} bytes`, at);
}

/** Bytes behind the expected end, to notice a frame that goes on. */
const SLACK = 8;

/** Lets fzstd write into a buffer full of `filler`. */
function expandOver(input: Uint8Array, length: number, filler: number): Uint8Array {
  const buffer = new Uint8Array(length + SLACK).fill(filler);
  try {
    decompress(input, buffer);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error), 0, error);
  }
  return buffer;
}

/**
 * Expands one Zstandard frame that declares its content size into `output`, which it must fill exactly.
 *
 * @throws ImageError BAD_DATA with the offset in `input`
 */
export function expandZstd(input: Uint8Array, output: Uint8Array): void {
  const { length } = output;
  checkFrame(input, length);
  // fzstd does not tell how much it wrote, but it writes front to back: what still shows the filler was not written.
  let filler = 0xa5;
  let buffer = expandOver(input, length, filler);
  if (buffer[length - 1] === filler) {
    filler = 0x5a;
    buffer = expandOver(input, length, filler);
  }
  if (buffer[length - 1] === filler)
    throw bad(`the frame holds less than the ${length} bytes it declares`, 0);
  if (buffer[length] !== filler) throw bad(`the frame holds more than the ${length} bytes it declares`, 0);
  output.set(buffer.subarray(0, length));
}
