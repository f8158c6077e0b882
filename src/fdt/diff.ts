// SPDX-License-Identifier: Apache-2.0
import type { Fdt, FdtNode, FdtProperty } from './fdt.js';
import type { FdtReservation } from './reservation.js';

/**
 * One difference between two trees. `node` rows belong to the tree that has the node: the second for what was added or
 * is in both, the first for what was removed. `occurrence` counts from 1 among equal names in the same node.
 */
export type FdtChange =
  | { readonly kind: 'boot-cpuid'; readonly before: number; readonly after: number }
  | {
      readonly kind: 'reservation-added' | 'reservation-removed' | 'reservation-moved';
      readonly reservation: FdtReservation;
    }
  | {
      readonly kind: 'reservation-changed';
      readonly before: FdtReservation;
      readonly after: FdtReservation;
    }
  | {
      readonly kind: 'node-added' | 'node-removed';
      readonly node: FdtNode;
      readonly occurrence: number;
    }
  | {
      readonly kind: 'node-moved';
      readonly node: FdtNode;
      readonly occurrence: number;
      /** Position among the children of its parent, from 0. */
      readonly before: number;
      readonly after: number;
    }
  | {
      readonly kind: 'property-added' | 'property-removed';
      readonly node: FdtNode;
      readonly property: FdtProperty;
      readonly occurrence: number;
    }
  | {
      readonly kind: 'property-changed';
      readonly node: FdtNode;
      readonly before: FdtProperty;
      readonly after: FdtProperty;
      readonly occurrence: number;
    }
  | {
      readonly kind: 'property-moved';
      readonly node: FdtNode;
      readonly property: FdtProperty;
      readonly occurrence: number;
      /** Position among the properties of the node, from 0. */
      readonly before: number;
      readonly after: number;
    };

/**
 * Compares two trees by what they mean: boot CPU, reservations, nodes and properties by name, and the order of both.
 * The n-th child (or property) of a name is compared with the n-th of that name in the other tree. A node that is only
 * in one tree is one change, whatever is below it. Of what changed places, as few as possible are called moved.
 * How a tree is encoded (versions, block order, string table, NOPs, padding) does not count: see
 * {@link encodingDiffers}.
 *
 * Time is linear in both blobs, times log n among siblings whose order differs; no recursion.
 *
 * @returns the changes in the order of the second tree, what was removed from a node before what is in it
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { diffFdt, openFdt } from 'kho-toolkit/fdt';
 *
 * const before = openFdt(readFileSync('fixtures/demo/out/fdt'));
 * const after = openFdt(readFileSync('fixtures/demo/edited/fdt'));
 * for (const change of diffFdt(before, after)) console.log(change.kind);
 * ```
 */
export function* diffFdt(a: Fdt, b: Fdt): Generator<FdtChange, void> {
  const before = a.header.boot_cpuid_phys;
  const after = b.header.boot_cpuid_phys;
  if (before !== after) yield { kind: 'boot-cpuid', before, after };
  yield* diffReservations(a.reservations, b.reservations);

  const rootA = a.root;
  const rootB = b.root;
  if (rootA === undefined || rootB === undefined) {
    if (rootA !== undefined) yield { kind: 'node-removed', node: rootA, occurrence: 1 };
    if (rootB !== undefined) yield { kind: 'node-added', node: rootB, occurrence: 1 };
    return;
  }
  const pending: [FdtNode, FdtNode][] = [[rootA, rootB]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [nodeA, nodeB] = pair;
    yield* diffProperties(nodeA, nodeB);
    const children = matchByKey([...nodeA.children()], [...nodeB.children()], (node) => node.name);
    for (const { item, occurrence } of children.removed)
      yield { kind: 'node-removed', node: item, occurrence };
    for (const { item, occurrence } of children.added) yield { kind: 'node-added', node: item, occurrence };
    for (const { b: node, occurrence, indexA, indexB } of children.moved)
      yield { kind: 'node-moved', node, occurrence, before: indexA, after: indexB };
    for (let at = children.matched.length - 1; at >= 0; at--) {
      const match = children.matched[at];
      if (match !== undefined) pending.push([match.a, match.b]);
    }
  }
}

/** True when two blobs differ in any byte up to their `totalsize`: with no change between them, in encoding only. */
export function encodingDiffers(a: Fdt, b: Fdt): boolean {
  const end = Math.min(a.header.totalsize, a.bytes.length);
  if (end !== Math.min(b.header.totalsize, b.bytes.length)) return true;
  return !isSame(a.bytes.subarray(0, end), b.bytes.subarray(0, end));
}

