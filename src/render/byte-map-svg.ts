// SPDX-License-Identifier: Apache-2.0
// Byte maps: rows of 8 or 16 bytes with the fields of a layout to scale, what repeats left out.
import { formatHex } from '../bytes/hex.js';
import { type Version, versionName } from '../schemas/lang/family.js';
import { type MapBlock, type MapField, type MapKind, type MapRun, mapBlocks } from './byte-map.js';
import { layoutsOf } from './named-layouts.js';
import { round, svgDocument, svgGroup, svgPath, svgRect, svgText, textWidth, wrapText } from './svg.js';

const MARGIN = 16;
/** Pixels for the offsets to the left of the rows. */
const GUTTER = 56;
/** Pixels that a row of bytes is wide. */
const ROW_WIDTH = 688;
const ROW_HEIGHT = 36;
const WIDTH = MARGIN + GUTTER + ROW_WIDTH + MARGIN;
/** Structs of at most this many bytes have 8 bytes a row, so that short fields are wide. */
const NARROW = 48;
/** A field of more rows is cut. */
const MOST_ROWS = 5;
const PADDING = 5;
/** Pixels that a number in place of a name takes. */
const LEAST = 12;

/** The byte map of a version: one block for each struct, array and node, those that pointers lead to included. */
export function byteMapSvg(version: Version): string {
  const elements: string[] = [];
  let y = MARGIN;
  for (const block of mapBlocks(layoutsOf(version))) y = drawBlock(block, y, elements) + 18;
  y = drawLegend(y, elements);
  return svgDocument(WIDTH, y + MARGIN - 6, `Byte map of ${versionName(version)}`, elements);
}

/** @returns the y below it */
function drawBlock({ kind, title, about, runs }: MapBlock, top: number, elements: string[]): number {
  let y = top + 12;
  for (const line of wrapText(title, 13, WIDTH - 2 * MARGIN)) {
    elements.push(svgText(MARGIN, y, line, 'head'));
    y += 16;
  }
  for (const line of about === '' ? [] : wrapText(about, 11, WIDTH - 2 * MARGIN)) {
    elements.push(svgText(MARGIN, y, line, 'soft'));
    y += 15;
  }
  if (runs.length === 0) elements.push(svgText(MARGIN, y, 'no properties', 'soft'));
  if (runs.length === 0) y += 15;
  let columns = 0;
  for (const run of runs) {
    const isProperty = kind === 'node';
    const perRow = bytesPerRow(run);
    // Properties of a node share the numbers of the columns.
    const drawn = drawRun(run, y - 6, { perRow, hasColumns: perRow !== columns, isProperty }, elements);
    y = drawn + (isProperty ? 4 : 12);
    columns = perRow;
  }
  return y - 6;
}

function bytesPerRow({ fields }: MapRun): 8 | 16 {
  return fields.reduce((sum, { length }) => sum + (length ?? NARROW), 0) <= NARROW ? 8 : 16;
}

/** A field with its place in the rows that are drawn. */
interface Placed {
  readonly field: MapField;
  /** Position of its first byte, counted in drawn bytes from the start of the run. */
  readonly start: number;
  /** Drawn bytes. */
  readonly length: number;
  /** The drawn row that stands for what is left out. */
  readonly cutRow?: number;
}

function place(
  fields: readonly MapField[],
  perRow: number,
): { placed: Placed[]; offsets: Map<number, number> } {
  const placed: Placed[] = [];
  /** True offsets of the first bytes of drawn rows. */
  const offsets = new Map<number, number>();
  let at = 0;
  for (const field of fields) {
    const { length, offset } = field;
    const column = at % perRow;
    const isCut = length === undefined || length > MOST_ROWS * perRow;
    const head = column === 0 ? 0 : perRow - column;
    const tail = length === undefined ? 0 : (column + length) % perRow;
    const drawn = isCut ? head + perRow + tail : length;
    const cutRow = isCut ? Math.floor((at + head) / perRow) : undefined;
    for (let row = Math.ceil(at / perRow); row * perRow < at + drawn; row++) {
      const left = cutRow !== undefined && row > cutRow && length !== undefined ? length - drawn : 0;
      if (offset !== undefined) offsets.set(row, offset + row * perRow - at + left);
    }
    placed.push({ field, start: at, length: drawn, ...(cutRow === undefined ? {} : { cutRow }) });
    at += drawn;
  }
  return { placed, offsets };
}

