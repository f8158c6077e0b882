// SPDX-License-Identifier: Apache-2.0
// Physical memory as an input: pieces, each with its address (u64) and length (u32, both little-endian) before its bytes.
// Any bytes are some memory: the last piece ends where the input does.
import { PageStore } from '../../src/image/page-store.js';
import type { Random } from '../random.js';
import type { Mutator } from './target.js';

/** Bytes at an address. */
export interface Piece {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

const PIECE_HEADER = 12;
/** Pieces at most: each may bring a page of memory into being. */
const MAX_PIECES = 512;

/** The pieces that an input says; of more than 512 the first. */
export function readPieces(input: Uint8Array): Piece[] {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const pieces: Piece[] = [];
  for (let at = 0; at + PIECE_HEADER <= input.length && pieces.length < MAX_PIECES; ) {
    const start = at + PIECE_HEADER;
    const end = Math.min(input.length, start + view.getUint32(at + 8, true));
    pieces.push({ address: view.getBigUint64(at, true), bytes: input.subarray(start, end) });
    at = end;
  }
  return pieces;
}

/** The input that says these pieces. @param head - bytes to put in front */
export function writePieces(pieces: readonly Piece[], head: Uint8Array = new Uint8Array()): Uint8Array {
  const parts = pieces.flatMap(({ address, bytes }) => {
    const header = new DataView(new ArrayBuffer(PIECE_HEADER));
    header.setBigUint64(0, address, true);
    header.setUint32(8, bytes.length, true);
    return [new Uint8Array(header.buffer), bytes];
  });
  return new Uint8Array(Buffer.concat([head, ...parts]));
}

/** Pieces as pages, zeros around them; what is beyond any memory is left out. */
export function storeOfPieces(pieces: readonly Piece[]): PageStore {
  const store = new PageStore();
  for (const { address, bytes } of pieces) {
    if (address < 1n << 52n && bytes.length > 0) store.write(address, bytes);
  }
  return store;
}

/** The stretches of a page that are not zeros, each widened to whole entries of eight bytes. */
export function piecesOfPage(address: bigint, page: Uint8Array): Piece[] {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const pieces: Piece[] = [];
  for (let at = 0; at < page.length; at += 8) {
    if (view.getBigUint64(at) === 0n) continue;
    const start = at;
    // A short stretch of zeros costs less than another header.
    for (let zeros = 0; at < page.length && zeros < 2; at += 8) {
      zeros = view.getBigUint64(at) === 0n ? zeros + 1 : 0;
    }
    pieces.push({ address: address + BigInt(start), bytes: page.subarray(start, at) });
  }
  return pieces;
}

/** Changes to inputs of pieces with `head` bytes before them: pointers to another piece or to nothing, pieces that are
 * gone, twice there, elsewhere, or shorter. */
export function pieceMutators(head: number): readonly Mutator[] {
  const changing =
    (change: (pieces: Piece[], random: Random) => void): Mutator =>
    (input, random) => {
      const pieces = readPieces(input.subarray(head));
      if (pieces.length === 0) return undefined;
      change(pieces, random);
      return writePieces(pieces, input.slice(0, head));
    };
  return [
    changing((pieces, random) => {
      const index = random.below(pieces.length);
      const { address, bytes } = pieces[index] ?? { address: 0n, bytes: new Uint8Array() };
      if (bytes.length < 8) return;
      const copy = bytes.slice();
      const view = new DataView(copy.buffer);
      const at = random.below(2) === 0 ? 0 : random.below(copy.length >> 3) * 8;
      const target = random.pick(pieces).address + BigInt(random.pick([0, 0, 0, 1, 8, 0x1000, -0x1000]));
      // What is below a page in an entry or a descriptor are flags or a count: mostly kept.
      const low = random.below(4) === 0 ? 0n : view.getBigUint64(at, true) & 0xfffn;
      view.setBigUint64(at, BigInt.asUintN(64, target | low), true);
      pieces[index] = { address, bytes: copy };
    }),
    changing((pieces, random) => pieces.splice(random.below(pieces.length), 1)),
    changing((pieces, random) => {
      const { bytes } = random.pick(pieces);
      const near = random.pick(pieces).address + 0x1000n;
      pieces.splice(random.below(pieces.length + 1), 0, { address: BigInt.asUintN(64, near), bytes });
    }),
    changing((pieces, random) => {
      const index = random.below(pieces.length);
      const { address, bytes } = pieces[index] ?? { address: 0n, bytes: new Uint8Array() };
      pieces[index] =
        random.below(2) === 0
          ? { address: random.pick(pieces).address, bytes }
          : { address, bytes: bytes.slice(0, random.below(bytes.length + 1)) };
    }),
  ];
}
