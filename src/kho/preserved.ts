// SPDX-License-Identifier: Apache-2.0
import { firstWhere } from '../bytes/first-where.js';
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { PointerTarget } from '../schemas/lang/type.js';
import type { MapIssue, MapReader } from './map-reader.js';
import { readBitmapChunks } from './preserved-bitmaps.js';
import { readRadixTree } from './preserved-radix.js';
import { RunBuilder, type RunColumns } from './preserved-runs.js';

/** Pages of physical addresses of 52 bits. */
const PAGES = 2 ** 40;
/** Runs at most: a fraction of a gigabyte in columns. */
const MAX_RUNS = 1 << 24;
/** Pages of the map itself at most: 16 GiB of them. */
const MAX_NODES = 1 << 22;

/** How a map of preserved memory is encoded: bitmaps of kho-v1, radix tree since kho-v2, `mem` properties of the RFC of 2024. */
export type PreservedForm = 'bitmaps' | 'radix' | 'mem';

/** A preserved block of pages. */
export interface PreservedBlock {
  /** Page frame of its first page. */
  readonly start: number;
  /** It has 2^order pages. */
  readonly order: number;
  /** Index of the run it belongs to. */
  readonly run: number;
}

/** Which memory a handover preserves: runs of blocks by ascending page frame, whatever the encoding. */
export class PreservedMap {
  readonly form: PreservedForm;
  /** Physical address of the first chunk or root table; 0 where there is none. */
  readonly address: bigint;
  /** The runs as columns. */
  readonly runs: RunColumns;
  /** Page frames that the map itself takes, in the order in which it was read; they are not preserved themselves. */
  readonly nodes: Float64Array;
  readonly issues: readonly MapIssue[];
  /** For each run, the run up to it that reaches furthest; itself where none overlap. */
  readonly #furthest: Uint32Array;

  constructor(
    form: PreservedForm,
    address: bigint,
    runs: RunColumns,
    nodes: Float64Array,
    issues: readonly MapIssue[],
  ) {
    this.form = form;
    this.address = address;
    this.runs = runs;
    this.nodes = nodes;
    this.issues = issues;
    const furthest = new Uint32Array(runs.starts.length);
    for (let index = 1; index < furthest.length; index++) {
      const before = furthest[index - 1] ?? 0;
      furthest[index] = this.end(before) > this.end(index) ? before : index;
    }
    this.#furthest = furthest;
  }

  /** How many runs there are. */
  get count(): number {
    return this.runs.starts.length;
  }

  /** Page frame of the first page of run `index`. */
  start(index: number): number {
    return this.runs.starts[index] ?? 0;
  }

  /** Page frame behind the last page of run `index`. */
  end(index: number): number {
    const { starts, blocks, orders } = this.runs;
    return (starts[index] ?? 0) + (blocks[index] ?? 0) * 2 ** (orders[index] ?? 0);
  }

  /** The preserved block that page frame `pfn` lies in; of several the one that starts last. Takes O(log runs). */
  find(pfn: number): PreservedBlock | undefined {
    const { starts, orders } = this.runs;
    const nearest = this.#lastFrom(pfn);
    if (nearest < 0) return undefined;
    const run = this.end(nearest) > pfn ? nearest : (this.#furthest[nearest] ?? 0);
    if (this.end(run) <= pfn) return undefined;
    const order = orders[run] ?? 0;
    const first = starts[run] ?? 0;
    return { start: pfn - ((pfn - first) % 2 ** order), order, run };
  }

  /**
   * The first page frame of `count` from `pfn` on that is not preserved; `undefined` when all are. Takes O(log runs) for
   * each run that it goes through.
   */
  firstMissing(pfn: number, count: number): number | undefined {
    for (let at = pfn; at < pfn + count; ) {
      const block = this.find(at);
      if (block === undefined) return at;
      at = this.end(block.run);
    }
    return undefined;
  }

  /** The first preserved page frame from `pfn` on; `undefined` when there is none. Takes O(log runs). */
  firstFrom(pfn: number): number | undefined {
    if (this.find(pfn) !== undefined) return pfn;
    const next = this.#lastFrom(pfn) + 1;
    return next < this.count ? this.start(next) : undefined;
  }

  /** Index of the last run that starts at or before `pfn`; -1 when there is none. */
  #lastFrom(pfn: number): number {
    const { starts } = this.runs;
    return firstWhere(0, starts.length, (index) => (starts[index] ?? 0) > pfn) - 1;
  }

