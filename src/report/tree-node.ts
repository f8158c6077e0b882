// SPDX-License-Identifier: Apache-2.0
import type { ShownObject } from './shown-object.js';
import type { TextRun } from './text-run.js';

/** A row of the tree of consumers; the same place reached in two ways is two rows. */
export interface TreeNode {
  /** Safe to show. */
  readonly label: string;
  readonly role: 'object' | 'node' | 'property' | 'group';
  /** Its value, or what it is. */
  readonly value: () => TextRun[];
  /** Where it lies; `undefined` for what has no bytes of its own. */
  readonly place: TreePlace | undefined;
  /** Physical address that its value is, for pointers that lead somewhere. */
  readonly pointer?: bigint | undefined;
  /** Whether there is something below it. */
  readonly isBranch: boolean;
  /** What is below it, found out when it is first asked for. */
  readonly children: () => readonly TreeNode[];
}

/** A stretch of bytes of an object. */
export interface TreePlace {
  readonly object: ShownObject;
  readonly offset: number;
  readonly length: number;
}

/** Rows of one parent at most: more are put into groups, so that opening one stays quick. */
export const GROUP = 1000;

/** Runs `make` once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * `total` rows, as they are or, where they are many, in groups of a thousand.
 *
 * @param make - the rows from `from` up to and without `to`
 * @param placeOf - where rows `from` to `to` - 1 lie
 */
export function inGroups(
  total: number,
  make: (from: number, to: number) => readonly TreeNode[],
  placeOf: (from: number, to: number) => TreePlace | undefined,
): readonly TreeNode[] {
  if (total <= GROUP) return make(0, total);
  return Array.from({ length: Math.ceil(total / GROUP) }, (_, index): TreeNode => {
    const from = index * GROUP;
    const to = Math.min(total, from + GROUP);
    return {
      label: `[${from} … ${to - 1}]`,
      role: 'group',
      value: () => [],
      place: placeOf(from, to),
      isBranch: true,
      children: once(() => make(from, to)),
    };
  });
}

/** What pointers lead to. */
export interface Targets {
  /** The object that a pointer of this value, standing at physical address `from`, leads to. Quick. */
  readonly of: (pointer: bigint, from: bigint | undefined) => ShownObject | undefined;
  /** The rows of what is in an object. */
  readonly rows: (object: ShownObject) => readonly TreeNode[];
}
