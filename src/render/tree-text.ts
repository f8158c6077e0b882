// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { FdtCursor } from '../fdt/cursor.js';
import { type Fdt, FdtNode } from '../fdt/fdt.js';
import { FDT_NOP, FDT_PROP } from '../fdt/token.js';
import { NativeUnits } from './native-units.js';
import type { Paint } from './paint.js';
import { count, formatRange, formatSize } from './size.js';
import type { TextSink } from './text-sink.js';
import { writeValue } from './value-text.js';

/** How {@link writeTree} writes. */
export interface TreeStyle {
  readonly paint: Paint;
  /** At most this many bytes of a value are shown, `Infinity` for all. */
  readonly limit: number;
  /** Draw the branches with `|` and `` ` `` instead of box characters. */
  readonly ascii: boolean;
}

/** Nodes deeper than this are not indented further but say their depth, so that a line's length stays bounded. */
export const MAX_INDENT = 32;
/** Property names longer than this do not widen the column of values. */
const MAX_NAME_COLUMN = 32;
/** Longer names are cut: one string of a hostile blob can be the name of every property. */
const MAX_NAME = 256;
/** The column of values is measured over this many properties of a node. */
const MAX_MEASURED = 256;

interface Guides {
  readonly down: string;
  readonly branch: string;
  readonly last: string;
}
const BOX: Guides = { down: '│', branch: '├─ ', last: '└─ ' };
const ASCII: Guides = { down: '|', branch: '|- ', last: '`- ' };

/** One line on the blob as a whole: `FDT version 17, 345 bytes, 4 nodes, boot cpu 0`. */
export function describeFdt(fdt: Fdt): string {
  const { version, totalsize, boot_cpuid_phys: cpu } = fdt.header;
  const parts = [
    `FDT version ${version}`,
    formatSize(totalsize),
    count(fdt.nodes.count, 'node'),
    ...(fdt.reservations.length > 0 ? [count(fdt.reservations.length, 'reservation')] : []),
    ...(cpu !== 0 ? [`boot cpu ${formatHex(cpu)}`] : []),
  ];
  return parts.join(', ');
}

/** Writes the memory reservations, one line each; nothing when there are none. */
export function writeReservations(out: TextSink, fdt: Fdt, paint: Paint): void {
  for (const { address, size } of fdt.reservations) {
    out(`reserved  ${paint('number', formatRange(address, size))}\n`);
  }
}

/**
 * Writes the nodes and properties of a tree for people, values in a column, branches drawn. Takes time linear in the
 * blob and memory linear in its node count, at any depth.
 *
 * @param start - row of the node to begin with, default the first root and every further one
 */
export function writeTree(out: TextSink, fdt: Fdt, style: TreeStyle, start?: number): void {
  const { paint } = style;
  const { nodes } = fdt;
  const guides = style.ascii ? ASCII : BOX;
  const cursor = fdt.cursor();
  const first = start ?? 0;
  const end = start === undefined ? nodes.count : (nodes.next[start] ?? 0);
  const nativeUnits = new NativeUnits(fdt);

  // prefixes[d] stands before the branch of a node d levels below the first.
  const prefixes = [''];
  const open: number[] = [];
  for (let row = first; row < end; row++) {
    while (open.length > 0 && (nodes.next[open.at(-1) ?? 0] ?? 0) <= row) open.pop();
    const level = open.length;
    const shownLevel = Math.min(level, MAX_INDENT);
    const prefix = prefixes[shownLevel] ?? '';
    const parentEnd = level > 0 ? (nodes.next[open[level - 1] ?? 0] ?? end) : end;
    const isLast = (nodes.next[row] ?? end) >= parentEnd;
    cursor.nextOffset = nodes.offset[row] ?? 0;
    cursor.next();

    const branch = level === 0 ? '' : isLast ? guides.last : guides.branch;
    const name = level === 0 ? rootLabel(fdt, row) : escapeText(cut(cursor.nodeName())) || '(no name)';
    const depthNote = level > MAX_INDENT ? paint('note', ` (depth ${level})`) : '';
    out(`${paint('guide', prefix + branch)}${paint('node', name)}${depthNote}\n`);

    const below = level === 0 ? '' : `${prefix}${isLast ? '   ' : `${guides.down}  `}`;
    if (level < MAX_INDENT) prefixes[level + 1] = below;
    const width = measureNames(cursor);
    const hasChildren = (nodes.next[row] ?? 0) > row + 1;
    const lead = paint('guide', `${below}${hasChildren ? guides.down : ' '} `);
    const units = nativeUnits.of(row);
    for (const property of new FdtNode(fdt, row).properties()) {
      const label = escapeText(cut(property.name));
      out(`${lead}${paint('property', label.padEnd(width))}  `);
      writeValue(out, property.value, units.get(property.name), style);
      out('\n');
    }
    open.push(row);
  }
}

/** The width of the names of the properties that lie before the cursor. */
function measureNames(cursor: FdtCursor): number {
  let width = 0;
  for (let seen = 0, tag = cursor.next(); seen < MAX_MEASURED; seen++, tag = cursor.next()) {
    if (tag === FDT_NOP) continue;
    if (tag !== FDT_PROP) break;
    const name = cursor.propertyLabel();
    if (name.length <= MAX_NAME_COLUMN) width = Math.max(width, escapeText(name).length);
  }
  return Math.min(width, MAX_NAME_COLUMN);
}

function rootLabel(fdt: Fdt, row: number): string {
  return cut(new FdtNode(fdt, row).path);
}

function cut(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}