  /** Blocks preserved by page order, smallest first. */
  byOrder(): { readonly order: number; readonly blocks: number }[] {
    const counts = new Map<number, number>();
    const { orders, blocks } = this.runs;
    for (let index = 0; index < orders.length; index++) {
      const order = orders[index] ?? 0;
      counts.set(order, (counts.get(order) ?? 0) + (blocks[index] ?? 0));
    }
    return [...counts].sort(([a], [b]) => a - b).map(([order, count]) => ({ order, blocks: count }));
  }

  /** Pages preserved; those of blocks that overlap count once. */
  get pages(): number {
    let pages = 0;
    let end = 0;
    for (let index = 0; index < this.count; index++) {
      pages += Math.max(0, this.end(index) - Math.max(end, this.start(index)));
      end = Math.max(end, this.end(index));
    }
    return pages;
  }
}

/** Collects what the readers of encoded maps tell. */
export class MapCollector implements MapReader {
  readonly pointerAddress: bigint;
  readonly issues: MapIssue[] = [];
  readonly #runs = new RunBuilder();
  readonly #nodes: number[] = [];
  #tooMany = false;

  /** @param pointerAddress - physical address of the pointer to the map */
  constructor(pointerAddress: bigint) {
    this.pointerAddress = pointerAddress;
  }

  issue(issue: MapIssue): void {
    if (this.issues.length < 1000) this.issues.push(issue);
  }

  node(pfn: number): boolean {
    if (this.#nodes.length < MAX_NODES && !this.#tooMany) return this.#nodes.push(pfn) > 0;
    const message = `expected a map of at most ${MAX_NODES} pages and ${MAX_RUNS} runs, found a larger one`;
    this.issue({ code: 'LIMIT', message, address: this.pointerAddress });
    return false;
  }

  run(order: number, start: number, blocks: number, holder: bigint): void {
    const size = 2 ** order;
    if (start + blocks * size > PAGES) {
      const message = `expected memory below 2^52 bytes, found ${blocks} blocks of order ${order} from page frame ${formatHex(BigInt(start))} on`;
      this.issue({ code: 'BAD_KEY', message, address: holder });
      return;
    }
    if (this.#runs.count >= MAX_RUNS) {
      this.#tooMany = true;
      return;
    }
    this.#runs.add(order, start, blocks);
  }

  /** The map of what was told. */
  build(form: PreservedForm, address: bigint): PreservedMap {
    return new PreservedMap(form, address, this.#runs.build(), Float64Array.from(this.#nodes), this.issues);
  }
}

/**
 * Reads the map of preserved memory that a root leads to. What is malformed becomes issues, the rest is read.
 *
 * @param address - what the root's `preserved-memory-map` holds
 * @param target - where the root's layout says that it leads
 * @param pointerAddress - physical address of that property's value
 * @returns `undefined` for a pointer to something else than a map
 */
export function readPreservedMap(
  memory: PhysicalMemory,
  address: bigint,
  target: PointerTarget,
  pointerAddress: bigint,
): PreservedMap | undefined {
  const collector = new MapCollector(pointerAddress);
  if (target.to === 'radix') {
    readRadixTree(memory, address, target.tree, collector);
    return collector.build('radix', address);
  }
  if (target.to !== 'layout' || target.layout.kind !== 'struct') return undefined;
  readBitmapChunks(memory, address, target.layout, collector);
  return collector.build('bitmaps', address);
}
