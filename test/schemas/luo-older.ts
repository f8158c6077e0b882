// SPDX-License-Identifier: Apache-2.0
// The handover that test/oracle/luo-older.c makes, put together in memory.
import type { Memory } from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';

/** Where tests put the blob that is looked at. */
export const BLOB = 0x1000n;

/** One piece of it. */
export function olderFixture(name: string): Uint8Array {
  return readFixture(`luo-older/${name}`);
}

/** Where the pieces lie; the program has the same addresses. */
const places: readonly (readonly [bigint, string])[] = [
  [0x100000n, 'sessions.bin'],
  [0x120000n, 'flbs.bin'],
  [0x130000n, 'luo-v2-state.bin'],
  [0x140000n, 'session-block.bin'],
  [0x200000n, 'files.bin'],
  [0x300000n, 'memfd-v1.bin'],
  [0x301000n, 'memfd-v1-empty.bin'],
  [0x310000n, 'chunk.bin'],
  [0x320000n, 'folios.bin'],
];

/**
 * The memory with the piece `blob` at BLOB.
 *
 * @param instead - which piece to put where another one lies
 */
export function olderMemory(blob: string, instead = (name: string): string => name): Memory {
  const pieces = [[BLOB, blob] as const, ...places].map(
    ([address, name]) => [address, olderFixture(instead(name))] as const,
  );
  return (address, length) => {
    const found = pieces.find(
      ([start, bytes]) => address >= start && address + BigInt(length) <= start + BigInt(bytes.length),
    );
    if (found === undefined) return undefined;
    const [start, bytes] = found;
    const at = Number(address - start);
    return bytes.subarray(at, at + length);
  };
}
