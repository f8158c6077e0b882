// SPDX-License-Identifier: Apache-2.0
import { openFdt } from '../../fdt/fdt.js';
import { fdtSegments } from '../../fdt/segments.js';
import { type DecodeOptions, decode } from './decode.js';
import { readNode } from './read-node.js';
import type { Layout, MemoryType } from './type.js';
import { isLeaf, type Visit, walk } from './walk.js';

/** A run of bytes with a name: a field, or a part of the FDT container around properties. */
export interface Span {
  readonly offset: number;
  /** In bytes, at least 1. */
  readonly length: number;
  /** Path of the field, or of the node that a part of the container belongs to. */
  readonly path: string;
  /** The field's type; `undefined` for parts of the container. */
  readonly type?: MemoryType | undefined;
  readonly value?: unknown;
  /** What it is: the kind of the field's type, or the container's name for it (`FDT_PROP`, `padding`, …). */
  readonly label: string;
  /** Whether no layout says what the bytes are. */
  readonly unknown: boolean;
}

/**
 * All bytes of a blob as named runs, in order, each byte in exactly one: what `dump --format hex` prints. Properties
 * that the layout does not declare come with `unknown` set, so that coverage is complete where none is.
 *
 * @throws SchemaError and FdtError as `decode`
 */
export function spansOf(layout: Layout, bytes: Uint8Array, options: DecodeOptions = {}): Span[] {
  const spans: Span[] = [];
  const add = (item: Visit): void => {
    if (!isLeaf(item) || item.length === 0) return;
    const { type, value, place, length } = item;
    spans.push({
      offset: place.offset,
      length,
      path: place.path,
      type,
      value,
      label: type.kind,
      unknown: false,
    });
  };
  if (layout.kind !== 'node') {
    const value: unknown = decode<Layout>(layout, bytes, options);
    walk(layout, value, { offset: 0, path: options.path ?? '' }, bytes.length, add);
    return spans;
  }
  const fdt = openFdt(bytes);
  const { byteOrder, path } = options;
  const fields = new Map<number, Span[]>();
  if (fdt.root !== undefined) {
    readNode(
      layout,
      fdt.root,
      { byteOrder, path },
      {
        property: (_, type, value, place, length) => {
          spans.length = 0;
          walk(type, value, place, length, add);
          fields.set(place.offset, [...spans]);
        },
      },
    );
  }
  const all: Span[] = [];
  for (const segment of fdtSegments(fdt)) {
    const { offset, length, label, value } = segment;
    const isValue = segment.kind === 'bytes' && label.startsWith('value of ');
    const declared = isValue ? fields.get(offset) : undefined;
    if (declared !== undefined) all.push(...declared);
    else all.push({ offset, length, path: segment.path ?? '', value, label, unknown: isValue });
  }
  return all;
}
