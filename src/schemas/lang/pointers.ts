// SPDX-License-Identifier: Apache-2.0
import { isRecord } from './input.js';
import { requiredType } from './read-node.js';
import { partsOf } from './related.js';
import { sizeOf } from './size.js';
import type { GatherType, Layout, MemoryType, NodeType, PointerType } from './type.js';
import { walk } from './walk.js';

/** A pointer, or a descriptor of scattered pages, in a decoded value. */
export interface FoundPointer {
  readonly type: PointerType | GatherType;
  readonly value: unknown;
  readonly path: string;
  /** Offset in bytes from the start of the struct or array; 0 for one in a property of a node. */
  readonly offset: number;
  /** The values of the struct or node around it. */
  readonly scope: Readonly<Record<string, unknown>>;
}

/** All pointers in a decoded value, in the order of the layout. */
export function pointersIn(layout: Layout, value: unknown, path: string): FoundPointer[] {
  const found: FoundPointer[] = [];
  if (layout.kind === 'node') visitNode(layout, value, path, found);
  else visitType(layout, value, path, {}, found);
  return found;
}

function visitType(
  type: MemoryType,
  value: unknown,
  path: string,
  scope: Readonly<Record<string, unknown>>,
  found: FoundPointer[],
  inNode = false,
): void {
  if (!hasPointers(type)) return;
  // The pointers in a descriptor are its own business.
  let descriptor: string | undefined;
  walk(
    type,
    value,
    { offset: 0, path },
    0,
    (item) => {
      if (item.type.kind !== 'pointer' && item.type.kind !== 'gather') return;
      if (descriptor !== undefined && item.place.path.startsWith(descriptor)) return;
      if (item.type.kind === 'gather') descriptor = `${item.place.path}.`;
      const { type: pointer, value: held, scope: around } = item;
      const { path: at, offset } = item.place;
      found.push({ type: pointer, value: held, path: at, offset: inNode ? 0 : offset, scope: around });
    },
    scope,
  );
}

function visitNode(layout: NodeType, value: unknown, path: string, found: FoundPointer[]): void {
  if (!isRecord(value)) return;
  const below = path.endsWith('/') ? path : `${path}/`;
  for (const [name, member] of Object.entries(layout.properties)) {
    visitType(requiredType(member), value[name], below + name, value, found, true);
  }
  for (const [name, member] of Object.entries(layout.children)) {
    visitNode(requiredType(member), value[name], below + name, found);
  }
  const { each } = layout;
  const children = each === undefined ? undefined : value[each.key];
  if (each === undefined || !Array.isArray(children)) return;
  for (const child of children) {
    if (isRecord(child)) visitNode(each.node, child, `${below}${String(child['$name'])}`, found);
  }
}

const known = new WeakMap<MemoryType, boolean>();

/** Whether values of a type hold pointers; arrays of what has none need not be visited. */
function hasPointers(type: MemoryType): boolean {
  let answer = known.get(type);
  if (answer === undefined) {
    answer = partsOf(type).some(hasPointers) || type.kind === 'pointer' || type.kind === 'gather';
    known.set(type, answer);
  }
  return answer;
}

/** How many elements the counted array of a linked struct holds; `undefined` for a struct without one. */
export function elementsIn(layout: Layout, value: unknown): number | undefined {
  if (layout.kind !== 'struct' || !isRecord(value)) return undefined;
  for (const [name, field] of Object.entries(layout.fields)) {
    if (field.kind !== 'array' || typeof field.count !== 'object') continue;
    const elements = value[name];
    if (Array.isArray(elements)) return elements.length;
  }
  return undefined;
}

/** Bytes that the elements of a descriptor's array take. */
export function gatheredSize(type: GatherType, scope: Readonly<Record<string, unknown>>): number {
  return Number(scope[type.count] ?? 0) * (sizeOf(type.contents.of) ?? 0);
}
