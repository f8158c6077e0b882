// SPDX-License-Identifier: Apache-2.0
// The bytes of an object as named fields, a window at a time: blobs of megabytes are never cut up as a whole.

import { formatHex } from '../bytes/hex.js';
import { KhoError } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';
import { type Fdt, FdtNode, type FdtProperty } from '../fdt/fdt.js';
import { fdtBlocks, nodeSegments, type Segment } from '../fdt/segments.js';
import { type DeclaredStyle, declaredText } from '../render/declared-text.js';
import { writeValue } from '../render/value-text.js';
import { decode } from '../schemas/lang/decode.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { MemoryType } from '../schemas/lang/type.js';
import { isLeaf, walk } from '../schemas/lang/walk.js';
import { propertyType, TreeLayouts } from '../schemas/tree-layouts.js';
import type { Field, FieldKind, ShownObject } from './shown-object.js';
import { lineOf, markingPaint, runsOf, type TextRun } from './text-run.js';

/** Fields of a stretch of bytes, in order; bytes between them have no name. */
interface Window {
  readonly from: number;
  readonly to: number;
  readonly fields: readonly Field[];
}

/** How values are written: whole strings, and bytes up to a line. */
export const VALUE_STYLE: DeclaredStyle = { paint: markingPaint, limit: 64, arrow: '→' };

const ELEMENTS = 64;
const KEPT_WINDOWS = 256;
const NONE: readonly Field[] = [];

/** The fields of one object. */
export class ObjectFields {
  readonly #object: ShownObject;
  readonly #windows = new Map<number, Window>();
  #blocks: readonly Window[] | undefined;
  #layouts: TreeLayouts | undefined;
  /** Why the bytes could not be decoded as their layout says; `undefined` where they could. */
  problem: string | undefined;

  constructor(object: ShownObject) {
    this.#object = object;
  }

  /** The field of the byte at `offset`; `undefined` for one without a name. Takes O(log) of the fields around it. */
  at(offset: number): Field | undefined {
    const { fields } = this.#windowAt(offset);
    let low = 0;
    let high = fields.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((fields[middle]?.offset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const found = fields[low - 1];
    return found !== undefined && offset < found.offset + found.length ? found : undefined;
  }

  /** The fields that lie in part or whole from `from` up to and without `to`. */
  between(from: number, to: number): Field[] {
    const found: Field[] = [];
    for (let at = from; at < to; ) {
      const window = this.#windowAt(at);
      for (const field of window.fields)
        if (field.offset < to && field.offset + field.length > from && field.offset + field.length > at)
          found.push(field);
      at = Math.max(window.to, at + 1);
    }
    return found;
  }

  #windowAt(offset: number): Window {
    const { fdt, layout, bytes, fields: given } = this.#object;
    if (fdt !== undefined) return this.#treeWindow(fdt, offset);
    const whole = { from: 0, to: bytes.length, fields: given?.() ?? NONE };
    if (layout === undefined || layout.kind === 'node') return whole;
    const stride = layout.kind === 'array' ? (sizeOf(layout.of) ?? 0) : 0;
    if (layout.kind !== 'array' || stride === 0)
      return this.#kept(0, () => ({ ...whole, fields: this.#decoded(layout, 0, bytes, '') }));
    const first = Math.floor(offset / (stride * ELEMENTS)) * ELEMENTS;
    return this.#kept(first, () => {
      const count = Math.min(ELEMENTS, Math.floor(bytes.length / stride) - first);
      const fields: Field[] = [];
      for (let index = first; index < first + count; index++) {
        const part = bytes.subarray(index * stride, (index + 1) * stride);
        fields.push(...this.#decoded(layout.of, index * stride, part, `[${index}]`));
      }
      return { from: first * stride, to: (first + ELEMENTS) * stride, fields };
    });
  }

  #kept(key: number, make: () => Window): Window {
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    if (this.#windows.size >= KEPT_WINDOWS) this.#windows.clear();
    const made = make();
    this.#windows.set(key, made);
    return made;
  }

  #decoded(type: MemoryType, offset: number, bytes: Uint8Array, path: string): Field[] {
    try {
      return fieldsOf(type, bytes, offset, path);
    } catch (error) {
      if (!(error instanceof KhoError)) throw error;
      this.problem ??= error.message;
      return [];
    }
  }

  #treeWindow(fdt: Fdt, offset: number): Window {
    this.#blocks ??= blockWindows(fdt);
    const block = this.#blocks.find(({ from, to }) => offset >= from && offset < to);
    if (block !== undefined) return block;
    const row = lastRowFrom(fdt, offset);
    if (row < 0) return { from: offset, to: fdt.nodes.offset[0] ?? offset + 1, fields: NONE };
    const { layout } = this.#object;
    this.#layouts ??= new TreeLayouts(fdt, layout?.kind === 'node' ? layout : undefined);
    const layouts = this.#layouts;
    return this.#kept(row, () => nodeWindow(fdt, row, layouts));
  }
}

