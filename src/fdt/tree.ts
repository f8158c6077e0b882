// SPDX-License-Identifier: Apache-2.0
import { FDT_BAD } from './cursor.js';
import type { Fdt } from './fdt.js';
import type { FdtReservation } from './reservation.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/** A device tree as plain values: what an encoder takes and a text parser gives. */
export interface FdtTree {
  readonly reservations: readonly FdtReservation[];
  readonly bootCpuid: number;
  readonly root: FdtTreeNode;
}

/** A node as plain values. Names hold one character a byte. */
export interface FdtTreeNode {
  readonly name: string;
  readonly properties: readonly FdtTreeProperty[];
  readonly children: readonly FdtTreeNode[];
}

/** A property as plain values. */
export interface FdtTreeProperty {
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * A blob's tree as plain values; property values stay views into the blob. Without a root the tree has an empty one;
 * of several roots (a tolerated fault) the first counts, and a property whose name is lost is called `?` and its offset.
 */
export function readTree(fdt: Fdt): FdtTree {
  interface OpenNode extends FdtTreeNode {
    readonly properties: FdtTreeProperty[];
    readonly children: FdtTreeNode[];
  }
  let root: OpenNode | undefined;
  const open: OpenNode[] = [];
  const cursor = fdt.cursor();
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    const current = open.at(-1);
    if (tag === FDT_BEGIN_NODE) {
      const node: OpenNode = { name: cursor.nodeName(), properties: [], children: [] };
      current?.children.push(node);
      root ??= node;
      open.push(node);
    } else if (tag === FDT_PROP) {
      current?.properties.push({ name: cursor.propertyLabel(), value: cursor.value() });
    } else if (tag === FDT_END_NODE) {
      if (open.length === 1) break;
      open.pop();
    } else if (tag === FDT_BAD && !cursor.resync()) {
      break;
    }
  }
  return {
    reservations: fdt.reservations,
    bootCpuid: fdt.header.boot_cpuid_phys,
    root: root ?? { name: '', properties: [], children: [] },
  };
}
