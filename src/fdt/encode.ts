// SPDX-License-Identifier: Apache-2.0
import { ByteBuffer } from '../bytes/byte-buffer.js';
import { MAX_BLOB_SIZE } from './check-header.js';
import { FdtError, type FdtErrorCode } from './error.js';
import { FDT_MAGIC, headerSize, writeHeader } from './header.js';
import { checkName } from './name.js';
import { RESERVATION_SIZE } from './reservation.js';
import { StringTable } from './string-table.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';
import type { FdtTree, FdtTreeNode } from './tree.js';

/** A blob version that dtc writes. */
export type FdtVersion = 1 | 2 | 3 | 16 | 17;

/** How {@link encodeFdt} lays out a blob: dtc's command line options of the same meaning. */
export interface EncodeFdtOptions {
  /** `-V`, default 17. */
  readonly version?: FdtVersion;
  /** `-R`: empty memory reservation entries to make room for, beside those of the tree. Default 0. */
  readonly reserveSlots?: number;
  /** `-S`: pad the blob to at least this many bytes. Not together with `padding`. */
  readonly minSize?: number;
  /** `-p`: this many zero bytes after the blob. */
  readonly padding?: number;
  /** `-a`: pad the blob to a multiple of this many bytes, a power of two. */
  readonly align?: number;
  /** `-b`: the boot CPU, in place of the tree's own. */
  readonly bootCpuid?: number;
}

/** What the structure block of a version looks like (dtc 1.6.1 `flattree.c`; fdt-format.md section 1). */
interface VersionTraits {
  readonly lastCompatible: number;
  /** Nodes carry their full path, values of 8 bytes and more are 8-aligned, and each node has a `name` property. */
  readonly old: boolean;
}

const TRAITS: Readonly<Record<FdtVersion, VersionTraits>> = {
  1: { lastCompatible: 1, old: true },
  2: { lastCompatible: 1, old: true },
  3: { lastCompatible: 1, old: true },
  16: { lastCompatible: 16, old: false },
  17: { lastCompatible: 16, old: false },
};

/**
 * Encodes a tree as dtc does (`dtc -O dtb`, 1.6.1), byte for byte: reservations at the first multiple of 8 after the
 * header, names in the order of first use with suffix sharing, nothing padded unless asked for. What dtc does to a tree
 * before it writes it (checks, phandles, dropping a redundant `name`) is done by `parseDts`, not here.
 *
 * @returns the blob, `totalsize` bytes
 * @throws FdtError BADVALUE for an option out of range and for a name that cannot be stored (a NUL, a character above
 * U+00FF, a "/" in a version below 16); BADVERSION for another version; NOSPACE above 2^31 - 1 bytes
 */
export function encodeFdt(tree: FdtTree, options: EncodeFdtOptions = {}): Uint8Array {
  const { version = 17, reserveSlots = 0, bootCpuid = tree.bootCpuid } = options;
  const traits: VersionTraits | undefined = TRAITS[version];
  if (traits === undefined) {
    throw new FdtError({
      code: 'BADVERSION',
      message: `expected version 1, 2, 3, 16 or 17, found ${version}`,
    });
  }
  checkCount('reserveSlots', reserveSlots);
  if (!Number.isInteger(bootCpuid) || bootCpuid < 0 || bootCpuid > 0xffffffff) {
    throw new FdtError({ code: 'BADVALUE', message: `bootCpuid: expected a u32, found ${bootCpuid}` });
  }

  const structure = new StructureEncoder(traits.old);
  structure.encode(tree.root);
  const { strings, block } = structure;
  const reservationsStart = Math.ceil(headerSize(version) / 8) * 8;
  const structStart = reservationsStart + (tree.reservations.length + reserveSlots + 1) * RESERVATION_SIZE;
  const stringsStart = structStart + block.length;
  const size = stringsStart + strings.length;
  const total = size + paddingOf(size, options);
  if (total > MAX_BLOB_SIZE)
    fail('NOSPACE', `the blob would take ${total} bytes, ${MAX_BLOB_SIZE} is the limit`);

  const blob = new Uint8Array(total);
  const view = new DataView(blob.buffer);
  writeHeader(view, {
    magic: FDT_MAGIC,
    totalsize: total,
    off_dt_struct: structStart,
    off_dt_strings: stringsStart,
    off_mem_rsvmap: reservationsStart,
    version,
    last_comp_version: traits.lastCompatible,
    boot_cpuid_phys: bootCpuid,
    size_dt_strings: strings.length,
    size_dt_struct: block.length,
  });
  tree.reservations.forEach(({ address, size: length }, index) => {
    const at = reservationsStart + index * RESERVATION_SIZE;
    view.setBigUint64(at, address);
    view.setBigUint64(at + 8, length);
  });
  blob.set(block.bytes, structStart);
  blob.set(strings.bytes, stringsStart);
  return blob;
}

