// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import { checkCapacity } from './capacity.js';
import type { FdtCursor } from './cursor.js';
import { EditorBuffer } from './editor-buffer.js';
import { enterNode, findNodeEnd, findProperty, findSubnode } from './editor-search.js';
import { FdtError, type FdtErrorCode } from './error.js';
import { checkName, writeName } from './name.js';
import { alignToken, FDT_BEGIN_NODE, FDT_END_NODE, FDT_NOP, FDT_PROP } from './token.js';
import { FdtWriter } from './writer.js';

/**
 * Changes a blob in a buffer of fixed size, byte for byte as libfdt's read-write and write-in-place functions do for the
 * same calls (`fdt_rw.c`, `fdt_wip.c` of dtc 1.6.1 and of Linux 7.3.4), bytes that pad a value and bytes after the blob
 * included. Each call takes time linear in the blob, as in libfdt.
 *
 * Nodes are named by their offset from the start of the structure block, the root mostly being 0. Any call that adds or
 * removes something moves what follows. A call that throws has changed nothing but bytes after the blob.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { FdtEditor } from 'kho-toolkit/fdt';
 *
 * const blob = readFileSync('fixtures/luo-older/luo-v2.dtb');
 * const editor = FdtEditor.openInto(blob, 4096);
 * const node = editor.addSubnode(editor.nodeOffset('/'), 'LUO');
 * editor.setProperty(node, 'preserved-data', new Uint8Array(8));
 * const changed = editor.pack();
 * ```
 */
export class FdtEditor {
  readonly #buffer: EditorBuffer;

  private constructor(buffer: EditorBuffer) {
    this.#buffer = buffer;
  }

  /**
   * A new tree of an empty root (`fdt_create_empty_tree`).
   *
   * @param size - of the buffer in bytes
   * @throws FdtError NOSPACE when a blob of 80 bytes does not fit
   */
  static createEmptyTree(size: number): FdtEditor {
    const writer = new FdtWriter({ size });
    writer.finishReservations();
    writer.beginNode('');
    writer.endNode();
    writer.finish();
    return FdtEditor.openInPlace(writer.buffer);
  }

  /**
   * Copies a blob of version 16 or 17 to a new buffer to change it there (`fdt_open_into`).
   *
   * @param blob - stays as it is
   * @param size - of the buffer in bytes
   * @throws FdtError NOSPACE when it does not fit; BADMAGIC, BADVERSION, BADSTATE, TRUNCATED or BADSTRUCTURE when it
   * cannot be read; BADVALUE when `size` is not a whole number below 2^31
   */
  static openInto(blob: Uint8Array, size: number): FdtEditor {
    checkCapacity(size, 0);
    return new FdtEditor(new EditorBuffer(blob, new Uint8Array(size)));
  }

  /**
   * Changes the blob at the start of `buffer` where it lies (`fdt_open_into` on itself), up to all of the buffer.
   *
   * @throws FdtError as {@link openInto}
   */
  static openInPlace(buffer: Uint8Array): FdtEditor {
    return new FdtEditor(new EditorBuffer(buffer, buffer));
  }

  /** The whole buffer, bytes after the blob included. Not to be written to. */
  get buffer(): Uint8Array {
    return this.#buffer.bytes;
  }

  /** The blob: a view of the first `totalsize` bytes of {@link buffer}. Before {@link pack} that is all of it. */
  get blob(): Uint8Array {
    return this.#buffer.bytes.subarray(0, this.#buffer.header.totalsize);
  }

  /** After {@link pack}, makes all of the buffer available again (`fdt_open_into` on itself). */
  reopen(): void {
    this.#buffer.reopen();
  }

  /**
   * Gives up the room that is not used (`fdt_pack`).
   *
   * @returns the blob, a view into {@link buffer}
   */
  pack(): Uint8Array {
    this.#buffer.pack();
    return this.blob;
  }