/** How a run is drawn. */
interface RunStyle {
  readonly perRow: 8 | 16;
  /** Whether the numbers of the columns stand above it. */
  readonly hasColumns: boolean;
  readonly isProperty: boolean;
}

function drawRun(
  { fields }: MapRun,
  top: number,
  { perRow, hasColumns, isProperty }: RunStyle,
  elements: string[],
): number {
  const unit = ROW_WIDTH / perRow;
  const { placed, offsets } = place(fields, perRow);
  let y = top;
  const left = MARGIN + GUTTER;
  const bytes = placed.reduce((sum, each) => sum + each.length, 0);
  const widest = isProperty ? perRow : Math.min(perRow, bytes);
  if (hasColumns) y += 12;
  for (let column = 0; hasColumns && column < widest; column++)
    elements.push(svgText(left + (column + 0.5) * unit, y, column.toString(16), 'small', 'middle'));
  y += 5;
  for (const [row, offset] of isProperty && bytes <= perRow ? [] : offsets)
    elements.push(svgText(left - 8, y + row * ROW_HEIGHT + 22, formatHex(offset), 'soft', 'end'));
  const notes: string[] = [];
  let rows = 0;
  for (const each of placed) {
    drawField(each, { left, top: y, perRow, unit }, notes, elements);
    rows = Math.ceil((each.start + each.length) / perRow);
  }
  y += rows * ROW_HEIGHT;
  for (const note of notes) {
    for (const [index, line] of wrapText(note, 11, ROW_WIDTH).entries()) {
      y += 15;
      elements.push(svgText(left + (index === 0 ? 0 : 14), y, line, 'soft'));
    }
  }
  return y + 6;
}

/** Where a run is drawn. */
interface Grid {
  readonly left: number;
  readonly top: number;
  readonly perRow: number;
  /** Pixels that a byte is wide. */
  readonly unit: number;
}

/** A stretch of a field in one row. */
interface Segment {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

function segmentsOf({ start, length }: Placed, perRow: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = start; at < start + length; ) {
    const row = Math.floor(at / perRow);
    const end = Math.min(start + length, (row + 1) * perRow);
    segments.push({ row, from: at - row * perRow, to: end - row * perRow });
    at = end;
  }
  return segments;
}

function drawField(placed: Placed, grid: Grid, notes: string[], elements: string[]): void {
  const { field, cutRow } = placed;
  const { left, top, perRow, unit } = grid;
  const segments = segmentsOf(placed, perRow);
  const drawn: string[] = [svgPath(outline(segments, grid), `box ${field.kind}`)];
  if (cutRow !== undefined) {
    const middle = top + cutRow * ROW_HEIGHT;
    for (const at of [middle + 3, middle + ROW_HEIGHT - 3])
      drawn.push(svgPath(`M${left + 4} ${at}H${left + ROW_WIDTH - 4}`, 'cut'));
  }
  const widest = Math.max(...segments.map(({ from, to }) => to - from));
  const main = segments.find(({ row, from, to }) =>
    cutRow === undefined ? to - from === widest : row === cutRow,
  );
  if (main !== undefined) {
    const x = left + main.from * unit;
    // Text of a field over several whole rows stands in their middle.
    const isWhole = cutRow === undefined && widest === perRow;
    const last = isWhole ? segments.findLast(({ from, to }) => to - from === widest) : main;
    const y = top + ((main.row + (last ?? main).row) / 2) * ROW_HEIGHT;
    const width = (main.to - main.from) * unit;
    if (field.parts === undefined)
      drawn.push(...labelled(field.name, typeText(placed), x, y, width, notes, field.about));
    else drawn.push(...drawParts(field, x, y, width, notes));
  }
  elements.push(svgGroup(tooltip(field), drawn));
}

function typeText({ field, cutRow }: Placed): readonly string[] {
  const { kind, type, about, length } = field;
  const lead = kind === 'pointer' ? /leads to ([^;]*)/.exec(about)?.[1] : undefined;
  const isTold = cutRow === undefined || length === undefined || type.endsWith(']');
  const size = isTold ? '' : `, ${length} bytes in all`;
  return [...(lead === undefined ? [] : [`${type} → ${lead}`]), `${type}${size}`];
}

