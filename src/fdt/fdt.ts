// SPDX-License-Identifier: Apache-2.0
import { quoteName } from '../bytes/printable.js';
import type { StructureBounds } from './bounds.js';
import { checkHeader } from './check-header.js';
import { checkNames } from './check-names.js';
import { checkStructure } from './check-structure.js';
import { FDT_BAD, FdtCursor } from './cursor.js';
import { FdtError, type FdtIssue } from './error.js';
import type { FdtHeader } from './header.js';
import { type NodeColumns, readNodes, rowName, rowPath } from './node-columns.js';
import { PropertyNames } from './property-names.js';
import { type FdtReservation, readReservations } from './reservation.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/** How {@link openFdt} treats what is wrong with a blob. */
export interface OpenFdtOptions {
  /**
   * false (default): what libfdt's `fdt_check_full` rejects is thrown. true: whatever can be decoded is decoded, version
   * 1 included, and what is wrong is listed in `issues`.
   */
  readonly tolerant?: boolean;
  /** How many issues to keep in tolerant mode, default 1000. Reading goes on after that in silence. */
  readonly maxIssues?: number;
}

/**
 * Opens a flattened device tree. Nothing is copied: names and values are views into `bytes`, which must not change
 * while the result is in use.
 *
 * @param bytes - the blob; bytes after its `totalsize` are ignored
 * @returns the tree, its issues empty unless opened in tolerant mode
 * @throws FdtError with libfdt's code for the first violation, unless tolerant
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { openFdt } from 'kho-toolkit/fdt';
 *
 * const fdt = openFdt(readFileSync('fixtures/kernel-7.3.4/kho-fdt.dtb'));
 * for (const node of fdt.root?.children() ?? []) console.log(node.path, node.property('blob-size')?.value);
 * ```
 */
export function openFdt(bytes: Uint8Array, options: OpenFdtOptions = {}): Fdt {
  const { tolerant = false, maxIssues = 1000 } = options;
  const issues: FdtIssue[] = [];
  const complain = (issue: FdtIssue): void => {
    if (!tolerant) throw new FdtError(issue);
    if (issues.length < maxIssues) issues.push(issue);
  };

  const { header, bounds, issues: headerIssues } = checkHeader(bytes);
  headerIssues.forEach(complain);
  const end = Math.min(header.totalsize, bytes.length);
  const reservations = readReservations(bytes, header.off_mem_rsvmap, end, complain);
  const names = new PropertyNames(bytes, bounds);
  checkNames(bytes, bounds, names, complain);
  checkStructure(bytes, bounds, names, complain);
  return new Fdt(bytes, header, bounds, reservations, issues, names);
}

/** A flattened device tree that has been read by {@link openFdt}. */
export class Fdt {
  /** The blob, as given. */
  readonly bytes: Uint8Array;
  readonly header: FdtHeader;
  /** Where the structure and strings blocks lie, cut to what is there. */
  readonly bounds: StructureBounds;
  /** The memory reservations, without the terminating entry. */
  readonly reservations: readonly FdtReservation[];
  /** What was found wrong in tolerant mode. */
  readonly issues: readonly FdtIssue[];
  readonly #names: PropertyNames;
  #nodes: NodeColumns | undefined;

  /** Made by {@link openFdt}. */
  constructor(
    bytes: Uint8Array,
    header: FdtHeader,
    bounds: StructureBounds,
    reservations: readonly FdtReservation[],
    issues: readonly FdtIssue[],
    names: PropertyNames,
  ) {
    this.bytes = bytes;
    this.header = header;
    this.bounds = bounds;
    this.reservations = reservations;
    this.issues = issues;
    this.#names = names;
  }

  /** The node columns behind {@link FdtNode}, for code that visits many nodes; read when first asked for. */
  get nodes(): NodeColumns {
    this.#nodes ??= readNodes(this.bytes, this.bounds, this.#names);
    return this.#nodes;
  }

  /** The root node; `undefined` when the structure block holds none, which libfdt accepts. */
  get root(): FdtNode | undefined {
    return this.nodes.count > 0 ? new FdtNode(this, 0) : undefined;
  }