/** Writes the structure and strings blocks, without recursion: a tree may be a million levels deep. */
class StructureEncoder {
  readonly block: ByteBuffer = new ByteBuffer(4096);
  readonly strings: ByteBuffer = new ByteBuffer(256);
  readonly #table: StringTable = new StringTable('first');
  readonly #old: boolean;
  /** The open nodes and how many children of each are done. */
  readonly #open: { node: FdtTreeNode; children: number }[] = [];
  /** The path of the node opened last; only kept for the old versions, which store it. */
  #path = '';

  constructor(old: boolean) {
    this.#old = old;
  }

  encode(root: FdtTreeNode): void {
    const open = this.#open;
    this.#begin(root);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const child = top.node.children[top.children++];
      if (child !== undefined) {
        this.#begin(child);
      } else {
        this.block.appendUint32(FDT_END_NODE);
        open.pop();
        if (this.#old) this.#path = this.#path.slice(0, this.#path.length - top.node.name.length - 1);
      }
    }
    this.block.appendUint32(FDT_END);
  }

  #begin(node: FdtTreeNode): void {
    const { block } = this;
    const { name, properties } = node;
    this.#open.push({ node, children: 0 });
    checkName(name);
    block.appendUint32(FDT_BEGIN_NODE);
    if (this.#old) {
      if (name.includes('/')) fail('BADVALUE', 'a node name with a "/" cannot be stored below version 16');
      // A root without a name has the path "/", its children "/name".
      this.#path += `/${name}`;
      const isRoot = this.#open.length === 1;
      block.appendLatin1(isRoot || this.#path[1] !== '/' ? this.#path : this.#path.slice(1));
    } else {
      block.appendLatin1(name);
    }
    block.appendByte(0);
    block.align(4);
    for (const property of properties) this.#property(property.name, property.value);
    if (this.#old && !properties.some((property) => property.name === 'name')) {
      const at = name.indexOf('@');
      const base = new ByteBuffer(name.length + 1);
      base.appendLatin1(at < 0 ? name : name.slice(0, at));
      base.appendByte(0);
      this.#property('name', base.bytes);
    }
    if (block.length > MAX_BLOB_SIZE) {
      fail('NOSPACE', `the structure block would take more than ${MAX_BLOB_SIZE} bytes`);
    }
  }

  #property(name: string, value: Uint8Array): void {
    const { block } = this;
    let nameoff = this.#table.find(name);
    if (nameoff === undefined) {
      checkName(name);
      nameoff = this.#table.add(name);
      this.strings.appendLatin1(name);
      this.strings.appendByte(0);
    }
    block.appendUint32(FDT_PROP);
    block.appendUint32(value.length);
    block.appendUint32(nameoff);
    if (this.#old && value.length >= 8) block.align(8);
    block.appendBytes(value);
    block.align(4);
  }
}

/** How many bytes dtc pads a blob of `size` bytes with (`dt_to_blob` in `flattree.c`). */
function paddingOf(size: number, { minSize = 0, padding = 0, align = 0 }: EncodeFdtOptions): number {
  checkCount('minSize', minSize);
  checkCount('padding', padding);
  checkCount('align', align);
  if (minSize > 0 && padding > 0) fail('BADVALUE', 'minSize and padding exclude each other');
  if (align > 0 && (align & (align - 1)) !== 0) {
    fail('BADVALUE', `align: expected a power of two, found ${align}`);
  }
  const padded = padding > 0 ? size + padding : Math.max(size, minSize);
  return (align > 0 ? Math.ceil(padded / align) * align : padded) - size;
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > MAX_BLOB_SIZE) {
    fail('BADVALUE', `${name}: expected a whole number from 0 to ${MAX_BLOB_SIZE}, found ${value}`);
  }
}

function fail(code: FdtErrorCode, message: string): never {
  throw new FdtError({ code, message });
}
