// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import type { FdtEditor } from '../../fdt/editor.js';
import { FdtNode } from '../../fdt/fdt.js';
import { FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP } from '../../fdt/token.js';
import type { FdtWriter } from '../../fdt/writer.js';
import { encodeMemory } from './encode-memory.js';
import { failAt } from './error.js';
import { type ByteOrder, isRecord } from './input.js';
import { describeNodeName, parseNodeName, requiredType } from './read-node.js';
import { showValue } from './show.js';
import type { EachNode, NodeType } from './type.js';

/** Writes a node, its properties and nodes in declared order, then the patterned ones if `withEach`. */
export function writeNode(
  writer: FdtWriter,
  layout: NodeType,
  name: string,
  value: unknown,
  path: string,
  order: ByteOrder | undefined,
  withEach = true,
): void {
  const members = membersOf(value, path);
  const below = path.endsWith('/') ? path : `${path}/`;
  writer.beginNode(name);
  for (const [property, bytes] of propertiesOf(layout, members, path, order))
    writer.property(property, bytes);
  const unknown = unknownOf(members);
  for (const property of unknown.properties) writer.property(property.name, property.value);
  for (const [child, member] of Object.entries(layout.children)) {
    const found = members[child];
    if (found === undefined && member.kind === 'optional') continue;
    writeNode(writer, requiredType(member), child, found, below + child, order);
  }
  if (withEach && layout.each !== undefined) {
    for (const child of eachOf(layout.each, members, path)) {
      writeNode(writer, layout.each.node, child.name, child.value, below + escapeText(child.name), order);
    }
  }
  for (const node of unknown.nodes) copyNode(writer, node);
  writer.endNode();
}

/**
 * Adds patterned nodes to a root in the order in which a kernel has done so: each one lands in front of those before
 * it, each property in front of those before it, and the page is packed after each node.
 *
 * @returns the packed blob, `undefined` when there was nothing to add
 */
export function editEachNode(
  editor: FdtEditor,
  layout: NodeType,
  value: unknown,
  order: ByteOrder | undefined,
): Uint8Array | undefined {
  if (layout.each === undefined) return undefined;
  const { each } = layout;
  let packed: Uint8Array | undefined;
  for (const child of eachOf(each, membersOf(value, '/'), '/').reverse()) {
    const path = `/${escapeText(child.name)}`;
    const members = membersOf(child.value, path);
    if (packed !== undefined) editor.reopen();
    const node = editor.addSubnode(0, child.name);
    const unknown = unknownOf(members).properties.map(({ name, value: bytes }) => [name, bytes] as const);
    for (const [name, bytes] of [...propertiesOf(each.node, members, path, order), ...unknown].reverse()) {
      editor.setProperty(node, name, bytes);
    }
    packed = editor.pack();
  }
  return packed;
}

function membersOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw failAt(
    { offset: 0, path },
    value === undefined ? 'MISSING' : 'BAD_TYPE',
    'the members of a node',
    showValue(value),
  );
}

function propertiesOf(
  layout: NodeType,
  members: Readonly<Record<string, unknown>>,
  path: string,
  order: ByteOrder | undefined,
): (readonly [string, Uint8Array])[] {
  const below = path.endsWith('/') ? path : `${path}/`;
  return Object.entries(layout.properties)
    .filter(([name, member]) => member.kind !== 'optional' || members[name] !== undefined)
    .map(([name, member]) => {
      const place = { offset: 0, path: below + name };
      return [name, encodeMemory(requiredType(member), members[name], place, order)] as const;
    });
}

function eachOf(
  each: EachNode,
  members: Readonly<Record<string, unknown>>,
  path: string,
): { readonly name: string; readonly value: unknown }[] {
  const found = members[each.key];
  const place = { offset: 0, path: `${path}.${each.key}` };
  if (!Array.isArray(found)) {
    throw failAt(place, found === undefined ? 'MISSING' : 'BAD_TYPE', 'an array of nodes', showValue(found));
  }
  return found.map((value: unknown, index) => {
    const at = { offset: 0, path: `${place.path}[${index}]` };
    const given = isRecord(value) ? value['$name'] : undefined;
    const name = typeof given === 'string' || typeof given === 'number' ? `${given}` : undefined;
    if (name === undefined || parseNodeName(each.name, name) === undefined) {
      throw failAt(at, 'BAD_NAME', `$name, ${describeNodeName(each.name)}`, showValue(given));
    }
    return { name, value };
  });
}

function unknownOf(members: Readonly<Record<string, unknown>>): {
  readonly properties: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly nodes: readonly FdtNode[];
} {
  const unknown = members['$unknown'];
  if (!isRecord(unknown)) return { properties: [], nodes: [] };
  const { properties, nodes } = unknown;
  return {
    properties: Array.isArray(properties) ? properties.flatMap(asProperty) : [],
    nodes: Array.isArray(nodes) ? nodes.filter((node) => node instanceof FdtNode) : [],
  };
}

function asProperty(given: unknown): { readonly name: string; readonly value: Uint8Array }[] {
  if (!isRecord(given)) return [];
  const { name, value } = given;
  return typeof name === 'string' && value instanceof Uint8Array ? [{ name, value }] : [];
}

/** Copies a node of another blob, token by token. */
function copyNode(writer: FdtWriter, node: FdtNode): void {
  const { fdt } = node;
  const end = fdt.nodes.end[node.row] ?? 0;
  const cursor = fdt.cursor(node.offset);
  while (cursor.nextOffset < end) {
    const tag = cursor.next();
    if (tag === FDT_BEGIN_NODE) writer.beginNode(cursor.nodeName());
    else if (tag === FDT_PROP) writer.property(cursor.propertyName() ?? '', cursor.value());
    else if (tag === FDT_END_NODE) writer.endNode();
  }
}
