// SPDX-License-Identifier: Apache-2.0
// Disjoint intervals of 64-bit addresses in an AVL tree that also knows its holes, so that both mapping at a given place
// and finding the lowest hole take logarithmic time, whatever order a hostile log maps in.

/** An interval, both ends included. */
export interface Interval {
  readonly start: bigint;
  readonly last: bigint;
}

/** What a hole has to hold. */
export interface HoleRequest {
  /** Bytes, at least 1. */
  readonly length: bigint;
  /** A power of two; where the interval may begin, but for `offset`. */
  readonly alignment: bigint;
  /** Added to the aligned start; below 4096. */
  readonly offset: bigint;
}

interface TreeNode<T extends Interval> {
  item: T;
  left: TreeNode<T> | undefined;
  right: TreeNode<T> | undefined;
  height: number;
  /** First and last address of all intervals below. */
  low: bigint;
  high: bigint;
  /** For each alignment in use: the most room in a hole between intervals below, in bytes. */
  rooms: number[];
}

/** Room above which a hole counts as endless: numbers are exact up to here. */
const ENDLESS = Number.MAX_SAFE_INTEGER;
const ENDLESS_ADDRESS = BigInt(ENDLESS);

/** Bytes from the first aligned address of the hole on, at most {@link ENDLESS}. */
function roomOf(start: bigint, last: bigint, alignment: bigint): number {
  const aligned = (start + alignment - 1n) & -alignment;
  if (aligned > last) return 0;
  const room = last - aligned + 1n;
  return room > ENDLESS_ADDRESS ? ENDLESS : Number(room);
}

/** Disjoint intervals, ordered by address. */
export class AreaTree<T extends Interval> {
  #root: TreeNode<T> | undefined;
  #size = 0;
  /** The alignments that holes have been looked for with: a handful, powers of two up to 2 MiB. */
  readonly #alignments: bigint[] = [];

  /** How many intervals there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds an interval; the caller knows that it touches none. */
  insert(item: T): void {
    this.#root = this.#inserted(this.#root, item);
    this.#size++;
  }

  /** Takes away an interval that is there. */
  remove(item: T): void {
    this.#root = this.#removed(this.#root, item.start);
    this.#size--;
  }

  /** The lowest interval that has an address of `start` … `last`. */
  firstIn(start: bigint, last: bigint): T | undefined {
    let found: T | undefined;
    for (let node = this.#root; node !== undefined; ) {
      if (node.item.last < start) node = node.right;
      else {
        if (node.item.start <= last) found = node.item;
        node = node.left;
      }
    }
    return found;
  }

  /** The intervals by address, from the first that ends at `from` or later. */
  *from(from = 0n): Generator<T, void, undefined> {
    const stack: TreeNode<T>[] = [];
    let node = this.#root;
    while (node !== undefined || stack.length > 0) {
      if (node === undefined) {
        const next = stack.pop();
        if (next === undefined) return;
        yield next.item;
        node = next.right;
      } else if (node.item.last < from) node = node.right;
      else {
        stack.push(node);
        node = node.left;
      }
    }
  }

  /**
   * The lowest address in `start` … `last` where `request` fits between intervals, as iommufd chooses it: the first
   * aligned address of a hole, with the offset put in; not the last address of a hole.
   */
  findHole(start: bigint, last: bigint, request: HoleRequest): bigint | undefined {
    const index = this.#alignmentIndex(request.alignment);
    const wanted = request.length > ENDLESS_ADDRESS ? ENDLESS : Number(request.length);
    return this.#hole(this.#root, start, last, request, index, wanted);
  }

