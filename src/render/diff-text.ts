// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { FdtChange } from '../fdt/diff.js';
import type { FdtNode, FdtProperty } from '../fdt/fdt.js';
import type { FolderChange, FolderOnlyChange } from '../kho/debugfs-diff.js';
import { identifyFdt } from '../schemas/identify-blob.js';
import type { MemoryType } from '../schemas/lang/type.js';
import { propertyType, TreeLayouts } from '../schemas/tree-layouts.js';
import type { DeclaredStyle } from './declared-text.js';
import type { Paint, Role } from './paint.js';
import { count, formatRange } from './size.js';
import type { TextSink } from './text-sink.js';
import { writeValue } from './value-text.js';

/** How {@link writeDiff} writes. */
export interface DiffStyle {
  readonly paint: Paint;
  /** At most this many bytes of a value are shown. */
  readonly limit: number;
}

/** Values of more bytes than this are shown one below the other. */
const MAX_SIDE_BY_SIDE = 24;
const MAX_NAME = 256;
/** Values begin this far right, so that they stand in a column whatever node they are of. */
const LABEL_COLUMN = 22;

/**
 * Writes differences for people, grouped by file and node: `+` added, `-` removed, `~` changed, `>` moved.
 *
 * @param changes - in the order in which they are to appear; `where` is '' when a single blob is compared
 * @returns how many there were
 */
export function writeDiff(out: TextSink, changes: Iterable<FolderChange>, style: DiffStyle): number {
  const writer = new DiffWriter(out, style);
  let total = 0;
  for (const { where, change } of changes) {
    total++;
    writer.enterFile(where);
    writer.write(change);
  }
  return total;
}

class DiffWriter {
  readonly #out: TextSink;
  readonly #paint: Paint;
  readonly #style: DeclaredStyle;
  readonly #layouts = new WeakMap<object, TreeLayouts>();
  #where = '';
  #node: FdtNode | undefined;

  constructor(out: TextSink, style: DiffStyle) {
    this.#out = out;
    this.#paint = style.paint;
    // Arrows stand between before and after here.
    this.#style = { ...style, arrow: '' };
  }

  enterFile(where: string): void {
    if (where === this.#where) return;
    this.#where = where;
    this.#node = undefined;
    this.#out(`\n${this.#paint('title', escapeText(where))}\n`);
  }

  write(change: FdtChange | FolderOnlyChange): void {
    switch (change.kind) {
      case 'property-added':
        this.#property('added', '+', change.node, change.property, change.occurrence);
        break;
      case 'property-removed':
        this.#property('removed', '-', change.node, change.property, change.occurrence);
        break;
      case 'property-changed':
        this.#changed(change.node, change.before, change.after, change.occurrence);
        break;
      case 'property-moved': {
        this.#enterNode(change.node);
        const label = this.#label(change.property.name, change.occurrence);
        const places = `moved from place ${change.before + 1} to ${change.after + 1}`;
        this.#out(`  ${this.#paint('changed', `> ${label}`)}  ${this.#paint('note', places)}\n`);
        break;
      }
      case 'node-added':
        this.#wholeNode('added', '+', change.node, change.occurrence);
        break;
      case 'node-removed':
        this.#wholeNode('removed', '-', change.node, change.occurrence);
        break;
      case 'node-moved': {
        const places = `node moved from place ${change.before + 1} to ${change.after + 1} among its siblings`;
        this.#line('changed', '>', this.#path(change.node, change.occurrence), places);
        break;
      }
      case 'boot-cpuid':
        this.#line('changed', '~', 'boot cpu', `${formatHex(change.before)} -> ${formatHex(change.after)}`);
        break;
      case 'reservation-added':
        this.#range('added', '+', 'reserved', change.reservation);
        break;
      case 'reservation-removed':
        this.#range('removed', '-', 'reserved', change.reservation);
        break;
      case 'reservation-moved':
        this.#range('changed', '>', 'reserved', change.reservation);
        break;
      case 'reservation-changed':
        this.#range('removed', '-', 'reserved', change.before);
        this.#range('added', '+', 'reserved', change.after);
        break;
      case 'side-added':
        this.#line('added', '+', 'direction', 'only in the second folder');
        break;
      case 'side-removed':
        this.#line('removed', '-', 'direction', 'only in the first folder');
        break;
      case 'scratch-added':
        this.#range('added', '+', 'region', change.region);
        break;
      case 'scratch-removed':
        this.#range('removed', '-', 'region', change.region);
        break;
      case 'scratch-moved':
        this.#line('changed', '>', 'region', `moved from place ${change.before + 1} to ${change.after + 1}`);
        break;
      case 'finalized':
        this.#line(
          'changed',
          '~',
          'finalized',
          `${change.before ?? 'no file'} -> ${change.after ?? 'no file'}`,
        );
        break;
      case 'blob-added':
        this.#line('added', '+', 'blob', `${count(change.length, 'byte')}, only in the second folder`);
        break;
      case 'blob-removed':
        this.#line('removed', '-', 'blob', `${count(change.length, 'byte')}, only in the first folder`);
        break;
      case 'blob-changed': {
        const lengths =
          change.lengthBefore === change.lengthAfter
            ? count(change.lengthAfter, 'byte')
            : `${change.lengthBefore} -> ${count(change.lengthAfter, 'byte')}`;
        const first = formatHex(change.firstDifference);
        this.#line('changed', '~', 'bytes', `${lengths}, first difference at ${first}`);
        break;
      }
    }
  }

