// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { KhoError } from '../../bytes/issue.js';
import { FDT_MAGIC } from '../../fdt/header.js';
import { check } from './check.js';
import { issueAt, type SchemaErrorCode, type SchemaIssue } from './error.js';
import { gatherPages } from './gather.js';
import { type ByteOrder, isRecord } from './input.js';
import type { Lookup, Memory, Reached } from './memory.js';
import { elementsIn, type FoundPointer, gatheredSize, pointersIn } from './pointers.js';
import { sizeOf } from './size.js';
import { sizeInMemory } from './size-in-memory.js';
import type { Layout, PointerType } from './type.js';

/** Bytes at most of a struct whose size only its own count tells. */
const MAX_COUNTED = 0x400_0000;

/** Where to begin. */
export interface FollowStart {
  readonly layout: Layout;
  readonly address: bigint;
  /** Size in bytes; left out for layouts of fixed size. */
  readonly length?: number | undefined;
  readonly path?: string;
}

/** How pointers are followed. */
export interface FollowOptions {
  readonly byteOrder?: ByteOrder;
  /** Bytes in a page, default 4096. */
  readonly pageSize?: number;
  /** Things to visit at most, default 1,000,000. */
  readonly maxObjects?: number;
  /** Whether arrays that are put together from scattered pages are decoded (default), or come as bytes only. */
  readonly elements?: 'values' | 'bytes';
  /** Told everything that is wrong: broken rules, memory that is not there, loops. */
  readonly issue?: (issue: SchemaIssue) => void;
}

/** A linked list on its way: what its elements must add up to. */
interface Chain {
  elements: number;
  blocks: number;
  readonly total: bigint | undefined;
  readonly path: string;
}

interface Task {
  readonly layout: Layout | undefined;
  readonly address: bigint;
  readonly length: number | undefined;
  readonly path: string;
  /** Address of the pointer. */
  readonly from?: bigint | undefined;
  readonly chain?: Chain | undefined;
  /** Level in a radix tree; tables above 0. */
  readonly radix?: { readonly target: PointerType; readonly level: number } | undefined;
}

/**
 * Visits everything that a layout's pointers lead to, the start included, depth first in the order of fields, the rest of a
 * list after what it holds. What was
 * visited with the same layout is not visited again, so that loops end.
 */
