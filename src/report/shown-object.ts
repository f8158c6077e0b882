// SPDX-License-Identifier: Apache-2.0
import type { Fdt } from '../fdt/fdt.js';
import type { Layout } from '../schemas/lang/type.js';
import type { TextRun } from './text-run.js';

/** What bytes are, which decides their colour. */
export type FieldKind = 'number' | 'pointer' | 'text' | 'bytes' | 'container' | 'padding' | 'unknown';

/** A run of bytes with a name. */
export interface Field {
  readonly offset: number;
  readonly length: number;
  /** Where it is in its object: `.sessions[0].name`, `/trace0/start`. Safe to show. */
  readonly path: string;
  readonly kind: FieldKind;
  /** The kind of its declared type, or what it is of the container. */
  readonly type: string;
  /** Its value. */
  readonly value: () => TextRun[];
}

/** Bytes that can be looked at: a blob, a struct, an array, a page of memory. */
export interface ShownObject {
  /** Unique among the objects of a side. */
  readonly key: string;
  /** How it was reached: names of fields. */
  readonly path: string;
  /** What it is, in a few words: `struct luo_ser`, `FDT`, `page`. */
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Physical address of its first byte; `undefined` where bytes have offsets only. */
  readonly address: bigint | undefined;
  /** Where its parts lie, in order, when it was put together from scattered pages. */
  readonly pieces?: readonly { readonly address: bigint; readonly length: number }[] | undefined;
  /** `undefined` for bytes that nobody describes. */
  readonly layout?: Layout | undefined;
  /** Of device trees, damaged ones too. */
  readonly fdt?: Fdt | undefined;
  /** Its fields, where no layout says them. */
  readonly fields?: (() => readonly Field[]) | undefined;
  /** Physical address of the pointer that leads here. */
  readonly from?: bigint | undefined;
}

/** Offset of the byte at physical address `at`; `undefined` for one that is not in the object. */
export function offsetIn({ address, pieces, bytes }: ShownObject, at: bigint): number | undefined {
  let offset = 0;
  for (const piece of pieces ?? []) {
    if (at >= piece.address && at < piece.address + BigInt(piece.length))
      return offset + Number(at - piece.address);
    offset += piece.length;
  }
  if (pieces !== undefined || address === undefined) return undefined;
  return at >= address && at < address + BigInt(bytes.length) ? Number(at - address) : undefined;
}