  /**
   * The offset of the node at `path` (`fdt_path_offset`). As in libfdt a component without a unit address also finds the
   * first node of that name with one. Aliases are not followed.
   *
   * @throws FdtError NOTFOUND; BADPATH when `path` does not begin with "/"; BADSTRUCTURE or TRUNCATED in a damaged blob
   */
  nodeOffset(path: string): number {
    if (!path.startsWith('/')) throw failure('BADPATH', undefined, 'expected a path that begins with "/"');
    let node = 0;
    for (const component of path.split('/')) {
      if (component === '') continue;
      const child = findSubnode(this.#buffer, node, component);
      if (child === undefined) throw notFound('node', component);
      node = child;
    }
    return node;
  }

  /**
   * Adds an empty node after the properties of `parent`, before its other nodes (`fdt_add_subnode`).
   *
   * @returns the offset of the new node
   * @throws FdtError EXISTS when there is a node `name`, or one `name@…` for a `name` without "@"; NOSPACE; BADOFFSET
   * when `parent` is no node; BADVALUE when the name cannot be stored; BADSTRUCTURE or TRUNCATED in a damaged blob
   */
  addSubnode(parent: number, name: string): number {
    checkName(name);
    const existing = findSubnode(this.#buffer, parent, name);
    if (existing !== undefined) {
      throw failure('EXISTS', this.#absolute(existing), `there is a node "${shown(name)}" already`);
    }
    const cursor = enterNode(this.#buffer, parent);
    let at = cursor.nextOffset;
    for (let tag = cursor.next(); tag === FDT_PROP || tag === FDT_NOP; tag = cursor.next()) {
      at = cursor.nextOffset;
    }
    const nameLength = alignToken(name.length + 1);
    this.#buffer.spliceStructure(at, 0, 4 + nameLength + 4);
    this.#buffer.view.setUint32(at, FDT_BEGIN_NODE);
    this.#buffer.bytes.fill(0, at + 4, at + 4 + nameLength);
    writeName(this.#buffer.bytes, at + 4, name);
    this.#buffer.view.setUint32(at + 4 + nameLength, FDT_END_NODE);
    return at - this.#buffer.header.off_dt_struct;
  }

  /**
   * Sets a property: an existing one in its place, a new one in front of all others (`fdt_setprop`).
   *
   * @throws FdtError as {@link addSubnode}, but for EXISTS
   */
  setProperty(node: number, name: string, value: Uint8Array): void {
    const source = this.#detached(value);
    checkName(name);
    const found = findProperty(this.#buffer, node, name);
    if (found instanceof FdtError) throw found;
    if (found === undefined) {
      this.#buffer.bytes.set(source, this.#addProperty(node, name, source.length));
      return;
    }
    this.#resizeValue(found, source.length);
    this.#buffer.bytes.set(source, found.valueStart);
  }

  /**
   * Sets a property to a value of the length that it has (`fdt_setprop_inplace`). Nothing moves.
   *
   * @throws FdtError NOTFOUND; NOSPACE when the lengths differ; BADOFFSET, BADSTRUCTURE or TRUNCATED as
   * {@link addSubnode}
   */
  setPropertyInPlace(node: number, name: string, value: Uint8Array): void {
    const found = this.#property(node, name);
    if (found.valueLength !== value.length) {
      const lengths = `expected a value of ${found.valueLength} bytes, found ${value.length}`;
      throw failure('NOSPACE', found.offset, lengths);
    }
    this.#buffer.bytes.set(value, found.valueStart);
  }

  /**
   * Adds bytes to the end of a property, which is made when there is none (`fdt_appendprop`).
   *
   * @throws FdtError as {@link setProperty}
   */
  appendProperty(node: number, name: string, value: Uint8Array): void {
    const source = this.#detached(value);
    checkName(name);
    const found = findProperty(this.#buffer, node, name);
    // To libfdt, here and not when it sets a property, one not found for whatever reason is one that is not there.
    if (found === undefined || found instanceof FdtError) {
      this.#buffer.bytes.set(source, this.#addProperty(node, name, source.length));
      return;
    }
    const { valueStart, valueLength } = found;
    this.#resizeValue(found, valueLength + source.length);
    this.#buffer.bytes.set(source, valueStart + valueLength);
  }

  /**
   * Removes a property (`fdt_delprop`). Its name stays in the strings block.
   *
   * @throws FdtError NOTFOUND; BADOFFSET, BADSTRUCTURE or TRUNCATED as {@link addSubnode}
   */
  deleteProperty(node: number, name: string): void {
    const found = this.#property(node, name);
    this.#buffer.spliceStructure(found.offset, 12 + alignToken(found.valueLength), 0);
  }

  /**
   * Overwrites a property with FDT_NOP tokens (`fdt_nop_property`). Nothing moves.
   *
   * @throws FdtError as {@link deleteProperty}
   */
  nopProperty(node: number, name: string): void {
    const found = this.#property(node, name);
    this.#fillWithNops(found.offset, found.offset + 12 + found.valueLength);
  }

  /**
   * Removes a node and all below it (`fdt_del_node`).
   *
   * @throws FdtError NOTFOUND when the node has no end; BADOFFSET, BADSTRUCTURE or TRUNCATED as {@link addSubnode}
   */
  deleteNode(node: number): void {
    const end = findNodeEnd(this.#buffer, node);
    this.#buffer.spliceStructure(this.#absolute(node), end - node, 0);
  }

  /**
   * Overwrites a node and all below it with FDT_NOP tokens (`fdt_nop_node`). Nothing moves.
   *
   * @throws FdtError as {@link deleteNode}
   */
  nopNode(node: number): void {
    const end = findNodeEnd(this.#buffer, node);
    this.#fillWithNops(this.#absolute(node), this.#absolute(end));
  }

  /**
   * Names a node anew (`fdt_set_name`). Whether a sibling has that name is not checked.
   *
   * @throws FdtError NOSPACE; BADOFFSET when `node` is none; BADVALUE when the name cannot be stored
   */
  setName(node: number, name: string): void {
    checkName(name);
    const { nameStart, nameEnd } = enterNode(this.#buffer, node);
    this.#buffer.spliceStructure(nameStart, alignToken(nameEnd - nameStart + 1), alignToken(name.length + 1));
    writeName(this.#buffer.bytes, nameStart, name);
  }

  /**
   * Adds a memory reservation after the others (`fdt_add_mem_rsv`).
   *
   * @param address - physical address, u64
   * @param size - in bytes, u64; 0 ends the list, as libfdt reads it
   * @throws FdtError NOSPACE
   */
  addReservation(address: bigint, size: bigint): void {
    const at = this.#buffer.spliceReservations(this.#buffer.reservationCount(), 0, 1);
    this.#buffer.view.setBigUint64(at, address);
    this.#buffer.view.setBigUint64(at + 8, size);
  }

  /**
   * Removes the memory reservation at `index` (`fdt_del_mem_rsv`).
   *
   * @throws FdtError NOTFOUND when there are not that many
   */
  deleteReservation(index: number): void {
    const count = this.#buffer.reservationCount();
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw failure('NOTFOUND', undefined, `there is no reservation ${index} of ${count}`);
    }
    this.#buffer.spliceReservations(index, 1, 0);
  }

  #absolute(node: number): number {
    return this.#buffer.header.off_dt_struct + node;
  }

  #property(node: number, name: string): FdtCursor {
    const found = findProperty(this.#buffer, node, name);
    if (found instanceof FdtError) throw found;
    if (found === undefined) throw notFound('property', name);
    return found;
  }

  /** Makes room for a new first property of `node` and writes all but its value. Returns where the value goes. */
  #addProperty(node: number, name: string, valueLength: number): number {
    const at = enterNode(this.#buffer, node).nextOffset;
    const length = 12 + alignToken(valueLength);
    const nameoff = this.#buffer.nameOffset(name, length);
    const { view } = this.#buffer;
    this.#buffer.spliceStructure(at, 0, length);
    view.setUint32(at, FDT_PROP);
    view.setUint32(at + 4, valueLength);
    view.setUint32(at + 8, nameoff);
    return at + 12;
  }

  #resizeValue(property: FdtCursor, length: number): void {
    const { valueStart, valueLength } = property;
    this.#buffer.spliceStructure(valueStart, alignToken(valueLength), alignToken(length));
    this.#buffer.view.setUint32(property.offset + 4, length);
  }

  #fillWithNops(start: number, end: number): void {
    for (let at = start; at < end; at += 4) this.#buffer.view.setUint32(at, FDT_NOP);
  }

  /** `value`, copied if it lies in the buffer, where it would move away while room is made for it. */
  #detached(value: Uint8Array): Uint8Array {
    return value.buffer === this.#buffer.bytes.buffer ? value.slice() : value;
  }
}

/** A name fit to be shown: escaped, and cut short. */
function shown(name: string): string {
  return escapeText(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function notFound(what: string, name: string): FdtError {
  return failure('NOTFOUND', undefined, `there is no ${what} "${shown(name)}"`);
}

function failure(code: FdtErrorCode, offset: number | undefined, message: string): FdtError {
  return new FdtError({ code, offset, message });
}
