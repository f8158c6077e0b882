// SPDX-License-Identifier: Apache-2.0
import { openFdt } from '../../fdt/fdt.js';
import { decodeMemory } from './decode-memory.js';
import { failAt } from './error.js';
import { type ByteOrder, inputOf } from './input.js';
import { readNode } from './read-node.js';
import type { Layout, Value } from './type.js';

/** How bytes are decoded. */
export interface DecodeOptions {
  /** Default little. The container of an FDT is big-endian whatever this says. */
  readonly byteOrder?: ByteOrder;
  /** Physical address of the first byte, for what is reported. */
  readonly base?: bigint;
  /** Path to put in front of field names in what is reported. */
  readonly path?: string;
  /** Whether bytes after the layout's end are passed over; default false, they are an error. */
  readonly trailing?: boolean;
}

/**
 * Decodes the bytes of a layout: plain values, integers up to 32 bits as number, of 64 bits as bigint, byte runs as
 * views into `bytes`. Value rules are not judged here, `check` does that: only bytes that cannot be laid out fail.
 *
 * @throws SchemaError TRUNCATED, BAD_LENGTH, BAD_COUNT; for FDT layouts MISSING and BAD_VALUE (`compatible`)
 * @throws FdtError when the blob is no sound FDT
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { decode, luoV5 } from 'kho-toolkit/schemas';
 *
 * const luo = decode(luoV5, readFileSync('fixtures/demo/out/sub_fdts/LUO'));
 * console.log(luo.liveupdate_num, luo.sessions_pa); // both bigint
 * ```
 */
export function decode<T extends Layout>(layout: T, bytes: Uint8Array, options?: DecodeOptions): Value<T>;
export function decode(layout: Layout, bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  const { byteOrder, base, path, trailing = false } = options;
  if (layout.kind === 'node') {
    const fdt = openFdt(bytes);
    const place = { offset: fdt.bounds.start, path: path ?? '/', base };
    if (fdt.root === undefined) throw failAt(place, 'MISSING', 'a root node', 'none');
    return readNode(layout, fdt.root, { byteOrder, base, path });
  }
  return decodeMemory(layout, inputOf(bytes, byteOrder), { offset: 0, path: path ?? '', base }, trailing);
}
