// SPDX-License-Identifier: Apache-2.0
// The fields of a handover with their physical addresses, found by following what is declared.
import type { Handover } from '../kho/handover.js';
import { decode } from '../schemas/lang/decode.js';
import { addressIn } from '../schemas/lang/memory.js';
import { spansOf } from '../schemas/lang/spans.js';
import type { Layout, MemoryType } from '../schemas/lang/type.js';
import { isLeaf, walk } from '../schemas/lang/walk.js';
import { type HandoverPart, partsOf } from './handover-parts.js';

/** A field of a handover. */
export interface Spot {
  /** Name of the struct that it is in; of a field of an FDT the name that the container has here, such as `root`. */
  readonly holder: string;
  /** Name of the field. */
  readonly field: string;
  /** How it is reached, as findings have it. */
  readonly path: string;
  /** Physical address. */
  readonly address: bigint;
  /** In bytes. */
  readonly length: number;
  readonly type: MemoryType;
  readonly value: unknown;
  /** Physical address of the block, page or blob that it is a part of. */
  readonly block: bigint;
}

/** Arrays of more elements come with the elements that are not zero, and the first that is. */
const LONG_ARRAY = 64;

/** All fields of a handover: entry of setup_data, root, map, consumers and what they lead to. */
export function spotsOf(handover: Handover): readonly Spot[] {
  const spots: Spot[] = [];
  for (const part of partsOf(handover)) addPart(spots, part);
  return spots;
}

function addPart(spots: Spot[], { layout, bytes, address, path, container, pieces }: HandoverPart): void {
  if (layout.kind === 'node') {
    for (const { offset, length, path: at, type, value } of spansOf(layout, bytes, { path })) {
      if (type === undefined) continue;
      const field = fieldOf(at);
      const place = { address: address + BigInt(offset), block: address };
      spots.push({ holder: container, field, path: at, length, type, value, ...place });
    }
    return;
  }
  const value: unknown = decode<Layout>(layout, bytes, { trailing: true });
  // Structs that what is visited lies in, outermost first.
  const open: { readonly path: string; readonly name: string }[] = [];
  const zeros = new Set<string>();
  walk(layout, value, { offset: 0, path }, bytes.length, (item) => {
    const { type, place, length, value: found } = item;
    while (open.length > 0 && !place.path.startsWith(open.at(-1)?.path ?? '')) open.pop();
    if (type.kind === 'struct') open.push({ path: `${place.path}.`, name: type.name });
    if (!isLeaf(item) || length === 0) return;
    if (found === 0n && bytes.length > LONG_ARRAY * 8 && place.path.endsWith(']')) {
      const array = place.path.slice(0, place.path.lastIndexOf('['));
      if (zeros.has(array)) return;
      zeros.add(array);
    }
    spots.push({
      holder: open.at(-1)?.name ?? '',
      field: fieldOf(place.path),
      path: place.path,
      address: addressIn({ address, pieces }, place.offset),
      length,
      type,
      value: found,
      block: address,
    });
  });
}

/** The last name of a path, without a position. */
export function fieldOf(path: string): string {
  return path.replace(/\[\d+\]$/, '').replace(/^.*[./]/, '');
}