  #hole(
    node: TreeNode<T> | undefined,
    start: bigint,
    last: bigint,
    request: HoleRequest,
    index: number,
    wanted: number,
  ): bigint | undefined {
    if (start > last) return undefined;
    const { length, alignment, offset } = request;
    if (node === undefined) {
      const found = ((start + alignment - 1n) & -alignment) | offset;
      return found < last && last - found >= length - 1n ? found : undefined;
    }
    const fits =
      (node.rooms[index] ?? 0) >= wanted ||
      roomOf(start, node.low - 1n, alignment) >= wanted ||
      roomOf(node.high + 1n, last, alignment) >= wanted;
    if (!fits) return undefined;
    const { item } = node;
    const before = item.start - 1n < last ? item.start - 1n : last;
    const after = item.last + 1n > start ? item.last + 1n : start;
    return (
      this.#hole(node.left, start, before, request, index, wanted) ??
      this.#hole(node.right, after, last, request, index, wanted)
    );
  }

  /** Where rooms for an alignment stand; the first time they are worked out for the whole tree. */
  #alignmentIndex(alignment: bigint): number {
    const known = this.#alignments.indexOf(alignment);
    if (known >= 0) return known;
    this.#alignments.push(alignment);
    this.#measureAll(this.#root);
    return this.#alignments.length - 1;
  }

  #measureAll(node: TreeNode<T> | undefined): void {
    if (node === undefined) return;
    this.#measureAll(node.left);
    this.#measureAll(node.right);
    this.#measure(node);
  }

  #inserted(node: TreeNode<T> | undefined, item: T): TreeNode<T> {
    if (node === undefined) {
      const leaf: TreeNode<T> = {
        item,
        left: undefined,
        right: undefined,
        height: 1,
        low: item.start,
        high: item.last,
        rooms: [],
      };
      this.#measure(leaf);
      return leaf;
    }
    if (item.start < node.item.start) node.left = this.#inserted(node.left, item);
    else node.right = this.#inserted(node.right, item);
    return this.#balanced(node);
  }

  #removed(node: TreeNode<T> | undefined, start: bigint): TreeNode<T> | undefined {
    if (node === undefined) return undefined;
    if (start < node.item.start) node.left = this.#removed(node.left, start);
    else if (start > node.item.start) node.right = this.#removed(node.right, start);
    else {
      if (node.left === undefined) return node.right;
      if (node.right === undefined) return node.left;
      let next = node.right;
      while (next.left !== undefined) next = next.left;
      node.item = next.item;
      node.right = this.#removed(node.right, next.item.start);
    }
    return this.#balanced(node);
  }

  #balanced(node: TreeNode<T>): TreeNode<T> {
    const lean = heightOf(node.left) - heightOf(node.right);
    if (lean > 1 && node.left !== undefined) {
      if (heightOf(node.left.left) < heightOf(node.left.right)) node.left = this.#rotatedLeft(node.left);
      return this.#rotatedRight(node);
    }
    if (lean < -1 && node.right !== undefined) {
      if (heightOf(node.right.right) < heightOf(node.right.left)) node.right = this.#rotatedRight(node.right);
      return this.#rotatedLeft(node);
    }
    this.#measure(node);
    return node;
  }

  #rotatedLeft(node: TreeNode<T>): TreeNode<T> {
    const top = node.right;
    if (top === undefined) return node;
    node.right = top.left;
    top.left = node;
    this.#measure(node);
    this.#measure(top);
    return top;
  }

  #rotatedRight(node: TreeNode<T>): TreeNode<T> {
    const top = node.left;
    if (top === undefined) return node;
    node.left = top.right;
    top.right = node;
    this.#measure(node);
    this.#measure(top);
    return top;
  }

  /** Works out what a node knows of all below it. */
  #measure(node: TreeNode<T>): void {
    const { left, right, item } = node;
    node.height = 1 + Math.max(heightOf(left), heightOf(right));
    node.low = left === undefined ? item.start : left.low;
    node.high = right === undefined ? item.last : right.high;
    for (let index = 0; index < this.#alignments.length; index++) {
      const alignment = this.#alignments[index] ?? 1n;
      let room = 0;
      if (left !== undefined)
        room = Math.max(left.rooms[index] ?? 0, roomOf(left.high + 1n, item.start - 1n, alignment));
      if (right !== undefined)
        room = Math.max(room, right.rooms[index] ?? 0, roomOf(item.last + 1n, right.low - 1n, alignment));
      node.rooms[index] = room;
    }
  }
}

function heightOf(node: TreeNode<never> | { readonly height: number } | undefined): number {
  return node?.height ?? 0;
}
