// SPDX-License-Identifier: Apache-2.0
// Getting values from one version of a format to a neighbouring one, what they lead to included.
import { formatHex } from '../../bytes/hex.js';
import { decode } from './decode.js';
import { encodeUnchecked } from './encode.js';
import { failAt } from './error.js';
import type { ByteOrder } from './input.js';
import type { Memory } from './memory.js';
import { sizeOf } from './size.js';
import type { Layout, Value } from './type.js';

/** The memory around a value that a step converts: what there is, and room for what it becomes. */
export interface StepMemory {
  /**
   * Decodes what is at a physical address.
   *
   * @param length - in bytes; may be left out for layouts of fixed size
   * @throws SchemaError ABSENT where there is no such memory, and as `decode`
   */
  read<T extends Layout>(layout: T, address: bigint, length?: number): Value<T>;
  /**
   * Encodes into fresh memory.
   *
   * @param size - bytes that the kernel has for it, default what the encoding takes
   * @returns its physical address
   * @throws SchemaError as `encode`
   */
  write<T extends Layout>(layout: T, value: Value<T>, size?: number): bigint;
}

/**
 * Memory for steps.
 *
 * @param memory - where values to convert lie
 * @param place - puts bytes at a fresh address that is a multiple of the page size, to be preserved by the caller
 */
export function stepMemory(
  memory: Memory,
  place: (bytes: Uint8Array) => bigint,
  byteOrder: ByteOrder = 'little',
): StepMemory {
  return {
    read<T extends Layout>(layout: T, address: bigint, length?: number): Value<T> {
      const size = length ?? (layout.kind === 'node' ? undefined : sizeOf(layout));
      const bytes = size === undefined ? undefined : memory(address, size);
      if (bytes !== undefined) return decode(layout, bytes, { byteOrder, base: address });
      const where = { offset: 0, path: '', base: address };
      throw failAt(where, 'ABSENT', `${size ?? 'some'} bytes at ${formatHex(address)}`, 'no such memory');
    },
    write<T extends Layout>(layout: T, value: Value<T>, size = 0): bigint {
      const bytes = encodeUnchecked(layout, value, { byteOrder });
      if (bytes.length >= size) return place(bytes);
      const padded = new Uint8Array(size);
      padded.set(bytes);
      return place(padded);
    },
  };
}

/** How values get from one version to a neighbouring one. */
export interface Step<From extends Layout = Layout, To extends Layout = Layout> {
  /** Layouts of the versions. */
  readonly from: From;
  readonly to: To;
  /** Whether nothing is lost on the way. */
  readonly lossless: boolean;
  /** What is done, and what is lost. */
  readonly doc: string;
  /** What values must not exceed, where `from` holds more than `to`. */
  readonly limit?: string | undefined;
  /**
   * Converts a value, and what it leads to as far as that changes; what does not stays where it is. Left out where
   * nothing that was released needs it.
   *
   * @throws SchemaError LIMIT for what exceeds `limit`; ABSENT, LOOP, BAD_COUNT, and all of decoding and encoding
   */
  convert?(value: Value<From>, memory: StepMemory): Value<To>;
}

/**
 * Declares a step between neighbouring versions.
 *
 * @throws TypeError when a step leads from a layout to itself
 */
export function step<From extends Layout, To extends Layout>(
  from: From,
  to: To,
  options: Omit<Step<From, To>, 'from' | 'to'>,
): Step<From, To> {
  if (Object.is(from, to)) throw new TypeError('a step from a layout to itself');
  return Object.freeze({ from, to, ...options });
}