  #line(role: Role, sign: string, label: string, text: string): void {
    this.#out(`${this.#paint(role, `${sign} ${label}`)}  ${this.#paint('note', text)}\n`);
  }

  #range(role: Role, sign: string, label: string, range: { address: bigint; size: bigint }): void {
    this.#out(this.#paint(role, `${sign} ${label}  ${formatRange(range.address, range.size)}`));
    this.#out('\n');
  }

  #wholeNode(role: Role, sign: string, node: FdtNode, occurrence: number): void {
    const below = (node.fdt.nodes.next[node.row] ?? 0) - node.row - 1;
    const text = below === 0 ? 'node' : `node with ${count(below, 'node')} below`;
    this.#node = undefined;
    this.#line(role, sign, this.#path(node, occurrence), text);
    for (const property of node.properties()) {
      this.#out(`    ${this.#paint(role, `${sign} ${this.#label(property.name, 1)}`)}  `);
      this.#value(property);
      this.#out('\n');
    }
  }

  #enterNode(node: FdtNode): void {
    if (this.#node?.row === node.row && this.#node.fdt === node.fdt) return;
    this.#node = node;
    this.#out(`${this.#paint('node', cut(node.path))}\n`);
  }

  #property(role: Role, sign: string, node: FdtNode, property: FdtProperty, occurrence: number): void {
    this.#enterNode(node);
    this.#out(`  ${this.#paint(role, `${sign} ${this.#label(property.name, occurrence)}`)}  `);
    this.#value(property);
    this.#out('\n');
  }

  #changed(node: FdtNode, before: FdtProperty, after: FdtProperty, occurrence: number): void {
    this.#enterNode(node);
    const label = this.#paint('changed', `~ ${this.#label(after.name, occurrence)}`);
    if (Math.max(before.value.length, after.value.length) <= MAX_SIDE_BY_SIDE) {
      this.#out(`  ${label}  `);
      this.#value(before);
      this.#out(' -> ');
      this.#value(after);
      this.#out('\n');
      return;
    }
    const first = firstDifference(before.value, after.value);
    const note = this.#paint('note', `values differ from byte ${formatHex(first)} on`);
    this.#out(`  ${label}  ${note}\n      ${this.#paint('removed', '-')} `);
    this.#value(before);
    this.#out(`\n      ${this.#paint('added', '+')} `);
    this.#value(after);
    this.#out('\n');
  }

  #value(property: FdtProperty): void {
    writeValue(this.#out, property, this.#typeOf(property), this.#style);
  }

  #typeOf({ node, name }: FdtProperty): MemoryType | undefined {
    let layouts = this.#layouts.get(node.fdt);
    if (layouts === undefined) {
      const layout = identifyFdt(node.fdt)?.version.layout;
      layouts = new TreeLayouts(node.fdt, layout?.kind === 'node' ? layout : undefined);
      this.#layouts.set(node.fdt, layouts);
    }
    return propertyType(layouts.of(node.row).layout, name);
  }

  #label(name: string, occurrence: number): string {
    const times = occurrence > 1 ? ` (number ${occurrence} of that name)` : '';
    return `${escapeText(cut(name))}${times}`.padEnd(LABEL_COLUMN);
  }

  #path(node: FdtNode, occurrence: number): string {
    return `${cut(node.path)}${occurrence > 1 ? ` (number ${occurrence} of that name)` : ''}`;
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

function cut(text: string): string {
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text;
}
