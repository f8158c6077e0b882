// SPDX-License-Identifier: Apache-2.0
import { FdtEditor } from '../../fdt/editor.js';
import { FdtWriter } from '../../fdt/writer.js';
import { encodeMemory } from './encode-memory.js';
import type { ByteOrder } from './input.js';
import type { Layout, NodeType, Value } from './type.js';
import { editEachNode, writeNode } from './write-node.js';

/** How values are encoded. */
export interface EncodeOptions {
  /** Default little. */
  readonly byteOrder?: ByteOrder;
  /** Size in bytes of the buffer in which a kernel changes an FDT (`dynamic` layouts); default 4096, one page. */
  readonly capacity?: number;
  /** Overrides how the layout says that its kernels write an FDT. */
  readonly writer?: 'sequential' | 'dynamic';
}

/**
 * Encodes values as the kernel that the layout is of would: FDT properties in declared order, blocks and string table
 * as libfdt leaves them. Value rules are not judged here, so that broken blobs can be made on purpose.
 *
 * @throws SchemaError BAD_TYPE, MISSING, BAD_COUNT, BAD_LENGTH, BAD_NAME for a value that the layout cannot hold
 * @throws FdtError NOSPACE when a `dynamic` FDT exceeds its capacity
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { decode, encode, luoV5 } from 'kho-toolkit/schemas';
 *
 * const luo = decode(luoV5, readFileSync('fixtures/demo/out/sub_fdts/LUO'));
 * const next = encode(luoV5, { ...luo, liveupdate_num: luo.liveupdate_num + 1n });
 * console.log(next.length);
 * ```
 */
export function encode<T extends Layout>(layout: T, value: Value<T>, options?: EncodeOptions): Uint8Array;
export function encode(layout: Layout, value: unknown, options: EncodeOptions = {}): Uint8Array {
  return encodeUnchecked(layout, value, options);
}

/**
 * The same for a value of which nothing is known, such as parsed JSON. Integers may be number or bigint.
 *
 * @throws SchemaError and FdtError as {@link encode}
 */
export function encodeUnchecked(layout: Layout, value: unknown, options: EncodeOptions = {}): Uint8Array {
  const { byteOrder } = options;
  if (layout.kind !== 'node') return encodeMemory(layout, value, { offset: 0, path: '' }, byteOrder);
  return encodeFdtLayout(layout, value, options);
}

function encodeFdtLayout(layout: NodeType, value: unknown, options: EncodeOptions): Uint8Array {
  const { byteOrder, capacity = 4096, writer: mode = layout.writer } = options;
  const writer = new FdtWriter();
  writer.finishReservations();
  writeNode(writer, layout, '', value, '/', byteOrder, mode === 'sequential');
  const blob = writer.finish();
  if (mode === 'sequential') return blob;
  const editor = FdtEditor.openInto(blob, capacity);
  const packed = editEachNode(editor, layout, value, byteOrder);
  // A root to which nothing was added was never opened again.
  return packed ?? blob;
}