function* diffReservations(
  before: readonly FdtReservation[],
  after: readonly FdtReservation[],
): Generator<FdtChange, void> {
  const result = matchByKey(before, after, ({ address }) => address);
  for (const { item } of result.removed) yield { kind: 'reservation-removed', reservation: item };
  for (const { item } of result.added) yield { kind: 'reservation-added', reservation: item };
  for (const { b } of result.moved) yield { kind: 'reservation-moved', reservation: b };
  for (const { a, b } of result.matched) {
    if (a.size !== b.size) yield { kind: 'reservation-changed', before: a, after: b };
  }
}

function* diffProperties(nodeA: FdtNode, nodeB: FdtNode): Generator<FdtChange, void> {
  const result = matchByKey([...nodeA.properties()], [...nodeB.properties()], (property) => property.name);
  for (const { item, occurrence } of result.removed)
    yield { kind: 'property-removed', node: nodeB, property: item, occurrence };
  for (const { item, occurrence } of result.added)
    yield { kind: 'property-added', node: nodeB, property: item, occurrence };
  for (const { b, occurrence, indexA, indexB } of result.moved)
    yield {
      kind: 'property-moved',
      node: nodeB,
      property: b,
      occurrence,
      before: indexA,
      after: indexB,
    };
  for (const { a, b, occurrence } of result.matched) {
    if (!isSame(a.value, b.value))
      yield { kind: 'property-changed', node: nodeB, before: a, after: b, occurrence };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

interface Lone<T> {
  readonly item: T;
  readonly occurrence: number;
}
interface Match<T> {
  readonly a: T;
  readonly b: T;
  readonly occurrence: number;
  readonly indexA: number;
  readonly indexB: number;
}
interface Matching<T> {
  readonly removed: Lone<T>[];
  readonly added: Lone<T>[];
  /** In the order of `b`. */
  readonly matched: Match<T>[];
  readonly moved: Match<T>[];
}

/** Pairs the n-th item of each key in `a` with the n-th of that key in `b`. */
function matchByKey<T, K>(a: readonly T[], b: readonly T[], keyOf: (item: T) => K): Matching<T> {
  const places = new Map<K, number[]>();
  a.forEach((item, index) => {
    const key = keyOf(item);
    const known = places.get(key);
    if (known === undefined) places.set(key, [index]);
    else known.push(index);
  });
  const seen = new Map<K, number>();
  const isTaken = new Uint8Array(a.length);
  const matched: Match<T>[] = [];
  const added: Lone<T>[] = [];
  b.forEach((item, indexB) => {
    const key = keyOf(item);
    const earlier = seen.get(key) ?? 0;
    seen.set(key, earlier + 1);
    const occurrence = earlier + 1;
    const indexA = places.get(key)?.[earlier];
    const partner = indexA === undefined ? undefined : a[indexA];
    if (indexA === undefined || partner === undefined) {
      added.push({ item, occurrence });
    } else {
      isTaken[indexA] = 1;
      matched.push({ a: partner, b: item, occurrence, indexA, indexB });
    }
  });
  const removed: Lone<T>[] = [];
  for (const indexes of places.values()) {
    indexes.forEach((index, earlier) => {
      const item = a[index];
      if (item !== undefined && isTaken[index] === 0) removed.push({ item, occurrence: earlier + 1 });
    });
  }
  return { removed, added, matched, moved: outOfOrder(matched) };
}

/**
 * The matches outside a longest run whose order is the same on both sides: the least that must have moved.
 * Patience method, n log n; linear when nothing moved.
 */
function outOfOrder<T>(matched: readonly Match<T>[]): Match<T>[] {
  if (matched.every((match, index) => index === 0 || (matched[index - 1]?.indexA ?? 0) < match.indexA))
    return [];
  const tails: number[] = [];
  const previous = new Int32Array(matched.length).fill(-1);
  const indexAt = (row: number): number => matched[row]?.indexA ?? 0;
  matched.forEach((match, row) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (indexAt(tails[middle] ?? 0) < match.indexA) low = middle + 1;
      else high = middle;
    }
    previous[row] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = row;
  });
  const isInOrder = new Uint8Array(matched.length);
  for (let row = tails.at(-1) ?? -1; row >= 0; row = previous[row] ?? -1) isInOrder[row] = 1;
  return matched.filter((_, row) => isInOrder[row] === 0);
}
