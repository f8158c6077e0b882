// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { FdtIssue } from './error.js';

/** An entry of the memory reservation block: `size` bytes from physical `address` on must not be used. */
export interface FdtReservation {
  readonly address: bigint;
  readonly size: bigint;
}

/** The size in bytes of an entry of the memory reservation block. */
export const RESERVATION_SIZE = 16;

/**
 * Lists the memory reservations at `offset`. As in libfdt, the first entry whose size is 0 ends the list.
 *
 * @param bytes - the blob
 * @param offset - `off_mem_rsvmap`
 * @param end - first byte after the blob; entries must lie below it
 * @param onIssue - called with a TRUNCATED issue when no terminator is found
 */
export function readReservations(
  bytes: Uint8Array,
  offset: number,
  end: number,
  onIssue: (issue: FdtIssue) => void,
): FdtReservation[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list: FdtReservation[] = [];
  for (let at = offset; at + RESERVATION_SIZE <= end; at += RESERVATION_SIZE) {
    const size = view.getBigUint64(at + 8);
    if (size === 0n) return list;
    list.push({ address: view.getBigUint64(at), size });
  }
  const message = `memory reservation block at ${formatHex(offset)} has no terminating entry before ${formatHex(end)}`;
  onIssue({ code: 'TRUNCATED', offset: end, message });
  return list;
}
