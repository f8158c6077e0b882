// SPDX-License-Identifier: Apache-2.0
// Every pointer of a handover with its physical address, found by following what is declared.
import type { Handover } from '../../src/kho/index.js';
import { memoryOf } from '../../src/kho/memory-of.js';
import { decode } from '../../src/schemas/lang/decode.js';
import { follow } from '../../src/schemas/lang/follow.js';
import { addressIn, type Reached } from '../../src/schemas/lang/memory.js';
import { spansOf } from '../../src/schemas/lang/spans.js';
import type { Layout } from '../../src/schemas/lang/type.js';
import { walk } from '../../src/schemas/lang/walk.js';

/** A pointer that is not zero. */
export interface Pointer {
  /** How it is reached. */
  readonly path: string;
  /** What kind of pointer it is: the same for all of a field. */
  readonly kind: string;
  /** Physical address of its first byte. */
  readonly address: bigint;
  /** In bytes; of a page frame in a bit field those that hold nothing else. */
  readonly length: number;
}

/** All pointers of a handover, each once. */
export function pointersOf(handover: Handover): Pointer[] {
  const found = new Map<bigint, Pointer>();
  const { root, consumers } = handover;
  const layout = root.identified?.version.layout;
  const memory = memoryOf(handover.memory);
  if (layout !== undefined) {
    // What the registry knows is followed below: here the root and its map.
    const start = { layout, address: root.address, length: root.size, path: '/' };
    for (const each of follow(start, memory, () => 'inline')) add(found, each);
  }
  for (const { reached } of consumers) for (const each of reached) add(found, each);
  return [...found.values()];
}

function add(found: Map<bigint, Pointer>, { layout, bytes, address, path, pieces }: Reached): void {
  if (layout === undefined || bytes === undefined) return;
  const put = (at: string, offset: number, length: number): void => {
    const place = addressIn({ address, pieces }, offset);
    if (!found.has(place)) found.set(place, { path: at, kind: kindOf(at), address: place, length });
  };
  if (layout.kind === 'node') {
    for (const { type, offset, length, path: at, value } of spansOf(layout, bytes, { path }))
      if (type?.kind === 'pointer' && value !== 0n) put(at, offset, length);
    return;
  }
  const value: unknown = decode<Layout>(layout, bytes, { trailing: true });
  walk(layout, value, { offset: 0, path }, bytes.length, ({ type, place, length, value: here }) => {
    // What an object keeps is a value of its own; to the test of the kernel it leads nowhere.
    const isValue = /\.flbs\[\d+\]\.data$/.test(place.path);
    if (type.kind === 'pointer' && here !== 0n && !isValue) put(place.path, place.offset, length);
    // A folio: the page frame is in the lower 52 bits.
    else if (type.kind === 'bits' && type.parts['pfn'] !== undefined)
      put(`${place.path}.pfn`, place.offset, 6);
  });
}

function kindOf(path: string): string {
  const steps = path
    .replace(/\[\d+\]|#\d+/g, '')
    .replace(/(?<=map)(?:\.table)+$/, (tables) => ` level ${5 - tables.length / 6}`);
  return steps;
}
