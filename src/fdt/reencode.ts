// SPDX-License-Identifier: Apache-2.0
import { encodeLatin1 } from '../bytes/latin1.js';
import { FdtError } from './error.js';
import type { Fdt } from './fdt.js';
import { fdtSegments, type Segment } from './segments.js';

/** Changes to make while re-encoding. */
export interface ReencodeOptions {
  /**
   * Called for each property value with its offset in the blob, the path of its node and the bytes; returns other
   * bytes of the same length, or `undefined` to leave the value as it is.
   */
  readonly replace?: (value: { offset: number; path: string; bytes: Uint8Array }) => Uint8Array | undefined;
}

/**
 * Encodes a decoded blob again in its own layout: block order, gaps, NOPs, padding and string table stay as they are,
 * so that without changes the result is the input, byte for byte, whoever wrote it.
 *
 * @returns a blob of the same size, bytes after `totalsize` included
 * @throws FdtError BADVALUE when a replacement has another length
 */
export function reencodeFdt(fdt: Fdt, options: ReencodeOptions = {}): Uint8Array {
  const result = new Uint8Array(fdt.bytes.length);
  const view = new DataView(result.buffer);
  for (const segment of fdtSegments(fdt)) {
    const { offset, length, kind, value } = segment;
    if (kind === 'u32' && typeof value === 'number') view.setUint32(offset, value);
    else if (kind === 'u64' && typeof value === 'bigint') view.setBigUint64(offset, value);
    else if (kind === 'string' && typeof value === 'string') result.set(encodeLatin1(value) ?? [], offset);
    else
      result.set(replacement(fdt, segment, options) ?? fdt.bytes.subarray(offset, offset + length), offset);
  }
  return result;
}

function replacement(fdt: Fdt, segment: Segment, { replace }: ReencodeOptions): Uint8Array | undefined {
  const { offset, length, path } = segment;
  if (replace === undefined || segment.kind !== 'bytes' || path === undefined) return undefined;
  const bytes = replace({ offset, path, bytes: fdt.bytes.subarray(offset, offset + length) });
  if (bytes === undefined || bytes.length === length) return bytes;
  const message = `a replacement must keep the value's ${length} bytes, this one has ${bytes.length}`;
  throw new FdtError({ code: 'BADVALUE', offset, path, message });
}
