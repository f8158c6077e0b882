// SPDX-License-Identifier: Apache-2.0
// What a kernel finds in an FDT, sound or damaged: libfdt's look-ups read tokens as far as they need them and no further.
import { decodeLatin1 } from '../bytes/latin1.js';
import { checkHeader } from '../fdt/check-header.js';
import type { Fdt } from '../fdt/fdt.js';
import { FDT_BEGIN_NODE, FDT_END_NODE, FDT_NOP, FDT_PROP } from '../fdt/token.js';

/**
 * An FDT as libfdt's look-ups see it (scripts/dtc/libfdt, Linux 7.3.4). Kernels check the header of a handover with
 * `fdt_check_header()` and then only look things up: a token that is wrong hides what stands behind it, and nothing else.
 */
export class LibfdtView {
  readonly #fdt: Fdt;

  /** @param fdt - opened tolerantly; its bytes may end before its totalsize does */
  constructor(fdt: Fdt) {
    this.#fdt = fdt;
  }

  /** Whether `fdt_check_header()` takes it. That the bytes at hand may be fewer than totalsize is no matter to it. */
  get isAccepted(): boolean {
    const { bytes } = this.#fdt;
    return checkHeader(bytes).issues.every(({ offset }) => offset === bytes.length);
  }

  /** Offset of the root node, which look-ups expect at the start of the structure block, whatever stands there. */
  get root(): number {
    return this.#fdt.bounds.start;
  }

  /**
   * As `fdt_getprop()`: properties end at the first token that is none and no FDT_NOP, so that one behind a child is not
   * found.
   *
   * @param node - offset of its FDT_BEGIN_NODE in bytes from the start of the blob
   */
  property(node: number, name: string): Uint8Array | undefined {
    const cursor = this.#fdt.cursor(node);
    if (cursor.next() !== FDT_BEGIN_NODE) return undefined;
    for (let tag = cursor.next(); tag === FDT_PROP || tag === FDT_NOP; tag = cursor.next())
      if (tag === FDT_PROP && cursor.propertyName() === name) return cursor.value();
    return undefined;
  }

  /**
   * As `fdt_subnode_offset()` for a child of the root: nodes that are not closed before it hide it.
   *
   * @returns offset of its FDT_BEGIN_NODE in bytes from the start of the blob
   */
  subnode(name: string): number | undefined {
    const { bytes } = this.#fdt;
    const cursor = this.#fdt.cursor(this.root);
    if (cursor.next() !== FDT_BEGIN_NODE) return undefined;
    for (let depth = 0; depth >= 0; ) {
      const tag = cursor.next();
      if (tag === FDT_END_NODE) depth--;
      else if (tag === FDT_BEGIN_NODE) {
        depth++;
        const found = decodeLatin1(bytes.subarray(cursor.nameStart, cursor.nameEnd));
        if (depth === 1 && (found === name || found.startsWith(`${name}@`))) return cursor.offset;
      } else if (tag !== FDT_PROP && tag !== FDT_NOP) return undefined;
    }
    return undefined;
  }
}