  /** A cursor over the structure block, or over it from `start` (the offset of a token) on. */
  cursor(start?: number): FdtCursor {
    return new FdtCursor(this.bytes, this.bounds, this.#names, start);
  }

  /** The name of a property by its offset in the strings block, `undefined` where there is no string. */
  propertyName(nameoff: number): string | undefined {
    return this.#names.at(nameoff);
  }

  /**
   * The node at `path`, `undefined` when there is none. Components are compared exactly; as in libfdt one without a
   * unit address also finds the first node of that name with one (`/memory` finds `/memory@0`).
   */
  node(path: string): FdtNode | undefined {
    let node = this.root;
    for (const component of path.split('/')) {
      if (component === '') continue;
      node = node?.child(component);
    }
    return path.startsWith('/') ? node : undefined;
  }
}

/** A node of an {@link Fdt}: two words that point into it. */
export class FdtNode {
  readonly fdt: Fdt;
  /** Row of the node in the tree's columns. */
  readonly row: number;

  constructor(fdt: Fdt, row: number) {
    this.fdt = fdt;
    this.row = row;
  }

  /** The name as stored, one character a byte, not escaped; '' for a root. */
  get name(): string {
    return rowName(this.fdt.bytes, this.fdt.bounds, this.fdt.nodes, this.row);
  }

  /** The path with control characters escaped, for people; at most 64 components are spelled out. */
  get path(): string {
    return rowPath(this.fdt.bytes, this.fdt.bounds, this.fdt.nodes, this.row);
  }

  /** Offset of the FDT_BEGIN_NODE token in bytes from the start of the blob. */
  get offset(): number {
    return this.fdt.nodes.offset[this.row] ?? 0;
  }

  /** The parent, `undefined` for a root. */
  get parent(): FdtNode | undefined {
    const row = this.fdt.nodes.parent[this.row] ?? -1;
    return row < 0 ? undefined : new FdtNode(this.fdt, row);
  }

  /** The children in order. */
  *children(): Generator<FdtNode, void> {
    const { next } = this.fdt.nodes;
    const end = next[this.row] ?? 0;
    for (let row = this.row + 1; row < end; row = next[row] ?? end) yield new FdtNode(this.fdt, row);
  }

  /** The first child called `name`, or, when `name` has no unit address, the first called `name@…`. */
  child(name: string): FdtNode | undefined {
    for (const child of this.children()) {
      const found = child.name;
      if (found === name) return child;
      if (found[name.length] === '@' && !name.includes('@') && found.startsWith(name)) return child;
    }
    return undefined;
  }

  /**
   * The properties in order, also those that (against the specification) follow a child. One whose name is lost, in a
   * damaged blob, is called `?` and its name's offset.
   */
  *properties(): Generator<FdtProperty, void> {
    const { fdt } = this;
    const { next, end } = fdt.nodes;
    const after = end[this.row] ?? 0;
    const cursor = fdt.cursor(this.offset);
    let child = this.row + 1;
    cursor.next();
    while (cursor.nextOffset < after) {
      const tag = cursor.next();
      if (tag === FDT_PROP) {
        const { offset, valueStart } = cursor;
        yield new FdtProperty(this, cursor.propertyLabel(), offset, valueStart, cursor.value());
      } else if (tag === FDT_BEGIN_NODE) {
        cursor.nextOffset = end[child] ?? after;
        child = next[child] ?? child;
      } else if (tag === FDT_END_NODE || tag === FDT_END) {
        return;
      } else if (tag === FDT_BAD && !cursor.resync()) {
        return;
      }
    }
  }

  /** The first property called `name`. */
  property(name: string): FdtProperty | undefined {
    for (const property of this.properties()) if (property.name === name) return property;
    return undefined;
  }
}

/** A property of an {@link FdtNode}. */
export class FdtProperty {
  readonly node: FdtNode;
  /** The name as stored, one character a byte, not escaped. */
  readonly name: string;
  /** Offset of the FDT_PROP token in bytes from the start of the blob. */
  readonly offset: number;
  /** Offset of the value in bytes from the start of the blob. */
  readonly valueOffset: number;
  /** The value: a view into the blob. */
  readonly value: Uint8Array;

  constructor(node: FdtNode, name: string, offset: number, valueOffset: number, value: Uint8Array) {
    this.node = node;
    this.name = name;
    this.offset = offset;
    this.valueOffset = valueOffset;
    this.value = value;
  }

  /** Path of the property with control characters escaped. */
  get path(): string {
    const node = this.node.path;
    return `${node === '/' ? '' : node}/${quoteName(this.name)}`;
  }
}