export function* follow(
  start: FollowStart,
  memory: Memory,
  lookup: Lookup,
  options: FollowOptions = {},
): Generator<Reached, void> {
  const { byteOrder, pageSize = 4096, maxObjects = 1_000_000, elements = 'values' } = options;
  const { issue: tell = () => {} } = options;
  /** First chunks of arrays put together already: one that two descriptors name is not read twice. */
  const assembled = new Set<bigint>();
  const seen = new Map<Layout, Set<bigint>>();
  const stack: Task[] = [{ length: undefined, path: '', ...start }];
  let visited = 0;
  const complain = (
    task: { path: string; address?: bigint },
    code: SchemaErrorCode,
    expected: string,
    found: string,
  ) => tell(issueAt({ offset: 0, path: task.path, base: task.address }, code, expected, found));

  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const { layout, address, path, from } = task;
    if (++visited > maxObjects) {
      complain(task, 'LIMIT', `at most ${maxObjects} things to visit`, 'more');
      return;
    }
    const length =
      task.length ??
      (layout !== undefined && layout.kind !== 'node'
        ? sizeInMemory(layout, address, memory, byteOrder)
        : undefined);
    if (layout === undefined || length === undefined) {
      yield { address, length: length ?? pageSize, path, from };
      continue;
    }
    const known = seen.get(layout) ?? new Set();
    seen.set(layout, known);
    if (known.has(address)) {
      if (task.chain !== undefined || task.radix !== undefined) {
        complain(task, 'LOOP', 'an address not visited before', formatHex(address));
      }
      continue;
    }
    known.add(address);
    if (task.length === undefined && length > MAX_COUNTED) {
      complain(task, 'BAD_COUNT', `at most ${MAX_COUNTED} bytes of counted elements`, `${length}`);
      continue;
    }
    const bytes = memory(address, length);
    if (bytes === undefined) {
      complain(task, 'ABSENT', `${length} bytes at ${formatHex(address)}`, 'no such memory');
      continue;
    }
    const value = decodeHere(layout, bytes, task);
    if (value === undefined) continue;
    yield { address, length, path, from, layout, bytes, value };
    const tasks: Task[] = [];
    // What a list holds comes before the rest of the list.
    const links: Task[] = [];
    for (const pointer of pointersIn(layout, value, path)) {
      const { type } = pointer;
      const at = address + BigInt(pointer.offset);
      if (type.kind !== 'pointer') {
        yield* gathered(pointer, at);
        continue;
      }
      const next = pointerTasks(pointer, type, task, value).map((each) => ({ ...each, from: at }));
      if (type.target.to === 'self') links.push(...next);
      else tasks.push(...next);
    }
    stack.push(...links, ...tasks.reverse());
  }

  function decodeHere(layout: Layout, bytes: Uint8Array, { path, address }: Task): unknown {
    try {
      const checked = check<Layout>(layout, bytes, { byteOrder: byteOrder ?? 'little', base: address, path });
      checked.issues.forEach(tell);
      return checked.value;
    } catch (error) {
      if (!(error instanceof KhoError)) throw error;
      complain({ path, address }, 'BAD_VALUE', 'a sound FDT', error.message);
      return undefined;
    }
  }

  function pointerTasks(pointer: FoundPointer, type: PointerType, from: Task, holder: unknown): Task[] {
    const { path, scope } = pointer;
    const { target } = type;
    const address = typeof pointer.value === 'bigint' ? pointer.value & ~flagBits(type) : 0n;
    // A property that is missing was told of when the node was decoded.
    const size = (field: string | undefined): number | undefined => {
      const value = field === undefined ? undefined : scope[field];
      return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined;
    };
    if (target.to === 'self') {
      const chain = from.chain ?? { elements: 0, blocks: 0, total: undefined, path: from.path };
      chain.elements += elementsIn(from.layout ?? type, holder) ?? 0;
      chain.blocks++;
      if (address !== 0n && chain.blocks >= (target.limit ?? Number.POSITIVE_INFINITY)) {
        complain({ path: chain.path, address }, 'LIMIT', `at most ${target.limit} in the list`, 'more');
        return [];
      }
      if (address !== 0n) return [{ ...from, address, path: `${chain.path}#${chain.blocks}`, chain }];
      if (chain.total !== undefined && BigInt(chain.elements) !== chain.total) {
        complain(
          { path: chain.path },
          'BAD_COUNT',
          `${chain.total} elements in the list`,
          `${chain.elements}`,
        );
      }
      return [];
    }
    if (from.radix !== undefined && target.to === 'memory') return radixTask(address, path, from.radix);
    if (address === 0n) return [];
    switch (target.to) {
      case 'layout': {
        const count = size(target.total);
        const total = count === undefined ? undefined : BigInt(count);
        const chain = total === undefined ? undefined : { elements: 0, blocks: 0, total, path };
        const length =
          target.elements === undefined
            ? size(target.length)
            : arraySize(target.layout, size(target.elements) ?? 0);
        // An array without elements may be anywhere.
        if (target.elements !== undefined && length === 0) return [];
        return [{ layout: target.layout, address, length, path, chain }];
      }
      case 'memory':
        return [{ layout: undefined, address, length: size(target.length), path }];
      case 'radix': {
        const { depth, table, leaf } = target.tree;
        const level = (pageSize === 65536 ? depth[16] : pageSize === 16384 ? depth[14] : depth[12]) - 1;
        return [
          {
            layout: level > 0 ? table : leaf,
            address,
            length: undefined,
            path,
            radix: { target: type, level },
          },
        ];
      }
      case 'lookup': {
        const length = target.sized === 'fdt' ? fdtSize(address, path) : size(target.length);
        const bytes = length === undefined ? undefined : memory(address, length);
        // Kernels compare strings up to their NUL.
        const key = target.key === undefined ? '' : String(scope[target.key]).replace(/\0.*$/s, '');
        const layout = lookup(target.group, key, bytes, address);
        if (layout === 'inline') return [];
        if (layout?.kind === 'node' && length === undefined)
          return [{ layout, address, length: fdtSize(address, path), path }];
        if (layout === undefined) {
          const place = { offset: 0, path, base: address };
          tell(issueAt(place, 'NO_LAYOUT', `a known ${target.group}`, `"${key}"`));
        }
        return [{ layout, address, length, path }];
      }
    }
  }

  /** The size that the FDT at `address` says it has. */
  function fdtSize(address: bigint, path: string): number | undefined {
    const header = memory(address, 8);
    const view = header && new DataView(header.buffer, header.byteOffset, 8);
    if (view?.getUint32(0) === FDT_MAGIC) return view.getUint32(4);
    complain({ path, address }, view === undefined ? 'ABSENT' : 'BAD_VALUE', 'an FDT', formatHex(address));
    return undefined;
  }

  function radixTask(
    address: bigint,
    path: string,
    { target, level }: { target: PointerType; level: number },
  ): Task[] {
    if (address === 0n || target.target.to !== 'radix') return [];
    const { table, leaf } = target.target.tree;
    const layout = level > 1 ? table : leaf;
    return [{ layout, address, length: undefined, path, radix: { target, level: level - 1 } }];
  }

  function* gathered({ type, value, path, scope }: FoundPointer, at: bigint): Generator<Reached, void> {
    if (type.kind !== 'gather') return;
    const first = isRecord(value) ? value['first'] : undefined;
    if (typeof first === 'bigint' && first !== 0n && gatheredSize(type, scope) > 0) {
      if (assembled.has(first)) {
        complain({ path, address: first }, 'LOOP', 'a chunk of no other array', formatHex(first));
        return;
      }
      assembled.add(first);
    }
    const context = { byteOrder, pageSize, elements, issue: tell, from: at };
    yield* gatherPages(type, value, scope, path, memory, context);
  }
}

/** Bytes that an array of `count` elements takes. */
function arraySize(layout: Layout, count: number): number | undefined {
  const size = layout.kind === 'array' ? sizeOf(layout.of) : undefined;
  return size === undefined ? undefined : size * count;
}

function flagBits({ flags = {} }: PointerType): bigint {
  return Object.values(flags).reduce((all, bit) => all | bit, 0n);
}
