// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import { type Fdt, FdtNode, type FdtProperty } from '../fdt/fdt.js';
import { HEADER_FIELDS } from '../fdt/header.js';
import type { Identified } from '../schemas/identify.js';
import type { MemoryType, NodeType } from '../schemas/lang/type.js';
import { propertyType, TreeLayouts } from '../schemas/tree-layouts.js';
import { jsonIssue, jsonString, jsonU64, writeJsonArray, writeJsonBytes } from './json-text.js';
import type { TextSink } from './text-sink.js';
import { writeValueMembers } from './value-json.js';
import { isU64, littleU64, valueKind } from './value-kind.js';

/** Objects deeper than this are not indented further, so that a line's length stays bounded. */
const MAX_INDENT = 32;
const STRING_PIECE = 4096;

/**
 * Writes the members of a JSON object that says all that a blob holds: `header`, `reservations`, `root` (null without
 * one), `furtherRoots` when a damaged blob has some, and `issues`, and what {@link writeValueMembers}
 * writes. Names have one character a byte; values are hex digits, with `u64` or `strings` beside them where they are
 * that; order is the blob's.
 *
 * @param identified - the layout of the tree, if one is known
 * @param indent - spaces before each member
 */
export function writeFdtMembers(
  out: TextSink,
  fdt: Fdt,
  identified: Identified | undefined,
  indent: string,
): void {
  const found = identified?.version.layout;
  const layout = found?.kind === 'node' ? found : undefined;
  const { nodes, header } = fdt;
  const fields = HEADER_FIELDS.filter(({ since }) => since <= Math.max(1, header.version)).map(
    ({ name }) => `"${name}": ${header[name]}`,
  );
  out(`${indent}"header": {${fields.join(', ')}},\n${indent}"reservations": `);
  writeJsonArray(out, fdt.reservations, indent, ({ address, size }) =>
    out(`{"address": ${jsonU64(address)}, "size": ${jsonU64(size)}}`),
  );
  out(`,\n${indent}"root": `);
  if (nodes.count === 0) out('null');
  else writeNode(out, fdt, layout, 0, indent);
  const afterRoot = nodes.count === 0 ? 0 : (nodes.next[0] ?? 0);
  if (afterRoot < nodes.count) {
    out(`,\n${indent}"furtherRoots": `);
    writeJsonArray(out, rootsFrom(fdt, afterRoot), indent, (row) =>
      writeNode(out, fdt, undefined, row, `${indent}  `),
    );
  }
  out(`,\n${indent}"issues": `);
  writeJsonArray(out, fdt.issues, indent, (issue) => out(jsonIssue(issue)));
  out(',\n');
  writeValueMembers(out, identified, fdt.bytes, indent);
  out('\n');
}

function* rootsFrom(fdt: Fdt, row: number): Generator<number, void> {
  for (let at = row; at < fdt.nodes.count; at = fdt.nodes.next[at] ?? fdt.nodes.count) yield at;
}

/** Writes a node and all below it without recursion. */
function writeNode(
  out: TextSink,
  fdt: Fdt,
  layout: NodeType | undefined,
  first: number,
  indent: string,
): void {
  const { nodes } = fdt;
  const end = nodes.next[first] ?? nodes.count;
  const layouts = new TreeLayouts(fdt, layout);
  const open: number[] = [];
  const indentOf = (level: number): string => indent + '    '.repeat(Math.min(level, MAX_INDENT));
  const closeUntil = (row: number): void => {
    while (open.length > 0 && (nodes.next[open.at(-1) ?? 0] ?? end) <= row) {
      const closed = open.pop() ?? 0;
      const hasChildren = (nodes.next[closed] ?? 0) > closed + 1;
      const lead = indentOf(open.length);
      out(hasChildren ? `\n${lead}  ]\n${lead}}` : `]\n${lead}}`);
    }
  };

  for (let row = first; row < end; row++) {
    closeUntil(row);
    const level = open.length;
    const lead = indentOf(level);
    const node = new FdtNode(fdt, row);
    // A node's first child opens the parent's list, later ones go on with it.
    const isFirstChild = row - 1 === open.at(-1);
    if (level > 0) out(isFirstChild ? `\n${lead}` : `,\n${lead}`);
    out(`{\n${lead}  "name": ${jsonString(node.name)},\n${lead}  "offset": ${node.offset},\n`);
    out(`${lead}  "properties": `);
    const { layout: declared } = layouts.of(row);
    writeJsonArray(out, node.properties(), `${lead}  `, (property) =>
      writeProperty(out, property, propertyType(declared, property.name)),
    );
    out(`,\n${lead}  "children": [`);
    open.push(row);
  }
  closeUntil(end);
}

function writeProperty(out: TextSink, property: FdtProperty, type: MemoryType | undefined): void {
  const { name, offset, value } = property;
  out(`{"name": ${jsonString(name)}, "offset": ${offset}, "length": ${value.length}, "value": `);
  writeJsonBytes(out, value);
  if (isU64(type) && value.length === 8) {
    out(`, "u64": ${jsonU64(littleU64(value))}`);
  } else if (valueKind(value) === 'strings') {
    out(', "strings": ');
    writeStrings(out, value);
  }
  out('}');
}

/** `value` is a list of strings of printable ASCII, each ended by a NUL. */
function writeStrings(out: TextSink, value: Uint8Array): void {
  for (let start = 0; start < value.length; ) {
    const end = value.indexOf(0, start);
    out(start === 0 ? '["' : ', "');
    for (let at = start; at < end; at += STRING_PIECE) {
      out(decodeLatin1(value, at, Math.min(end, at + STRING_PIECE)).replace(/["\\]/g, '\\$&'));
    }
    out('"');
    start = end + 1;
  }
  out(']');
}
