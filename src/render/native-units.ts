// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import { type Fdt, FdtNode } from '../fdt/fdt.js';
import { type NativeUnit, nativeUnits } from '../schemas/native-properties.js';

const NONE: ReadonlyMap<string, NativeUnit> = new Map();
const MAX_COMPATIBLE = 64;

/** Says which properties of a tree's nodes hold a native u64. */
export class NativeUnits {
  readonly #fdt: Fdt;
  readonly #rootCompatible: string;

  constructor(fdt: Fdt) {
    this.#fdt = fdt;
    this.#rootCompatible = compatibleOf(fdt.root);
  }

  /** What the native u64 properties of the node in `row` count, by name. */
  of(row: number): ReadonlyMap<string, NativeUnit> {
    const parent = this.#fdt.nodes.parent[row] ?? -1;
    if (parent < 0) {
      const compatible = this.#rootCompatible;
      return nativeUnits({ rootCompatible: compatible, nodeCompatible: compatible, depth: 0 });
    }
    // No layout known here has one deeper.
    if ((this.#fdt.nodes.parent[parent] ?? -1) >= 0) return NONE;
    const nodeCompatible = compatibleOf(new FdtNode(this.#fdt, row));
    return nativeUnits({ rootCompatible: this.#rootCompatible, nodeCompatible, depth: 1 });
  }
}

/** A node's first `compatible` string, '' without one. */
function compatibleOf(node: FdtNode | undefined): string {
  const value = node?.property('compatible')?.value.subarray(0, MAX_COMPATIBLE);
  return value === undefined ? '' : decodeLatin1(value, 0, Math.max(0, value.indexOf(0)));
}
