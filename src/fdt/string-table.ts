// SPDX-License-Identifier: Apache-2.0

/**
 * Which of several matches {@link StringTable.find} answers with, and at which end the table grows.
 *
 * - `first`: new strings are appended, the table grows upwards. The string added first wins, which is the lowest
 *   offset. So do dtc and libfdt's read-write functions (`fdt_rw.c`).
 * - `latest`: new strings are put in front, the table grows downwards. The string added last wins, which again is the
 *   lowest address. So do libfdt's sequential-write functions (`fdt_sw.c`).
 */
export type StringTablePolicy = 'first' | 'latest';

/** A node of the trie. Its path spells, from the last character backwards, an end that all strings below it share. */
interface TrieNode {
  /** A string that ends in this node's path; the characters on the way here are read from it. */
  owner: string;
  /** Length of the path in characters. */
  depth: number;
  /** Where the string that answers for this path ends: the position after its NUL. */
  end: number;
  /** First character of the edge that leads here. */
  code: number;
  child: TrieNode | undefined;
  sibling: TrieNode | undefined;
}

/** An answer given before, and the one that was asked for after it last time. */
interface Answer {
  readonly name: string;
  readonly position: number;
  next: Answer | undefined;
}

/**
 * The names in a strings block, as an index: it answers where a name can be read from the block, be it a string of its
 * own or the end of a longer one (`start` inside `iova-start`), exactly as a search of the whole block from its lowest
 * address would, but in time linear in the name. It holds no bytes: the caller writes each added name, followed by a
 * NUL, to its position.
 *
 * Positions count bytes: with policy `first` from the start of the block (0 and up), with `latest` from its end (-1
 * and down), so that they stay right while the table grows. Names hold one character a byte and no NUL; whether they do
 * is for the caller to check when it writes them.
 * What writers do: `table.find(name) ?? table.add(name)`; when it was added, write it and its NUL at that place.
 */
export class StringTable {
  readonly #latestWins: boolean;
  #size = 0;
  readonly #root: TrieNode = {
    owner: '',
    depth: 0,
    end: 0,
    code: 0,
    child: undefined,
    sibling: undefined,
  };
  /** Answers given before. With `latest` any added string may outdate some, so adding forgets them all. */
  readonly #known: Map<string, Answer> = new Map();
  /** The answer given last. Nodes of a kind ask for the same names in the same order, so its `next` is tried first. */
  #last: Answer = { name: '', position: 0, next: undefined };

  constructor(policy: StringTablePolicy) {
    this.#latestWins = policy === 'latest';
  }

  /** The size of the table in bytes, terminating NULs included. */
  get size(): number {
    return this.#size;
  }

  /** The position at which `name` and its terminating NUL can be read, or `undefined` when it is nowhere. */
  find(name: string): number | undefined {
    const guess = this.#last.next;
    if (guess !== undefined && guess.name === name) {
      this.#last = guess;
      return guess.position;
    }
    let answer = this.#known.get(name);
    if (answer === undefined) {
      const position = this.#search(name);
      if (position === undefined) return undefined;
      answer = { name, position, next: undefined };
      this.#known.set(name, answer);
    }
    this.#last.next = answer;
    this.#last = answer;
    return answer.position;
  }

  #search(name: string): number | undefined {
    if (this.#size === 0) return undefined;
    const length = name.length;
    let node = this.#root;
    let depth = 0;
    while (depth < length) {
      const next = childOf(node, name.charCodeAt(length - 1 - depth));
      if (next === undefined) return undefined;
      const stop = Math.min(next.depth, length);
      depth = matchEnd(next.owner, name, depth + 1, stop);
      if (depth < stop) return undefined;
      node = next;
    }
    return node.end - length - 1;
  }

  /**
   * Adds `name` as a string of its own, whether or not it can be found already: after the last one with policy `first`,
   * before all others with `latest`.
   *
   * @returns its position
   */
  add(name: string): number {
    const length = name.length;
    const end = this.#latestWins ? -this.#size : this.#size + length + 1;
    if (this.#latestWins && this.#known.size > 0) {
      this.#known.clear();
      this.#last = { name: '', position: 0, next: undefined };
    }
    if (this.#latestWins || this.#size === 0) this.#root.end = end;
    this.#size += length + 1;
    this.#insert(name, end);
    return end - length - 1;
  }

  #insert(name: string, end: number): void {
    const length = name.length;
    let node = this.#root;
    let depth = 0;
    while (depth < length) {
      const next = childOf(node, name.charCodeAt(length - 1 - depth));
      if (next === undefined) {
        addLeaf(node, name, end);
        return;
      }
      depth = matchEnd(next.owner, name, depth + 1, Math.min(next.depth, length));
      if (depth < next.depth) {
        // A string that is the end of an earlier one answers for nothing when the first wins.
        if (depth === length && !this.#latestWins) return;
        splitEdge(next, depth);
      }
      if (this.#latestWins) next.end = end;
      node = next;
    }
  }
}

/** The child whose edge begins with `code`. It moves to the front: names that follow each other mostly end alike. */
function childOf(node: TrieNode, code: number): TrieNode | undefined {
  let child = node.child;
  if (child === undefined || child.code === code) return child;
  let before = child;
  for (child = child.sibling; child !== undefined; child = child.sibling) {
    if (child.code === code) {
      before.sibling = child.sibling;
      child.sibling = node.child;
      node.child = child;
      return child;
    }
    before = child;
  }
  return undefined;
}

/** How many characters, counted from the end, `a` and `b` share; the first `from` are known to be, `to` are compared. */
function matchEnd(a: string, b: string, from: number, to: number): number {
  let depth = from;
  const lastA = a.length - 1;
  const lastB = b.length - 1;
  while (depth < to && a.charCodeAt(lastA - depth) === b.charCodeAt(lastB - depth)) depth++;
  return depth;
}

function addLeaf(parent: TrieNode, name: string, end: number): void {
  const code = name.charCodeAt(name.length - 1 - parent.depth);
  parent.child = { owner: name, depth: name.length, end, code, child: undefined, sibling: parent.child };
}

/** Makes `node` end at `depth` already; what lay below, and its old end, move to a new only child. */
function splitEdge(node: TrieNode, depth: number): void {
  const { owner, end, child } = node;
  const code = owner.charCodeAt(owner.length - 1 - depth);
  node.child = { owner, depth: node.depth, end, code, child, sibling: undefined };
  node.depth = depth;
}
