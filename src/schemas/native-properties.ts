// SPDX-License-Identifier: Apache-2.0
// Which FDT properties hold a u64 in the kernel's own byte order. The little that `dump` needs until every consumer's
// layout is declared; versions that are not listed are shown as what any device tree would be.

/** What a native u64 counts: a physical address, or bytes. */
export type NativeUnit = 'address' | 'size';

interface NativeRule {
  /** `compatible` strings that the rule is for. */
  readonly compatible: readonly string[];
  /** Whether that string stands in the root of the tree or in the node that has the property. */
  readonly foundIn: 'root' | 'node';
  /** Depth of the node that has the property; the root's is 0. */
  readonly depth: number;
  readonly properties: ReadonlyMap<string, NativeUnit>;
}

// Sources: kernel 6.16 to 7.3 include/linux/kho/abi/kexec_handover.h and memblock.h; kho-core.md 3, luo.md 4.
const RULES: readonly NativeRule[] = [
  {
    compatible: ['kho-v1', 'kho-v2', 'kho-v3', 'kho-v4'],
    foundIn: 'root',
    depth: 0,
    properties: new Map([['preserved-memory-map', 'address']]),
  },
  { compatible: ['kho-v1'], foundIn: 'root', depth: 1, properties: new Map([['fdt', 'address']]) },
  { compatible: ['kho-v2'], foundIn: 'root', depth: 1, properties: new Map([['preserved-data', 'address']]) },
  {
    compatible: ['kho-v3', 'kho-v4'],
    foundIn: 'root',
    depth: 1,
    properties: new Map([
      ['preserved-data', 'address'],
      ['blob-size', 'size'],
    ]),
  },
  {
    compatible: ['reserve-mem-v1'],
    foundIn: 'node',
    depth: 1,
    properties: new Map([
      ['start', 'address'],
      ['size', 'size'],
    ]),
  },
];

/** Where a property stands, as far as {@link nativeUnits} asks. */
export interface PropertyPlace {
  /** First `compatible` string of the tree's root, '' for none. */
  readonly rootCompatible: string;
  /** First `compatible` string of the node, '' for none. */
  readonly nodeCompatible: string;
  /** Depth of the node; the root's is 0. */
  readonly depth: number;
}

const NONE: ReadonlyMap<string, NativeUnit> = new Map();

/**
 * The properties of a node that hold one u64 of 8 bytes in native byte order: little-endian on x86-64 and arm64, the
 * architectures that have KHO.
 *
 * @returns what each counts by property name; empty for a node that is not known
 */
export function nativeUnits(place: PropertyPlace): ReadonlyMap<string, NativeUnit> {
  for (const rule of RULES) {
    if (rule.depth !== place.depth) continue;
    const compatible = rule.foundIn === 'root' ? place.rootCompatible : place.nodeCompatible;
    if (rule.compatible.includes(compatible)) return rule.properties;
  }
  return NONE;
}