/** Number of the last node that begins at or before `offset`; -1 for none. */
function lastRowFrom({ nodes }: Fdt, offset: number): number {
  let low = 0;
  let high = nodes.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes.offset[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The leaves of a value of `type`, in order.
 *
 * @param offset - of `bytes` in the object
 * @throws SchemaError where the bytes are no such value
 */
export function fieldsOf(type: MemoryType, bytes: Uint8Array, offset: number, path: string): Field[] {
  const value: unknown = decode(type, bytes, { trailing: true });
  const fields: Field[] = [];
  walk(type, value, { offset, path }, bytes.length, (item) => {
    if (!isLeaf(item) || item.length === 0) return;
    const { type: leaf, value: held, scope, place, length } = item;
    fields.push({
      offset: place.offset,
      length,
      path: place.path.replace(/^\./, ''),
      kind: kindOf(leaf),
      type: leaf.kind,
      value: () => runsOf(declaredText(leaf, held, (name) => scope[name], VALUE_STYLE)),
    });
  });
  return fields;
}

/** What a declared type looks like. */
export function kindOf(type: MemoryType): FieldKind {
  switch (type.kind) {
    case 'integer':
    case 'bits':
      return 'number';
    case 'chars':
    case 'text':
      return 'text';
    case 'pointer':
      return 'pointer';
    case 'reserved':
      return 'padding';
    default:
      return 'bytes';
  }
}

const VALUE_LABEL = 'value of ';

/** What lies around the nodes: header, reservations, strings. */
function blockWindows(fdt: Fdt): Window[] {
  const windows: Window[] = [];
  let fields: Field[] = [];
  let from = 0;
  for (const segment of fdtBlocks(fdt)) {
    if (segment.label === 'structure block') {
      windows.push({ from, to: segment.offset, fields });
      fields = [];
      from = segment.offset + segment.length;
    } else fields.push(segmentField(segment));
  }
  windows.push({ from, to: fdt.bytes.length, fields });
  return windows.filter(({ from: start, to }) => to > start);
}

function segmentField({ offset, length, label, kind, value, path }: Segment): Field {
  const isFiller = kind === 'padding' || kind === 'gap';
  return {
    offset,
    length,
    path: path === undefined ? label : `${path === '/' ? '/' : `${path} `}${label}`,
    kind: isFiller ? 'padding' : kind === 'string' ? 'text' : 'container',
    type: isFiller ? kind : kind === 'string' ? 'string' : `${kind}, big-endian`,
    value: () => segmentValue(value),
  };
}

function segmentValue(value: Segment['value']): TextRun[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ role: 'string', text: `"${escapeText(value)}"` }];
  return [{ role: 'number', text: value < 10 ? `${value}` : `${formatHex(value)} (${value})` }];
}

function nodeWindow(fdt: Fdt, row: number, layouts: TreeLayouts): Window {
  const node = new FdtNode(fdt, row);
  const own = layouts.of(row).layout;
  const { path } = node;
  const byOffset = new Map<number, FdtProperty>();
  for (const property of node.properties()) byOffset.set(property.valueOffset, property);
  const fields: Field[] = [];
  let from = -1;
  let to = 0;
  for (const segment of nodeSegments(fdt, row)) {
    if (from < 0) from = segment.offset;
    to = segment.offset + segment.length;
    const property = segment.label.startsWith(VALUE_LABEL) ? byOffset.get(segment.offset) : undefined;
    if (property === undefined) fields.push(segmentField(segment));
    else fields.push(...propertyFields(property, propertyType(own, property.name), path));
  }
  return { from, to, fields };
}

function propertyFields(property: FdtProperty, type: MemoryType | undefined, nodePath: string): Field[] {
  const { value, valueOffset, name } = property;
  const path = `${nodePath === '/' ? '' : nodePath}/${escapeText(name)}`;
  if (type?.kind === 'array' || type?.kind === 'struct' || type?.kind === 'union') {
    try {
      return fieldsOf(type, value, valueOffset, path);
    } catch (error) {
      if (!(error instanceof KhoError)) throw error;
    }
  }
  const text = (): TextRun[] => lineOf((out) => writeValue(out, property, type, VALUE_STYLE));
  const kind = type === undefined ? 'unknown' : kindOf(type);
  return [
    {
      offset: valueOffset,
      length: value.length,
      path,
      kind,
      type: type?.kind ?? 'not declared',
      value: text,
    },
  ];
}
