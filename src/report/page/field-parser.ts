// SPDX-License-Identifier: Apache-2.0
// What stands in for binary-parser in the page (scripts/build.mjs): that one writes code and runs it, which the page's
// policy rightly forbids. Only what fixed headers of images use.

type Read = (view: DataView, at: number, little: boolean) => number | bigint;

/** Fields one after another, as `Parser` of binary-parser. */
export class Parser {
  readonly #fields: { readonly name: string; readonly at: number; readonly read: Read }[] = [];
  #at = 0;
  #isLittle = false;

  /** Byte order of the fields that follow. */
  endianness(order: 'little' | 'big'): this {
    this.#isLittle = order === 'little';
    return this;
  }

  /** Leaves bytes out. */
  seek(bytes: number): this {
    this.#at += bytes;
    return this;
  }

  #field(name: string, size: number, read: Read): this {
    this.#fields.push({ name, at: this.#at, read });
    this.#at += size;
    return this;
  }

  uint8(name: string): this {
    return this.#field(name, 1, (view, at) => view.getUint8(at));
  }

  uint16(name: string): this {
    return this.#field(name, 2, (view, at, little) => view.getUint16(at, little));
  }

  uint32(name: string): this {
    return this.#field(name, 4, (view, at, little) => view.getUint32(at, little));
  }

  int32(name: string): this {
    return this.#field(name, 4, (view, at, little) => view.getInt32(at, little));
  }

  uint64(name: string): this {
    return this.#field(name, 8, (view, at, little) => view.getBigUint64(at, little));
  }

  int64(name: string): this {
    return this.#field(name, 8, (view, at, little) => view.getBigInt64(at, little));
  }

  /** The values of all fields. */
  parse(bytes: Uint8Array): Record<string, number | bigint> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Object.fromEntries(
      this.#fields.map(({ name, at, read }) => [name, read(view, at, this.#isLittle)]),
    );
  }
}
