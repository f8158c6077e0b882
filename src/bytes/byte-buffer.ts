// SPDX-License-Identifier: Apache-2.0

/** Up to this many bytes a loop is faster than `TypedArray.prototype.set`. */
const SHORT = 48;

/** Bytes appended one piece after another; the memory behind them doubles when it is full. Numbers are big-endian. */
export class ByteBuffer {
  /** How many bytes were appended. */
  length = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;

  /** @param capacity - bytes to make room for at first */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(16, capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was appended: a view, valid until the next call. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  /** Forgets the bytes and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  appendByte(value: number): void {
    const at = this.#extend(1);
    this.#bytes[at] = value;
  }

  appendUint16(value: number): void {
    const at = this.#extend(2);
    this.#view.setUint16(at, value);
  }

  appendUint32(value: number): void {
    const at = this.#extend(4);
    this.#view.setUint32(at, value);
  }

  appendUint64(value: bigint): void {
    const at = this.#extend(8);
    this.#view.setBigUint64(at, value);
  }

  appendBytes(source: Uint8Array): void {
    const { length } = source;
    const at = this.#extend(length);
    if (length > SHORT) {
      this.#bytes.set(source, at);
    } else {
      for (let index = 0; index < length; index++) this.#bytes[at + index] = source[index] ?? 0;
    }
  }

  /** Appends text whose characters are all U+0000 to U+00FF, one byte each; whether they are is for the caller to know. */
  appendLatin1(text: string): void {
    const { length } = text;
    const at = this.#extend(length);
    for (let index = 0; index < length; index++) this.#bytes[at + index] = text.charCodeAt(index);
  }

  /** Appends zeros up to the next multiple of `alignment`, a power of two. */
  align(alignment: number): void {
    const padding = -this.length & (alignment - 1);
    if (padding > 0) this.#bytes.fill(0, this.#extend(padding), this.length);
  }

  #extend(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.length = needed;
    return at;
  }
}
