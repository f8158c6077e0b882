// SPDX-License-Identifier: Apache-2.0
import { encodeUnchecked, type Layout, type Memory } from '../../src/schemas/index.js';

/** Physical memory put together by a test: values and bytes at addresses; all else is not there. */
export class FakeMemory {
  readonly #pieces = new Map<bigint, Uint8Array>();

  /** Puts bytes at an address. */
  put(address: bigint, bytes: Uint8Array): this {
    this.#pieces.set(address, bytes);
    return this;
  }

  /** Puts a value of a layout at an address. */
  encode(address: bigint, layout: Layout, value: unknown): this {
    return this.put(address, encodeUnchecked(layout, value));
  }

  /** Reads bytes that lie within one piece. */
  readonly read: Memory = (address, length) => {
    for (const [start, bytes] of this.#pieces) {
      const offset = Number(address - start);
      if (offset >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
    }
    return undefined;
  };
}
