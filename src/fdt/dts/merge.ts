// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { dtsErrorAt } from './error.js';
import type { SourceNode } from './source.js';

/**
 * The tree that the definitions of a source add up to (`livetree.c` of dtc 1.6.1): later ones are merged into earlier
 * ones, things deleted keep their place for a successor, labels are known as soon as their definition is complete.
 */
export class SourceTree {
  readonly root: SourceNode;
  readonly #source: Uint8Array;
  /** Nodes by label; may hold nodes that have lost it. */
  readonly #labels: Map<string, Set<SourceNode>> = new Map();
  /** How many more nodes to look at for labels that several nodes have: a hostile source must not take forever. */
  #patience = 10_000_000;

  /** @param source - for errors */
  constructor(source: Uint8Array, root: SourceNode) {
    this.#source = source;
    this.root = root;
    this.#adopt(root);
  }

  /**
   * The live node that `reference`, a label or a path that begins with "/", leads to.
   *
   * @param at - where it stands in the source, for errors
   * @throws DtsError REFERENCE when there is none; DUPLICATE_LABEL when several nodes have the label, which is tolerated
   * while it takes little searching: all but one may be deleted in the end
   */
  resolve(reference: string, at: number): SourceNode {
    const node = reference.startsWith('/') ? this.#byPath(reference) : this.#byLabel(reference, at);
    if (node !== undefined) return node;
    const kind = reference.startsWith('/') ? 'path' : 'label';
    throw dtsErrorAt(this.#source, at, {
      code: 'REFERENCE',
      message: `no node has the ${kind} "${shorten(reference)}"`,
    });
  }

  /** Adds a label to a node of the tree. */
  addLabel(node: SourceNode, text: string, at: number): void {
    node.addLabel(text, at);
    const nodes = this.#labels.get(text);
    if (nodes === undefined) this.#labels.set(text, new Set([node]));
    else nodes.add(node);
  }

  /** Merges a definition into a node of the tree. The definition must not be used afterwards. */
  merge(target: SourceNode, definition: SourceNode): void {
    const open: { target: SourceNode; definition: SourceNode; next: number }[] = [];
    const begin = (into: SourceNode, from: SourceNode): void => {
      this.#mergeOwn(into, from);
      open.push({ target: into, definition: from, next: 0 });
    };
    begin(target, definition);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const child = top.definition.children.items[top.next++];
      if (child === undefined) {
        open.pop();
        continue;
      }
      const existing = top.target.children.find(child.name);
      if (child.deleted) {
        existing?.delete();
      } else if (existing !== undefined) {
        begin(existing, child);
      } else {
        child.parent = top.target;
        top.target.children.append(child);
        this.#adopt(child);
      }
    }
  }

  /** Merges labels and properties, not children. */
  #mergeOwn(target: SourceNode, definition: SourceNode): void {
    if (target.deleted) {
      target.deleted = false;
      target.parent?.children.revived(target);
      this.#register(target);
    }
    for (const [text, { at }] of definition.labels ?? []) this.addLabel(target, text, at);
    const { properties } = target;
    for (const property of definition.properties.items) {
      const existing = properties.find(property.name);
      if (property.deleted) {
        existing?.delete();
      } else if (existing === undefined) {
        properties.append(property);
      } else {
        for (const [text, { at }] of property.labels ?? []) existing.addLabel(text, at);
        existing.value = property.value;
        if (existing.deleted) {
          existing.deleted = false;
          properties.revived(existing);
        }
      }
    }
  }

  /** Registers the labels of a subtree that has become part of the tree. */
  #adopt(node: SourceNode): void {
    const pending = [node];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      this.#register(next);
      for (const child of next.children.items) pending.push(child);
    }
  }

  #register(node: SourceNode): void {
    for (const [text, { at, live }] of node.labels ?? []) if (live) this.addLabel(node, text, at);
  }

  #byLabel(label: string, at: number): SourceNode | undefined {
    const nodes = this.#labels.get(label);
    if (nodes === undefined) return undefined;
    if (nodes.size > 1) this.#patience -= nodes.size;
    if (nodes.size === 1 || this.#patience > 0) {
      // A node that is revived later registers its labels again.
      for (const node of nodes) if (node.deleted || !node.labels?.get(label)?.live) nodes.delete(node);
      const [first, second] = nodes;
      const node = second === undefined ? first : this.#firstOf(nodes);
      if (node !== undefined || first === undefined) return node;
    }
    const message = `label "${shorten(label)}" is on more than one node`;
    throw dtsErrorAt(this.#source, at, { code: 'DUPLICATE_LABEL', message });
  }

  /** The one of `nodes` that comes first in the tree; `undefined` when too much has been searched already. */
  #firstOf(nodes: ReadonlySet<SourceNode>): SourceNode | undefined {
    const pending = [this.root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (nodes.has(node)) return node;
      const { items } = node.children;
      this.#patience -= 1 + items.length;
      if (this.#patience < 0) return undefined;
      for (let index = items.length - 1; index >= 0; index--) {
        const child = items[index];
        if (child !== undefined && !child.deleted) pending.push(child);
      }
    }
    return undefined;
  }

  /** As in dtc one slash may end the path, and no other component may be empty but for slashes that run together. */
  #byPath(path: string): SourceNode | undefined {
    if (path === '/') return this.root;
    let node = this.root;
    let start = 0;
    while (start < path.length) {
      while (path[start] === '/') start++;
      const slash = path.indexOf('/', start);
      const child = node.liveChild(path.slice(start, slash < 0 ? path.length : slash));
      if (child === undefined || slash < 0) return child;
      node = child;
      start = slash + 1;
    }
    return node;
  }
}

/** A name from the source, safe and short enough for an error. */
export function shorten(name: string): string {
  return escapeText(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
