// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import type { FdtNode, FdtProperty } from '../../fdt/fdt.js';
import { decodeMemory } from './decode-memory.js';
import { issueAt, type Place, SchemaError, type SchemaIssue } from './error.js';
import { type ByteOrder, inputOf } from './input.js';
import type { MemoryType, NodeName, NodeType, OptionalType } from './type.js';

/** Members of a node that its layout does not declare, kept under `$unknown` so that encoding loses nothing. */
export interface UnknownMembers {
  readonly properties: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly nodes: readonly FdtNode[];
}

/** What is told about a node while it is read. */
export interface NodeVisitor {
  /** A property was decoded; `place` is that of the first byte of its value. */
  property?(name: string, type: MemoryType, value: unknown, place: Place, length: number): void;
  /** All of a node was read. */
  node?(layout: NodeType, value: Readonly<Record<string, unknown>>, place: Place): void;
  /** Something was wrong; without this the first such thing is thrown. */
  issue?(issue: SchemaIssue): void;
  /** A member has no place in the layout. */
  unknown?(issue: SchemaIssue): void;
}

/** Where a node is read. */
export interface NodeContext {
  readonly byteOrder?: ByteOrder | undefined;
  readonly base?: bigint | undefined;
  /** Path of the node; left out or with nothing after its last `/` for a root. */
  readonly path?: string | undefined;
}

/** A type without its `optional`. */
export function requiredType<T extends MemoryType | NodeType>(member: T | OptionalType<T>): T {
  return member.kind === 'optional' ? member.of : member;
}

/** The value that a node's name stands for; `undefined` where it is none of those names. */
export function parseNodeName(rule: NodeName, found: string): string | number | undefined {
  if (rule.kind === 'name')
    return found.length <= (rule.maxLength ?? Number.POSITIVE_INFINITY) ? found : undefined;
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(found)) return undefined;
  const number = Number(found);
  return number >= (rule.min ?? 0) && number <= (rule.max ?? Number.MAX_SAFE_INTEGER) ? number : undefined;
}

/** What the names of patterned nodes have to be, in words. */
export function describeNodeName({ kind, min, max, maxLength }: NodeName): string {
  if (kind === 'decimal') return `a decimal number from ${min} to ${max}`;
  return maxLength === undefined ? 'a name' : `a name of at most ${maxLength} characters`;
}

/**
 * Reads a node by its layout. Depth follows the layout, not the blob.
 *
 * @throws SchemaError MISSING, BAD_LENGTH, BAD_COUNT, BAD_VALUE for the first thing wrong, unless `visitor.issue` takes it
 */
export function readNode(
  layout: NodeType,
  node: FdtNode,
  context: NodeContext,
  visitor: NodeVisitor = {},
  fixed: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const { base, path = '/' } = context;
  const place = { offset: node.offset, path, base };
  const below = path.endsWith('/') ? path : `${path}/`;
  const value: Record<string, unknown> = { ...fixed };
  const unknownProperties: FdtProperty[] = [];
  const unknownNodes: FdtNode[] = [];
  const inside = (name: string): NodeContext => ({ ...context, path: below + escapeText(name) });
  const report = (issue: SchemaIssue): void => {
    if (visitor.issue === undefined) throw new SchemaError(issue);
    visitor.issue(issue);
  };

  const properties = new Map<string, FdtProperty>();
  // Whoever asks libfdt for a property is not given one that stands behind a child node: it is missing.
  const { next, offset: offsets } = node.fdt.nodes;
  const hasChildren = node.row + 1 < (next[node.row] ?? 0);
  const firstChild = hasChildren ? (offsets[node.row + 1] ?? 0) : Number.POSITIVE_INFINITY;
  for (const property of node.properties()) {
    if (Object.hasOwn(layout.properties, property.name) && !properties.has(property.name)) {
      properties.set(property.name, property);
      if (property.offset < firstChild) continue;
      const found = 'it behind one, where libfdt does not look';
      report(issueAt(place, 'MISSING', `property ${property.name} before all child nodes`, found));
    } else {
      unknownProperties.push(property);
    }
  }
  for (const [name, member] of Object.entries(layout.properties)) {
    const property = properties.get(name);
    if (property === undefined) {
      if (member.kind !== 'optional') report(issueAt(place, 'MISSING', `property ${name}`, 'none'));
      continue;
    }
    readProperty(property, requiredType(member));
  }

  function readProperty(property: FdtProperty, type: MemoryType): void {
    const { name } = property;
    const at = { offset: property.valueOffset, path: below + name, base };
    try {
      const found = decodeMemory(type, inputOf(property.value, context.byteOrder), at);
      value[name] = found;
      visitor.property?.(name, type, found, at, property.value.length);
      if (type.kind !== 'text' || type.includes === undefined || typeof found !== 'string') return;
      if (found.split('\0').includes(type.includes)) return;
      report(issueAt(at, 'BAD_VALUE', `"${type.includes}"`, `"${escapeText(found)}"`));
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      report(error.issue);
    }
  }

  const children = new Map<string, FdtNode>();
  const patterned: unknown[] = [];
  for (const child of node.children()) {
    const { name } = child;
    if (Object.hasOwn(layout.children, name) && !children.has(name)) {
      children.set(name, child);
      continue;
    }
    const parsed = layout.each && parseNodeName(layout.each.name, name);
    if (layout.each === undefined || parsed === undefined) unknownNodes.push(child);
    else patterned.push(readNode(layout.each.node, child, inside(name), visitor, { $name: parsed }));
  }
  for (const [name, member] of Object.entries(layout.children)) {
    const child = children.get(name);
    if (child !== undefined) value[name] = readNode(requiredType(member), child, inside(name), visitor);
    else if (member.kind !== 'optional') report(issueAt(place, 'MISSING', `node ${name}`, 'none'));
  }
  if (layout.each !== undefined) value[layout.each.key] = patterned;
  if (unknownProperties.length > 0 || unknownNodes.length > 0) {
    const unknown: UnknownMembers = {
      properties: unknownProperties.map((property) => ({ name: property.name, value: property.value })),
      nodes: unknownNodes,
    };
    value['$unknown'] = unknown;
    for (const { valueOffset, name } of unknownProperties) {
      const at = { offset: valueOffset, path: below + escapeText(name), base };
      visitor.unknown?.(issueAt(at, 'UNKNOWN', 'a declared property', `"${escapeText(name)}"`));
    }
    for (const { offset, name } of unknownNodes) {
      const at = { offset, path: below + escapeText(name), base };
      const expected = layout.each === undefined ? 'a declared node' : describeNodeName(layout.each.name);
      const code = layout.each === undefined ? 'UNKNOWN' : 'BAD_NAME';
      visitor.unknown?.(issueAt(at, code, expected, `"${escapeText(name)}"`));
    }
  }
  visitor.node?.(layout, value, place);
  return value;
}