/** Bit fields, lowest first, each as wide as its bits. */
function drawParts(field: MapField, x: number, y: number, width: number, notes: string[]): string[] {
  const parts = field.parts ?? [];
  const bits = parts.reduce((sum, part) => sum + part.width, 0);
  const drawn: string[] = [];
  if (parts.some((part) => (width * part.width) / bits < LEAST)) {
    const list = parts.map((part) => `${part.name} ${part.width} bit${part.width === 1 ? '' : 's'}`);
    return labelled(field.name, [list.join(', ')], x, y, width, notes, field.about);
  }
  let at = 0;
  for (const part of parts) {
    const from = x + (width * at) / bits;
    if (at > 0) drawn.push(svgPath(`M${round(from)} ${round(y + 1)}v${ROW_HEIGHT - 2}`, 'cut'));
    const name = field.name === '' ? part.name : `${field.name}.${part.name}`;
    const inside = labelled(
      name,
      [`${part.width} bit${part.width === 1 ? '' : 's'}`],
      from,
      y,
      (width * part.width) / bits,
      notes,
      part.about,
    );
    drawn.push(
      svgGroup(
        `${name}: bits ${at} to ${at + part.width - 1} of ${field.type}${part.about === '' ? '' : `; ${part.about}`}`,
        inside,
      ),
    );
    at += part.width;
  }
  return drawn;
}

/** A name and, below it, the longest of `types` that fits; a number in place of a name that does not, told in a note. */
function labelled(
  name: string,
  types: readonly string[],
  x: number,
  y: number,
  width: number,
  notes: string[],
  about: string,
): string[] {
  const room = width - 2 * PADDING;
  const short = name.replace(/^.*\.(?=[^.]+$)/, '');
  const shown = [name, short].find((each) => textWidth(each, 12) <= room);
  const type = types.find((each) => textWidth(each, 10) <= room);
  if (shown !== undefined) {
    const title = svgText(x + PADDING, y + (type === undefined ? 22 : 16), shown, 'name');
    return type === undefined ? [title] : [title, svgText(x + PADDING, y + 29, type, 'small')];
  }
  notes.push(`${notes.length + 1} ${name}: ${types.at(-1) ?? ''}${about === '' ? '' : `; ${about}`}`);
  return [svgText(x + width / 2, y + 22, `${notes.length}`, 'mark', 'middle')];
}

function tooltip({ name, type, offset, length, about }: MapField): string {
  const place = offset === undefined ? '' : ` at ${formatHex(offset)}`;
  const size = length === undefined ? '' : `, ${length} byte${length === 1 ? '' : 's'}`;
  return `${name}: ${type}${place}${size}${about === '' ? '' : `; ${about}`}`;
}

/** The outline of segments that lie one below the other; of two that do not touch, both. */
function outline(segments: readonly Segment[], { left, top, unit }: Grid): string {
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return '';
  const box = ({ row, from, to }: Segment): string =>
    `M${round(left + from * unit)} ${round(top + row * ROW_HEIGHT)}H${round(left + to * unit)}v${ROW_HEIGHT}H${round(left + from * unit)}z`;
  if (segments.length === 1) return box(first);
  if (segments.length === 2 && first.from >= last.to) return segments.map(box).join('');
  const [x0, x1, x2] = [left + first.from * unit, left + first.to * unit, left + last.to * unit];
  const [y0, y1, y2, y3] = [first.row, first.row + 1, last.row, last.row + 1].map((row) =>
    round(top + row * ROW_HEIGHT),
  );
  return `M${round(x0)} ${y0}H${round(x1)}V${y2}H${round(x2)}V${y3}H${left}V${y1}H${round(x0)}z`;
}

const KINDS: readonly (readonly [MapKind, string])[] = [
  ['number', 'number'],
  ['pointer', 'physical address'],
  ['text', 'text'],
  ['bytes', 'bytes, elements'],
  ['unused', 'padding, unused'],
];

function drawLegend(top: number, elements: string[]): number {
  let x = MARGIN;
  for (const [kind, text] of KINDS) {
    elements.push(svgRect(x, top, 12, 12, `box ${kind}`), svgText(x + 17, top + 10, text, 'soft'));
    x += 17 + textWidth(text, 11) + 18;
  }
  return top + 12;
}
